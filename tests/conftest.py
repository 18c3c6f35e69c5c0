"""Fixtures for every suite."""

import infra.embedded.forks  # noqa: F401 - before grpc
from tests.support.postgres import database_url, postgres

__all__ = ["database_url", "postgres"]
