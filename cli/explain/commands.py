"""The commands `ltci explain` and `ltci dossier`, without their options."""

import json
from pathlib import Path

from cli.connect import Connection
from cli.explain.casefile import CaseFile, gather
from cli.explain.dossier import render
from cli.explain.explanation import explain
from cli.explain.found import SERVICES, Feeds, Library, find_decisions
from cli.explain.printing import print_explanation
from cli.explain.runnable import write
from cli.output import BAD_INPUT, Failure, Output
from kernel.messages import ruling_in


def feeds_of(connection: Connection) -> Feeds:
    """The event feeds of the four services."""
    return {service: connection.feed(service) for service in SERVICES}


async def run_explain(connection: Connection, told: str, output: Output) -> None:
    """Finds the decision and tells it; several of one id are told one after the other."""
    feeds = feeds_of(connection)
    decisions = await find_decisions(feeds, told)
    library = Library(feeds)
    await library.all_for(decisions)
    lang = output.lang.value
    told_all = [explain(d, library.facts, library.pack_of(d), lang) for d in decisions]
    output.document(
        [
            one.as_json() | {"ruling": json.loads(ruling_in(decision)) if one.pack else None}
            for one, decision in zip(told_all, decisions, strict=True)
        ]
    )
    if not output.as_json:
        for one in told_all:
            print_explanation(one, output)


async def run_dossier(
    connection: Connection, person: str, file: Path, output: Output, *, runnable: bool
) -> bool:
    """Writes the case's page, or the archive that can be run; whether all of it is whole."""
    case = await gather(connection, feeds_of(connection), person)
    _write(case, file, output.lang.value, runnable=runnable)
    broken = sum(bool(stream.broken_at) for stream in case.streams)
    output.document(
        {
            "person": person,
            "file": str(file),
            "events": len(case.entries),
            "decisions": len(case.decisions),
            "differences": case.wrong,
            "streams": len(case.streams),
            "streams_broken": broken,
            "hashes_computed": all(stream.computed for stream in case.streams),
        }
    )
    output.show(
        f"{file}: {len(case.entries)} events, {len(case.decisions)} decisions made again,"
        f" {case.wrong} with differences; {len(case.streams)} streams, {broken} broken",
        f"{file}：{len(case.entries)} 个事件，重算 {len(case.decisions)} 项裁定，"
        f"{case.wrong} 项不一致；{len(case.streams)} 条事件链，{broken} 条不一致",
    )
    return not case.wrong and not broken


def _write(case: CaseFile, file: Path, lang: str, *, runnable: bool) -> None:
    try:
        if runnable:
            write(case, file)
        else:
            file.write_text(render(case, lang), encoding="utf-8")
    except OSError as error:
        raise Failure(
            f"{file} cannot be written: {error.strerror}",
            f"无法写入 {file}：{error.strerror}",
            where="--output",
            code=BAD_INPUT,
        ) from error
