"""Worlds: each fills a sandbox org with one kind of business. A world knows the org engine, never HTTP."""
