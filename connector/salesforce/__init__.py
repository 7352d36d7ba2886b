"""The only code that talks to the org: logins, REST, Bulk API 2.0, events and polls."""
