"""Change the store as fast as the guardian answers, and say on standard output what it has acknowledged.

Runs in the guest, with the product's own Python, as an operator does: enrolments, erasures, modes and unlocks (the last
two are entries in the log) go through the running guardian. A line is printed after the guardian's answer and before
the next question, so that whatever was printed must be there after a power cut. ``writer.py RUN MODEL_ID``: a number
that no run before had, and the model whose templates the guardian takes.
"""

import subprocess
import sys

import numpy as np

from edge import config, wire
from edge.link import ask

run = int(sys.argv[1])
settings = config.load(None)
chance = np.random.default_rng(run)
model_id = sys.argv[2]
number = 0
while True:
    number += 1
    name = f"Visitor {run} {number}"
    face = chance.standard_normal(192).astype("<f4")
    face /= np.linalg.norm(face)
    ask(settings.control_path, wire.AskEnroll(name, model_id, [face.tobytes()]))
    print(f"person {name}", flush=True)
    reason = f"cut {run} {number}"
    if number % 2:
        ask(settings.control_path, wire.AskMode("night" if number % 4 == 1 else "normal", reason))
        print(f"log {reason}", flush=True)
    else:
        status = ask(settings.control_path, wire.AskStatus())
        if isinstance(status, wire.Status) and status.door == "LOCKED":  # else the release before has not ended
            ask(settings.control_path, wire.AskUnlock(0.5, reason))
            print(f"log {reason}", flush=True)
    if number % 3 == 0:
        print(f"forgetting {name}", flush=True)  # from here on it may have happened, or not
        ask(settings.control_path, wire.AskForget(name))
        print(f"forgotten {name}", flush=True)
    if number % 10 == 0:
        subprocess.run(["facelatch", "backup"], check=True, stdout=subprocess.DEVNULL)
        print("backup", flush=True)
