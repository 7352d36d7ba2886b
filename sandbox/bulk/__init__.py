"""Bulk API 2.0 away from HTTP: jobs, their CSV, their work and their results. It knows neither sockets nor REST."""
