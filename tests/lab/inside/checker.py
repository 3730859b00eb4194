"""What the store holds after a power cut, as the guardian says: people, the reasons in the log, is its chain whole.

One JSON document; one process, as each start of Python takes seconds in emulation.
"""

import json

from edge import app, config, wire
from edge.errors import FacelatchError

settings = config.load(None)
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
print(json.dumps({"people": people, "reasons": reasons, "checked": checked, "broken": broken}))
