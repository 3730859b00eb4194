"""``python -m edge`` is ``facelatch``."""

from edge.cli import main

if __name__ == "__main__":
    main()
