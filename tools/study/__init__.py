"""What was tried on the networks, and what each step gained: ``python -m tools.study --help``."""
