"""Accuracy of the networks on data sets given as folders: ``python -m tools.evaluate --help``."""
