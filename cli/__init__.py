"""The `ltci` command."""

import infra.embedded.forks  # noqa: F401 - before grpc: the command starts programs
