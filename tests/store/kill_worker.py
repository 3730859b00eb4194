"""A process to be killed: ``python -m tests.store.kill_worker STEPS STORE...``.

For each STORE a child enrols and forgets until it has run its number of SQLite's virtual machine instructions, then it
kills itself with SIGKILL. What was answered before that is noted in ``STORE.answers``, one line an answer.
"""

import os
import signal
import sys
from pathlib import Path

from tests.store.helpers import open_store, vectors


def work(path: Path, steps: int) -> None:
    """Never returns: forgets Anna, enrols Cleo, Dora, Emil ... until the kernel ends it."""
    answers = os.open(path.with_name(path.name + ".answers"), os.O_WRONLY | os.O_CREAT, 0o600)
    store = open_store(path)
    left = steps

    def count_down() -> int:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    store._db.conn.set_progress_handler(count_down, 1)
    store._ring._db.conn.set_progress_handler(count_down, 1)
    store.forget("Anna")
    os.write(answers, b"forgot Anna\n")
    for number in range(1_000_000):
        store.enroll(f"New {number}", vectors(5, number))
        os.write(answers, f"enrolled New {number}\n".encode())


def main() -> None:
    first = int(sys.argv[1])
    for place, name in enumerate(sys.argv[2:]):
        # A fork spares the imports; SQLite is opened in the child only.
        child = os.fork()
        if child == 0:
            work(Path(name), first + 37 * place)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit(f"the child of {name} ended by itself")


if __name__ == "__main__":
    main()
