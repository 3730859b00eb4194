"""Trains the liveness network: ``python -m tools.train --help``.

TensorFlow is imported inside functions: the generator of attacks, the material and the figures are usable without it.
"""
