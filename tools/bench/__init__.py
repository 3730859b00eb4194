"""``python -m tools.bench``: how long each step takes on this machine, as ratios within one run."""
