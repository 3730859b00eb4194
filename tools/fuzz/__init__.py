"""Coverage-guided fuzzing of what comes over the USB cable: ``python -m tools.fuzz TARGET --seconds 600``."""
