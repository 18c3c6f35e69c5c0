"""Runs the bank: `python -m infra.bank`."""

from collections.abc import Sequence

import grpc
from ltci.bank.v1 import bank_service_pb2, bank_service_pb2_grpc

from infra.bank.books import Books
from infra.bank.rpc import BankServicer
from kernel.clock import Clock
from kernel.config import Settings
from kernel.rpc.server import run, serve


async def main() -> None:
    """Serves until SIGTERM; what was answered is kept, however it ends."""
    settings = Settings.from_environment()
    servicer = BankServicer(Books(settings.bank_folder / "bank.sqlite"), Clock(settings.clock_file))

    def add(server: grpc.aio.Server) -> Sequence[str]:
        bank_service_pb2_grpc.add_BankServiceServicer_to_server(servicer, server)
        return [bank_service_pb2.DESCRIPTOR.services_by_name["BankService"].full_name]

    try:
        await serve("bank", settings.bank_address, add, feed_store=None, ready=_ready)
    finally:
        await servicer.close()


async def _ready() -> None:
    """The books were opened before the port: nothing to wait for."""


if __name__ == "__main__":
    run(main())
