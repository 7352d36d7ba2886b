"""Events on their way out of the org: the log that keeps them and the CometD sessions that deliver them."""
