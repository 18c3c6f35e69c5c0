"""`ltci transfer`: a person's insurance from one pool to another, as a signed file (转移接续)."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf import json_format
from ltci.assessment.v1 import events_pb2 as assessment_pb
from ltci.enrollment.v1 import enrollment_types_pb2 as types
from ltci.enrollment.v1 import person_service_pb2 as person_pb
from ltci.enrollment.v1 import transfer_service_pb2 as pb
from ltci.events.v1 import feed_pb2

from cli.connect import ACTOR, DEFAULT_DATA, Connection, DataOption
from cli.output import BAD_INPUT, Failure, JsonOption, LangOption, Output
from cli.traced import traced
from kernel.ids import derive, new_id
from kernel.rpc.channel import call

CONCLUSION = f"{assessment_pb.ConclusionDelivered.DESCRIPTOR.full_name}/1"
app = typer.Typer(
    help="Move a person's insurance from one pool to another. 参保关系转移接续",
    no_args_is_help=True,
)

PersonArgument = Annotated[
    str, typer.Argument(help="The person's id, or a resident's identity number.")
]
FileArgument = Annotated[
    Path, typer.Argument(help="The bundle, as `offer` wrote it.", metavar="FILE", dir_okay=False)
]
HereOption = Annotated[
    str, typer.Option("--person", help="The person here; needed from another deployment.")
]


@app.command()
def offer(
    person: PersonArgument,
    from_pool: Annotated[str, typer.Argument(help="Old pool: 320400", metavar="FROM")],
    to_pool: Annotated[str, typer.Argument(help="New pool: 510100", metavar="TO")],
    file: Annotated[Path, typer.Option("-o", "--output", help="FILE.json for the new pool.")],
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Writes the signed bundle of an insurance that is over in the old pool. 转出"""
    output = Output.of(lang, as_json=as_json)

    async def make(connection: Connection) -> None:
        from cli.people import person_id

        found = await person_id(connection, person)
        asked = pb.OfferTransferRequest(
            person=found,
            from_pool=from_pool,
            to_pool=to_pool,
            conclusions=await conclusions(connection, found, from_pool),
            request_id=str(new_id()),
        )
        bundle = await call(connection.transfers.OfferTransfer, asked, actor=ACTOR)
        file.write_text(json_format.MessageToJson(bundle), encoding="utf-8")
        manifest = pb.TransferManifest.FromString(bundle.manifest)
        output.document(
            {
                "transfer": manifest.transfer,
                "person": found,
                "from_pool": from_pool,
                "to_pool": to_pool,
                "events": len(bundle.events),
                "file": str(file),
            }
        )
        output.show(
            f"{len(bundle.events)} signed events in {file}, for pool {to_pool}",
            f"已签名的 {len(bundle.events)} 条记录写入 {file}，交统筹地区 {to_pool}",
        )

    _with_stack("transfer offer", data, output, make)


