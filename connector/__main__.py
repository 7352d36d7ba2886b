"""``python -m connector`` is ``dunwell``."""

from connector.cli import main

main()
