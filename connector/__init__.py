"""Dunwell: a headless daemon that follows up failed payments beside a Salesforce org."""
