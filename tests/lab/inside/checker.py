"""What a store holds after a power cut: people, the reasons in the log, is its chain whole. A JSON document each.

``checker.py``: the store in use, as the guardian says, or as it is where none runs. ``checker.py FOLDER...``: other
stores, all in one process, as each start of Python takes seconds in emulation.
"""

import json
import sys
from typing import Any

import msgspec

from edge import app, config, wire
from edge.errors import FacelatchError
from edge.settings import Config


def held(settings: Config) -> dict[str, Any]:
    reasons = []
    last_id = 0
    while True:
        page = app.answer(settings, wire.AskLog(after_id=last_id))
        assert isinstance(page, wire.Log)
        reasons += [line.detail.get("reason") for line in page.lines if line.kind in {"released", "mode"}]
        last_id = max([last_id, *(line.id for line in page.lines)])
        if not page.more:
            break
    checked, broken = 0, ""
    try:
        after_id, more = 0, True
        while more:
            verified = app.answer(settings, wire.AskVerify(after_id=after_id))
            assert isinstance(verified, wire.Verified)
            checked, after_id, more = checked + verified.checked, verified.last_id, verified.more
    except FacelatchError as error:
        broken = str(error)
    people = [person.name for person in app.people(settings)]
    return {"people": people, "reasons": reasons, "checked": checked, "broken": broken}


settings = config.load(None)
for folder in sys.argv[1:]:
    paths = msgspec.structs.replace(settings.paths, state=folder, runtime="/nonexistent")
    try:
        found = held(msgspec.structs.replace(settings, paths=paths))
    except FacelatchError as error:
        found = {"people": [], "reasons": [], "checked": 0, "broken": str(error)}
    print(json.dumps(found), flush=True)
if not sys.argv[1:]:
    print(json.dumps(held(settings)))
