"""Scheduled work, thin: one module a job with NAME, SCHEDULE and run(context)."""
