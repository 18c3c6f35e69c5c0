"""Stands in a dossier where the persons' keys stand at home (`kernel/eventstore/keys.py`).

A dossier holds nothing personal and nothing sealed, so there is nothing to open.
"""


class KeyRing:
    """No keys."""
