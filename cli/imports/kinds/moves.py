"""Files for who turned out to be one person (合并), and who moves to another pool (转移接续)."""

import hashlib
from datetime import timedelta

from google.protobuf.message import Message
from ltci.enrollment.v1 import enrollment_service_pb2 as enrollment
from ltci.enrollment.v1 import person_service_pb2 as person
from ltci.enrollment.v1 import transfer_service_pb2 as transfer

from cli.connect import Connection
from cli.imports import cells
from cli.imports.kinds.kind import (
    IDENTITY,
    POOL,
    Asking,
    Kind,
    Single,
    Step,
    Values,
    at_day,
    column,
)
from cli.people import person_ids
from cli.transfers import conclusions
from kernel.ids import derive

_CAUSE = cells.text(300)


async def _person(connection: Connection, identity_number: str) -> str:
    (found,) = await person_ids(connection, [identity_number])
    return found


# Merges ----------------------------------------------------------------------------------------


def _merging(values: Values) -> Asking:
    async def asking(connection: Connection, request_id: str, _made: str) -> Message:
        return person.MergePersonsRequest(
            survivor=await _person(connection, values["identity_number"]),
            duplicate=await _person(connection, values["duplicate_identity_number"]),
            merged_date=str(values["merged_date"]),
            cause=values["cause"],
            request_id=request_id,
        )

    return asking


def _merge_steps(values: Values) -> tuple[Step, ...]:
    merge = Step(
        name="",
        due=at_day(values["merged_date"]),
        service="persons",
        method="MergePersons",
        asking=_merging(values),
    )
    return (merge,)


MERGES = Kind(
    name="merges",
    title="persons who turned out to be one, who was registered twice",
    title_zh="重复参保人合并",
    columns=(
        IDENTITY,
        column("duplicate_identity_number", cells.identity_number, personal=True),
        column("merged_date", cells.day, past=True),
        column("cause", _CAUSE),
    ),
    delivery=Single(lane=("identity_number",), steps=_merge_steps),
    renamed={"survivor": "identity_number", "duplicate": "duplicate_identity_number"},
)


# Moves -----------------------------------------------------------------------------------------


def _ending(values: Values) -> Asking:
    async def asking(connection: Connection, request_id: str, _made: str) -> Message:
        return enrollment.EndCoverageRequest(
            person=await _person(connection, values["identity_number"]),
            pool=values["pool"],
            end_date=str(values["last_date"]),
            cause=values["cause"],
            request_id=request_id,
        )

    return asking


def _taking_over(values: Values) -> Asking:
    """The old pool's signed bundle, handed to the new one."""

    async def asking(connection: Connection, request_id: str, _made: str) -> Message:
        who = await _person(connection, values["identity_number"])
        concluded = await conclusions(connection, who, values["pool"])
        told = hashlib.sha256(b"".join(event.payload for event in concluded)).hexdigest()
        bundle = await connection.transfers.OfferTransfer(
            transfer.OfferTransferRequest(
                person=who,
                from_pool=values["pool"],
                to_pool=values["to_pool"],
                conclusions=concluded,
                request_id=str(derive("offer", request_id, told)),
            )
        )
        return transfer.AcceptTransferRequest(bundle=bundle, request_id=request_id)

    return asking


_ENDED = ("identity_number", "pool", "last_date", "cause")


def _move_steps(values: Values) -> tuple[Step, ...]:
    ended = Step(
        name="end",
        due=at_day(values["last_date"]),
        service="enrollment",
        method="EndCoverage",
        columns=_ENDED,
        asking=_ending(values),
    )
    taken_over = Step(
        name="take over",
        due=at_day(values["last_date"] + timedelta(days=1)),
        service="transfers",
        method="AcceptTransfer",
        columns=("to_pool",),
        asking=_taking_over(values),
    )
    return (ended, taken_over)


MOVES = Kind(
    name="moves",
    title="people whose insurance moves to another pool",
    title_zh="参保关系转移接续",
    columns=(
        IDENTITY,
        POOL,
        column("to_pool", cells.pool),
        column("last_date", cells.day, past=True),
        column("cause", _CAUSE),
    ),
    delivery=Single(lane=("identity_number",), steps=_move_steps),
    renamed={"person": "identity_number", "end_date": "last_date", "from_pool": "pool"},
    about={"NOT_COVERED": "pool", "ENDS_BEFORE_START": "last_date"},
    identity=_ENDED,
)
