"""The TFLite runtimes that are installed here."""

import importlib.util

from edge.models.interpreter import RUNTIMES

INSTALLED = [name for name in RUNTIMES if importlib.util.find_spec(name)]
