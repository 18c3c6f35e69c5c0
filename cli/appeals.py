"""What was objected to, reviewed and appealed against, and what did not stand (争议统计)."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import JsonOption, LangOption, Output
from cli.running import with_stack
from kernel.eventstore.feed import RemoteFeed
from kernel.rules.library import PackLibrary
from services.assessment.codec import assessment_codec
from services.assessment.domain import dispute_events as d
from services.assessment.domain.assessor import AssessorRegistered
from services.assessment.domain.overturns import By, Line, Overturns

HEADINGS = {
    By.KIND: ("kind", "类别"),
    By.CLAUSE: ("clause", "条款"),
    By.ITEM: ("item", "评估项目"),
    By.ASSESSOR: ("assessor", "评估人员"),
    By.BODY: ("body", "评估机构"),
}
KINDS = {
    "objection": ("objection", "异议"),
    "review": ("review", "复评"),
    "appeal": ("appeal", "申诉"),
}
_COUNTED = (
    AssessorRegistered,
    d.ObjectionFiled,
    d.ObjectionDecided,
    d.ReviewRequested,
    d.ReviewOrdered,
    d.ReviewGraded,
    d.AppealFiled,
    d.AppealDecided,
)


def appeals(
    pool: Annotated[
        str, typer.Argument(help="Pooling area, GB/T 2260: 320400; all if none.", metavar="[POOL]")
    ] = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Objections, reviews, appeals and overturns by clause, item, assessor, body. 争议统计"""
    output = Output.of(lang, as_json=as_json)

    async def run(connection: Connection) -> None:
        lines = await counted(connection, pool)
        output.document({"pool": pool, "lines": [_document(line) for line in lines]})
        packs = PackLibrary(connection.settings.rules_folder)
        show(lines, _names(packs, pool), output)

    with_stack("appeals", data, output, run)


async def counted(connection: Connection, pool: str = "") -> list[Line]:
    """The counts as of now, from assessment's log."""
    codec = assessment_codec(None)
    wanted = [codec.type_name(event_class) for event_class in _COUNTED]
    feed = RemoteFeed(connection.channel("assessment"), "assessment", wanted)
    counts, head = Overturns(), await feed.head()
    if head == 0:
        return []
    async for batch in feed.batches():
        for event in batch.events:
            if pool in {"", event.pool}:
                counts.tell(codec.decode_clear(event.type, event.payload))
        if batch.position >= head:
            break
    return counts.lines()


def show(lines: Sequence[Line], names: Mapping[str, tuple[str, str]], output: Output) -> None:
    """A table for each thing that is counted by; `names` of items, in English and Chinese."""
    if not lines:
        output.say("nothing was disputed yet", "尚无异议、复评或申诉")
        return
    for by, heading in HEADINGS.items():
        of_kind = [line for line in lines if line.by is by]
        if not of_kind:
            continue
        output.table(
            output.text(f"Disputes by {heading[0]}", f"按{heading[1]}统计"),
            output.columns(
                heading,
                ("filed", "提出"),
                ("decided", "已处理"),
                ("overturned", "改判"),
                ("share", "改判率"),
            ),
            [
                (
                    output.text(*{**KINDS, **names}.get(line.name, (line.name, line.name))),
                    "" if by in {By.ASSESSOR, By.BODY} else str(line.filed),
                    str(line.decided),
                    str(line.overturned),
                    f"{line.overturned_bp // 100}.{line.overturned_bp % 100:02d} %",
                )
                for line in of_kind
            ],
            right=(1, 2, 3, 4),
        )


def _names(packs: PackLibrary, pool: str) -> dict[str, tuple[str, str]]:
    """The items of the standard in both languages."""
    pack = packs.pack_for(pool or packs.pools()[0])
    return {
        item.code: (item.name_en, item.name_zh)
        for standard in pack.standards()
        for item in standard.items
    }


def _document(line: Line) -> dict[str, object]:
    return {
        "by": line.by.value,
        "name": line.name,
        "filed": line.filed,
        "decided": line.decided,
        "overturned": line.overturned,
        "overturned_bp": line.overturned_bp,
    }
