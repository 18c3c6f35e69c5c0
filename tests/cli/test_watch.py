"""The frame of `ltci watch`: what it shows of a known situation."""

from datetime import datetime

from ltci.provider.v1 import monitoring_service_pb2 as pb
from rich.console import Console

from cli.output import Language, Output
from cli.watch import as_documents, drawn
from kernel.clock import SHANGHAI

ROWS = [
    pb.ProviderWatch(provider="a", provider_name="安心", going_on_count=3, overlong_count=1),
    pb.ProviderWatch(provider="b", provider_name="[x]", to_confirm_count=2, flagged_count=4),
]


def test_a_frame_shows_every_provider_and_the_pool() -> None:
    console = Console(width=160, record=True, file=None, quiet=True)
    now = datetime(2024, 3, 4, 9, tzinfo=SHANGHAI)
    console.quiet = False
    with console.capture() as shown:
        console.print(drawn(ROWS, now, Output.of(Language.EN)))
    lines = [line.replace("│", " ").replace("┃", " ").split() for line in shown.get().splitlines()]
    assert ["安心", "3", "1", "0", "0", "0", "0", "0"] in lines
    assert ["[x]", "0", "0", "0", "2", "4", "0", "0"] in lines
    assert ["all", "3", "1", "0", "2", "4", "0", "0"] in lines


def test_a_frame_for_machines_has_every_count() -> None:
    first = as_documents(ROWS)[0]
    assert (first["going_on_count"], first["flagged_count"]) == (3, 0)
