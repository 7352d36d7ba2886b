"""receive → load → assess → decide → apply: the one pipeline, for one payer, a burst or everyone.

Must not know settings, threads or schedules. Invariant: what is done depends on what the org says now, so
running any part twice changes nothing.
"""
