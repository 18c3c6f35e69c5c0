"""Ids in the database driver's own class: written and compared in C.

Code that judges a case again somewhere else has no driver, and keeps its ids as they are.
"""

from importlib import import_module
from typing import Any
from uuid import UUID


def _driver() -> Any:
    try:
        return import_module("asyncpg.pgproto.pgproto").UUID
    except ImportError:
        return None


_QUICK = _driver()


def quick(id: UUID) -> UUID:  # noqa: A002 - what it is
    """The same id, as the database driver's own class has it: written a tenth as slowly."""
    if _QUICK is None:
        return id
    made: UUID = _QUICK(id.bytes)
    return made
