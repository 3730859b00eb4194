"""What people agree to when they are enrolled: one wording, numbered, so that the store can say which one it was."""

WORDING = 1
"""Counts up whenever the text changes: a consent is to the text that the person saw."""

TEXT = """\
Consent to be recognised by face at this door (wording {wording})

1. The lock measures my face and keeps up to twenty templates (lists of 192 numbers each) under my name, so that the
   door opens for me.{pictures}
2. The templates stay on the lock, encrypted. They are used for nothing but opening this door, and are sent nowhere.
3. The lock keeps a record of when it let me in or refused me, for at most {log_days} days.
4. I can see what is kept of me (`facelatch people export`), and have all of it erased at any time, for any reason and
   without giving one (`facelatch forget`). I can come in by PIN or key instead.
5. This consent ends {consent_days} days from today unless I renew it. Then everything of me is erased.

Name, date, signature:
"""

PICTURES = " It also keeps the pictures of my face that they were made of."


def text(consent_days: int, log_days: int, *, keeps_pictures: bool) -> str:
    """The wording for one lock's settings, to be read or signed."""
    pictures = PICTURES if keeps_pictures else ""
    return TEXT.format(wording=WORDING, consent_days=consent_days, log_days=log_days, pictures=pictures)
