"""``python -m tools.fuzz TARGET [FILE] [--seconds N]``.

atheris is in no lock file: ``pip install atheris`` into an environment that has the product. A crash, a minute without
an end, or 512 MB ends it, and the input is left in a file; with that FILE the same runs once more.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

LIMITS = ("-timeout=60", "-rss_limit_mb=512", "-max_len=8192", "-print_final_stats=1")


def main() -> int:
    """Fuzz, or run one input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    chosen = parser.parse_args()
    try:
        atheris: Any = __import__("atheris")
    except ImportError:
        print("atheris is not installed here: pip install atheris", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["edge", "tools"]):  # whatever is imported before has no coverage
        from tools.fuzz.targets import TARGETS, seeds
    if chosen.target not in TARGETS:
        parser.error(f"there is no target {chosen.target}: {', '.join(TARGETS)}")
    target = TARGETS[chosen.target]
    if chosen.file is not None:
        target(chosen.file.read_bytes())
        return 0
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds(chosen.target)):
            (Path(corpus) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *LIMITS, f"-max_total_time={chosen.seconds}", corpus], target)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
