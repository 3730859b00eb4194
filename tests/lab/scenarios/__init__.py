"""The scenarios: a file each, whose docstring says what it proves, and whose ``run`` is given a :class:`Lab`."""