@app.command()
def accept(
    file: FileArgument,
    person: HereOption = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Checks a bundle and takes the insurance over by the new pool's rules. 转入"""
    output = Output.of(lang, as_json=as_json)

    async def take(connection: Connection) -> None:
        bundle = read_bundle(file)
        asked = pb.AcceptTransferRequest(
            bundle=bundle, person=person, request_id=_once("accept", bundle, person)
        )
        _show(await call(connection.transfers.AcceptTransfer, asked, actor=ACTOR), output)

    _with_stack("transfer accept", data, output, take)


@app.command()
def reject(
    file: FileArgument,
    cause: Annotated[str, typer.Option("--cause", help="Why.")],
    person: HereOption = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turns a bundle down. 转入退回"""
    output = Output.of(lang, as_json=as_json)

    async def turn_down(connection: Connection) -> None:
        bundle = read_bundle(file)
        asked = pb.RejectTransferRequest(
            bundle=bundle,
            person=person,
            cause=cause,
            request_id=_once("reject", bundle, person, cause),
        )
        _show(await call(connection.transfers.RejectTransfer, asked, actor=ACTOR), output)

    _with_stack("transfer reject", data, output, turn_down)


@app.command()
def key(
    data: DataOption = DEFAULT_DATA, lang: LangOption = None, as_json: JsonOption = False
) -> None:
    """The public key by which others check this deployment's bundles. 公钥"""
    output = Output.of(lang, as_json=as_json)

    async def tell(connection: Connection) -> None:
        found = await connection.transfers.GetTransferKey(pb.GetTransferKeyRequest())
        output.document({"public_key": found.public_key_hex})
        output.show(found.public_key_hex, found.public_key_hex)

    _with_stack("transfer key", data, output, tell)


async def conclusions(
    connection: Connection, person: str, pool: str
) -> list[feed_pb2.RecordedEvent]:
    """The delivered conclusions in a pool, of all who are one with the person."""
    from cli.replay.logs import case_events

    one = await connection.persons.GetMergedPersons(
        person_pb.GetMergedPersonsRequest(person=person)
    )
    return [
        event
        for who in one.persons
        async for event in case_events(connection.feed("assessment"), who)
        if event.type == CONCLUSION
        and assessment_pb.ConclusionDelivered.FromString(event.payload).pool == pool
    ]


def read_bundle(file: Path) -> pb.TransferBundle:
    """The bundle in a file. Refuses (`Failure`) what is none."""
    try:
        return json_format.Parse(file.read_text(encoding="utf-8"), pb.TransferBundle())
    except FileNotFoundError:
        raise Failure(
            f"there is no file {file}", f"没有文件 {file}", where="FILE", code=BAD_INPUT
        ) from None
    except (json_format.ParseError, UnicodeDecodeError):
        raise Failure(
            f"{file} holds no bundle of a transfer",
            f"{file} 不是转移材料",
            where="FILE",
            right="a file that `ltci transfer offer` wrote",
            right_zh="应为 `ltci transfer offer` 写出的文件",
            code=BAD_INPUT,
        ) from None


def told(transfer: pb.Transfer) -> dict[str, Any]:
    """The transfer for machines."""
    decision = types.GradeDecision.Name(transfer.grade_decision)
    return {
        "transfer": transfer.transfer,
        "person": transfer.person,
        "from_pool": transfer.from_pool,
        "to_pool": transfer.to_pool,
        "accepted": transfer.accepted,
        "start_date": transfer.start_date,
        "months_counted": transfer.months_counted,
        "grade_decision": decision.removeprefix("GRADE_DECISION_"),
        "grade": transfer.grade,
        "valid_until_date": transfer.valid_until_date,
    }


def _show(transfer: pb.Transfer, output: Output) -> None:
    output.document(told(transfer))
    if not transfer.accepted:
        output.show(
            f"turned down: {transfer.transfer} from {transfer.from_pool}",
            f"已退回：{transfer.transfer}，原统筹地区 {transfer.from_pool}",
        )
        return
    decision = told(transfer)["grade_decision"]
    words = {
        "NO_GRADE": ("there is no valid grade", "没有有效的失能等级"),
        "GRADE_ACCEPTED": (f"grade {transfer.grade} is taken over", f"互认{transfer.grade}级"),
        "GRADE_REOPENED": (
            f"grade {transfer.grade} is to be assessed anew",
            f"原{transfer.grade}级须重新评估",
        ),
    }[decision]
    output.show(
        f"insured in {transfer.to_pool} from {transfer.start_date};"
        f" {transfer.months_counted} months count; {words[0]}",
        f"自 {transfer.start_date} 起在 {transfer.to_pool} 参保；"
        f"计入 {transfer.months_counted} 个月；{words[1]}",
    )


def _once(step: str, bundle: pb.TransferBundle, *more: str) -> str:
    """The same file taken in again is the same request."""
    return str(
        derive(f"transfer-{step}", bundle.SerializeToString(deterministic=True).hex(), *more)
    )


def _with_stack(
    name: str, data: Path, output: Output, work: Callable[[Connection], Awaitable[None]]
) -> None:
    async def run() -> None:
        async with Connection.to_stack(data) as connection:
            await work(connection)

    with output.expected_errors(), traced(name):
        asyncio.run(run())
