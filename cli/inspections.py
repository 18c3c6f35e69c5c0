"""Cases against providers, caregivers and assessors: the list, and one case's file (案件查处)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from google.protobuf.message import Message
from ltci.events.v1 import feed_pb2
from ltci.provider.v1 import inspection_service_pb2 as pb
from rich.text import Text

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import FAILED, JsonOption, LangOption, Output, money
from cli.running import with_stack
from kernel.rules.ruling import FactRef, Ruling, fact_digest

PAGE = 500
POSITIONS = 1_000  # that one call of a feed answers
OWN = "provider"
STATES = {
    "OPENED": ("opened", "已立案"),
    "NOTICED": ("told", "已告知"),
    "DECIDED": ("decided", "已决定"),
    "APPEALED": ("appealed", "申诉中"),
    "CLOSED": ("closed", "已结案"),
}
CAUSES = {
    "FLAG": ("flag", "风险提示"),
    "COMPLAINT": ("complaint", "投诉举报"),
    "SAMPLE": ("sample", "抽查回访"),
}
VERDICTS = {
    "UNSPECIFIED": ("open", "未认定"),
    "CLEARED": ("cleared", "排除"),
    "CONFIRMED": ("CONFIRMED", "属实"),
}


def inspections(
    pool: Annotated[str, typer.Argument(help="Pooling area, GB/T 2260: 320400.", metavar="POOL")],
    only_open: Annotated[bool, typer.Option("--open", help="Only those not closed.")] = False,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those past a last day of the office.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cases against providers, caregivers, assessors, by the day they were opened. 案件列表"""
    output = Output.of(lang, as_json=as_json)

    async def run(connection: Connection) -> None:
        cases = await found(connection, pool, only_open=only_open, overdue=overdue)
        show_list(cases, str(connection.clock().today()), output)

    with_stack("inspections", data, output, run)


