"""Judgement: pure, deterministic, without clocks, files or an org."""
