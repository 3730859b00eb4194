"""fill_log.py ENTRIES: write so many entries into the log, as an operator does who sets the door's mode."""

import sys

from edge import config, wire
from edge.errors import WireError
from edge.link import ask

settings = config.load(None)
for number in range(int(sys.argv[1])):
    while True:
        try:
            ask(settings.control_path, wire.AskMode("night" if number % 2 else "normal", "filling"))
            break
        except WireError:  # too many questions a second
            continue
ask(settings.control_path, wire.AskMode("normal", "filled"))
