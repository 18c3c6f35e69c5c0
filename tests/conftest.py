"""Fixtures for every suite."""

from hypothesis import settings

import infra.embedded.forks  # noqa: F401 - before grpc
from tests.support.postgres import database_url, postgres

__all__ = ["database_url", "postgres"]

# The machine is shared: how long an example takes says nothing about the rule.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