def inspection(
    case: Annotated[str, typer.Argument(help="The case, as `ltci inspections` lists it.")],
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """The file of one case; 1 where its evidence is not what was frozen. 案件卷宗"""
    output = Output.of(lang, as_json=as_json)
    whole: list[bool] = []

    async def run(connection: Connection) -> None:
        told = await connection.inspections.GetInspection(pb.GetInspectionRequest(inspection=case))
        differing = await differing_elsewhere(connection, told)
        show_case(told, differing, output)
        whole.append(told.evidence.unchanged and not differing)

    with_stack("inspection", data, output, run)
    if not all(whole):
        raise typer.Exit(FAILED)


async def found(
    connection: Connection, pool: str, *, only_open: bool = False, overdue: bool = False
) -> list[pb.Inspection]:
    """All pages."""
    kind = pb.INSPECTION_FILTER_OPEN if only_open else pb.INSPECTION_FILTER_UNSPECIFIED
    request = pb.ListInspectionsRequest(
        pool=pool,
        filter=pb.INSPECTION_FILTER_OVERDUE if overdue else kind,
        page_size=PAGE,
    )
    told: list[pb.Inspection] = []
    while True:
        page = await connection.inspections.ListInspections(request)
        told += page.inspections
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return told


async def differing_elsewhere(connection: Connection, case: pb.Inspection) -> list[FactRef]:
    """The frozen events of other services that are not what stands in their logs now."""
    asked: Mapping[str, dict[int, FactRef]] = defaultdict(dict)
    for one in case.evidence.frozen:
        if one.service != OWN:
            asked[one.service][one.position] = FactRef(one.service, one.position, one.digest)
    differing: list[FactRef] = []
    for service, wanted in asked.items():
        there = await _digests(connection, service, sorted(wanted))
        differing += [ref for place, ref in wanted.items() if there.get(place) != ref.digest]
    return sorted(differing)


async def _digests(
    connection: Connection, service: str, positions: Sequence[int]
) -> dict[int, str]:
    found: dict[int, str] = {}
    for first in range(0, len(positions), POSITIONS):
        request = feed_pb2.ReadEventsRequest(positions=positions[first : first + POSITIONS])
        for event in (await connection.feed(service).ReadEvents(request)).events:
            found[event.position] = fact_digest(event.type, event.payload)
    return found


def show_list(cases: Sequence[pb.Inspection], today: str, output: Output) -> None:
    """By the day of opening; what the office owes and is late with is red."""
    output.document([_line(one) for one in cases])
    output.table(
        output.text("Cases", "案件"),
        output.columns(
            ("opened", "立案日"),
            ("case", "案件"),
            ("because of", "来源"),
            ("flags", "提示数"),
            ("provider", "机构"),
            ("caregiver", "护理人员"),
            ("state", "状态"),
            ("last day", "期限"),
        ),
        [_row(one, today, output) for one in cases],
        right=(3,),
    )
    late = sum(_is_late(one, today) for one in cases)
    output.show(f"{len(cases)} cases, {late} overdue", f"共 {len(cases)} 件，其中 {late} 件超期")


def show_case(case: pb.Inspection, differing: Sequence[FactRef], output: Output) -> None:
    """The case in its order: what it is about, what was seen, said, decided, and the evidence."""
    output.document(_file(case, differing))
    text = output.text
    output.show(
        f"Case {case.inspection} in {case.pool}: {text(*STATES[word(case, 'state')])}",
        f"案件 {case.inspection}（{case.pool}）：{text(*STATES[word(case, 'state')])}",
    )
    output.show(
        f"opened {case.opened_date} by {case.opened_by} because of a "
        f"{text(*CAUSES[word(case, 'cause')])}; provider {case.provider or '–'},"
        f" caregiver {case.caregiver or '–'}",
        f"{case.opened_date} 由 {case.opened_by} 立案，来源：{text(*CAUSES[word(case, 'cause')])}；"
        f"机构 {case.provider or '–'}，护理人员 {case.caregiver or '–'}",
    )
    if case.flags:
        _show_flags(case, output)
    _show_course(case, output)
    _show_evidence(case, differing, output)


def _show_flags(case: pb.Inspection, output: Output) -> None:
    text = output.text
    output.table(
        text("Flags", "风险提示"),
        output.columns(
            ("detector", "规则"),
            ("day", "服务日"),
            ("visit", "服务记录"),
            ("held, yuan", "涉及金额"),
            ("what was seen", "所见"),
            ("verdict", "认定"),
            ("why", "理由"),
        ),
        [
            (
                f"{one.detector}/{one.detector_version}",
                one.care_date,
                one.visit or "–",
                money(one.cost_fen),
                seen(one),
                text(*VERDICTS[word(one, "verdict")]),
                one.cause,
            )
            for one in case.flags
        ],
        right=(3,),
    )


def _show_course(case: pb.Inspection, output: Output) -> None:
    if case.noticed_date:
        output.show(
            f"told {case.noticed_date}, to answer by {case.respond_by_date}",
            f"{case.noticed_date} 告知，陈述申辩期限 {case.respond_by_date}",
        )
    for said in case.statements:
        wanted = output.text(", asks for a hearing", "，要求听证") if said.hearing_wanted else ""
        output.show(
            f"answered {said.filed_date}{wanted}: {said.statement}",
            f"{said.filed_date} 陈述申辩{wanted}：{said.statement}",
        )
    for held in case.hearings:
        output.show(
            f"heard {held.held_date} by {', '.join(held.officers)}: {held.statement or 'absent'}",
            f"{held.held_date} 听证（{'、'.join(held.officers)}）：{held.statement or '未到场'}",
        )
    if case.HasField("decision"):
        made = case.decision
        by, verdict = ", ".join(made.decided_by), output.text(*VERDICTS[word(made, "outcome")])
        output.show(
            f"decided {made.decided_date} by {by}: {verdict}. {made.reasoning}",
            f"{made.decided_date} 由 {by} 决定：{verdict}。{made.reasoning}",
        )
        if made.proposed_article:
            measure = word(made, "proposed_measure")
            output.show(
                f"proposes {measure} ({made.proposed_article}); people impose it, or do not",
                f"建议 {measure}（{made.proposed_article}），是否处理由人决定",
            )
    if case.HasField("appeal"):
        it = case.appeal
        output.show(
            f"appealed {it.filed_date}: {it.statement}", f"{it.filed_date} 申诉：{it.statement}"
        )
        if it.decided_date:
            output.show(
                f"appeal {word(it, 'outcome')} {it.decided_date} by {', '.join(it.decided_by)}:"
                f" {it.reasoning}",
                f"{it.decided_date} 由 {'、'.join(it.decided_by)} 决定申诉："
                f"{word(it, 'outcome')}。{it.reasoning}",
            )
    for noted in case.notes:
        what = f"{word(noted, 'step')} {word(noted, 'note')}"
        output.show(
            f"{what}, due {noted.due_date}, on {noted.noted_date}",
            f"{what}，期限 {noted.due_date}，{noted.noted_date} 记录",
        )
    for letter in case.letters:
        output.show(f"letter {letter}", f"文书 {letter}")


def _show_evidence(case: pb.Inspection, differing: Sequence[FactRef], output: Output) -> None:
    it = case.evidence
    places = [f"{OWN}:{place}" for place in it.changed_positions]
    places += [f"{ref.service}:{ref.position}" for ref in differing]
    if not places and it.unchanged:
        output.show(
            f"evidence: {len(it.frozen)} events, unchanged, sha256 {it.digest}",
            f"固定证据：{len(it.frozen)} 项，未变，摘要 {it.digest}",
        )
        return
    output.show(
        f"EVIDENCE CHANGED at {', '.join(places)}: frozen as {it.digest}, now {it.digest_now}",
        f"证据有变：{'、'.join(places)}；固定摘要 {it.digest}，现为 {it.digest_now}",
    )


def seen(flag: pb.InspectedFlag) -> str:
    """What the detector's ruling says that it saw: the inputs of what was not as it should be."""
    if not flag.ruling:
        return ""
    steps = [one for one in Ruling.read(flag.ruling).steps if one.verdict != "met"]
    return "; ".join(
        ", ".join(f"{name} {value}" for name, value in step.inputs.items()) for step in steps
    )


def word(message: Message, field: str) -> str:
    """The word of an enum on the wire, without its prefix."""
    enum: Any = message.DESCRIPTOR.fields_by_name[field].enum_type
    prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
    name: str = enum.values_by_number[getattr(message, field)].name
    return name.removeprefix(prefix)


def _short(name: str) -> str:
    """The beginning of an id: the case's own must stand whole, to be copied."""
    return name.partition("-")[0]


def _is_late(case: pb.Inspection, today: str) -> bool:
    return bool(case.due_date) and not case.closed_date and case.due_date < today


def _row(case: pb.Inspection, today: str, output: Output) -> Sequence[object]:
    state = output.text(*STATES[word(case, "state")])
    if case.closed_date:
        state += f": {output.text(*VERDICTS[word(case, 'outcome')])}"
    cells = (
        case.opened_date,
        case.inspection,
        output.text(*CAUSES[word(case, "cause")]),
        case.flag_count,
        _short(case.provider),
        _short(case.caregiver or case.assessor),
        state,
        case.due_date,
    )
    late = _is_late(case, today)
    return tuple(Text(str(cell), style="red") for cell in cells) if late else cells


def _line(case: pb.Inspection) -> dict[str, object]:
    told = ("inspection", "pool", "source", "provider", "caregiver", "assessor", "flag_count")
    days = ("opened_date", "noticed_date", "respond_by_date", "decision_due_date", "due_date")
    return {
        "state": word(case, "state"),
        "cause": word(case, "cause"),
        "outcome": word(case, "outcome"),
        **{name: getattr(case, name) for name in (*told, *days, "closed_date")},
    }


def _file(case: pb.Inspection, differing: Sequence[FactRef]) -> dict[str, object]:
    it = case.evidence
    return _line(case) | {
        "opened_by": case.opened_by,
        "flags": [_plain(one) | {"seen": seen(one)} for one in case.flags],
        "statements": [_plain(one) for one in case.statements],
        "hearings": [_plain(one) for one in case.hearings],
        "decision": _plain(case.decision) if case.HasField("decision") else None,
        "appeal": _plain(case.appeal) if case.HasField("appeal") else None,
        "notes": [_plain(one) for one in case.notes],
        "letters": list(case.letters),
        "evidence": {
            "frozen": [_plain(one) for one in it.frozen],
            "digest": it.digest,
            "digest_now": it.digest_now,
            "unchanged": it.unchanged and not differing,
            "changed": [f"{OWN}:{place}" for place in it.changed_positions]
            + [f"{ref.service}:{ref.position}" for ref in differing],
        },
    }


def _plain(message: Message) -> dict[str, object]:
    """A message for machines: enums as words, rulings left out."""
    told: dict[str, object] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.name == "ruling":
            continue
        if field.enum_type is not None and not field.is_repeated:
            told[field.name] = word(message, field.name)
        elif field.is_repeated:
            told[field.name] = [_plain(one) if isinstance(one, Message) else one for one in value]
        else:
            told[field.name] = value
    return told
