"""facelatch: a face-unlock door lock that lives wholly on one board. Start reading at ``types.py`` and ``app.py``."""
