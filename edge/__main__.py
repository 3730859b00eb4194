"""``python -m edge`` is ``facelatch``."""

from edge.start import main

if __name__ == "__main__":
    main()
