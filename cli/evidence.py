"""What is kept of a visit's evidence, and whether a file proves it (服务佐证). Nothing is recorded.

A file is what `--export` wrote while the evidence was there: canonical JSON as text, with the
salt of its digest. Held against the digest that the service keeps, it proves what was brought
for the visit, also when the evidence itself has been forgotten.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer
from google.protobuf.json_format import MessageToDict
from ltci.provider.v1 import evidence_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import BAD_INPUT, FAILED, Failure, JsonOption, LangOption, Output
from cli.running import with_stack
from kernel.rpc.errors import explain

_SIGNALS = ("signature", "beacon", "tag", "face", "family_code")


def evidence(
    visit: Annotated[str, typer.Argument(help="The visit's id.", metavar="VISIT")],
    export: Annotated[
        Path | None,
        typer.Option(
            "--export", help="Write the evidence and its salts to FILE.json: personal data."
        ),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check", help="Hold an exported FILE.json against the digests.", exists=True
        ),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """A visit's verdict, what its evidence said, and whether that is still there. 服务佐证"""
    output = Output.of(lang, as_json=as_json)
    good: list[bool] = []

    async def show(connection: Connection) -> None:
        good.append(await run_evidence(connection, visit, output, export=export, check=check))

    with_stack("evidence", data, output, show)
    raise typer.Exit(0 if all(good) else FAILED)


async def run_evidence(
    connection: Connection,
    visit: str,
    output: Output,
    *,
    export: Path | None = None,
    check: Path | None = None,
) -> bool:
    """Shows, exports or checks; False where a file does not prove what the digests name."""
    request = pb.GetEvidenceRequest(visit=visit, with_content=export is not None)
    try:
        found = await connection.evidence.GetEvidence(request)
    except grpc.aio.AioRpcError as error:
        raise Failure.of_call(explain(error), where="VISIT") from None
    if export is not None:
        _write(found, export)
    proven = _proven(found, _read(check)) if check is not None else {}
    output.document(told(found, proven))
    _show(output, found, proven)
    return all(proven.values())


def told(found: pb.VisitEvidence, proven: dict[str, bool]) -> dict[str, Any]:
    """The answer for machines, without the evidence itself."""
    return {
        "visit": found.visit,
        "pool": found.pool,
        "state": _word(types.VisitState, found.state, "VISIT_STATE_"),
        "reasons": list(found.reasons),
        "ruling_sha256": hashlib.sha256(found.ruling).hexdigest() if found.ruling else "",
        "evidence": [
            {
                "phase": _phase(part),
                "digest": part.digest.hex(),
                "readable": part.readable,
                "findings": MessageToDict(
                    part.findings,
                    preserving_proto_field_name=True,
                    always_print_fields_with_no_presence=True,
                ),
                **({"proven": proven[part.digest.hex()]} if proven else {}),
            }
            for part in found.parts
        ],
    }


def is_proven(part: dict[str, str]) -> bool:
    """Whether an exported evidence is the one its digest names: SHA-256 over salt and content."""
    salted = bytes.fromhex(part["salt"]) + part["content"].encode()
    return hashlib.sha256(salted).hexdigest() == part["digest"]


def _show(output: Output, found: pb.VisitEvidence, proven: dict[str, bool]) -> None:
    output.table(
        output.text(f"Evidence of visit {found.visit}", f"服务 {found.visit} 的佐证"),
        output.columns(
            ("part", "部分"),
            ("start, m", "签到距离（米）"),
            ("end, m", "签退距离（米）"),
            ("clock, s", "时钟偏差（秒）"),
            ("signals", "佐证"),
            ("digest", "摘要"),
            ("evidence", "原始佐证"),
        ),
        [
            (
                _phase(part),
                part.findings.start_distance_m,
                part.findings.end_distance_m,
                part.findings.clock_skew_seconds,
                _signals(part.findings),
                part.digest.hex()[:16],
                _there(output, part, proven),
            )
            for part in found.parts
        ],
        right=(1, 2, 3),
    )
    state = _word(types.VisitState, found.state, "VISIT_STATE_")
    reasons = ", ".join(found.reasons)
    output.show(
        f"verdict: {state}{f' ({reasons})' if reasons else ''}",
        f"认定：{state}{f'（{reasons}）' if reasons else ''}",
    )


def _there(output: Output, part: pb.EvidencePart, proven: dict[str, bool]) -> str:
    if proven:
        right = proven[part.digest.hex()]
        return output.text(
            "the file proves it" if right else "THE FILE DIFFERS",
            "文件与摘要一致" if right else "文件与摘要不符",
        )
    return output.text(
        "there" if part.readable else "forgotten", "留存" if part.readable else "已销毁"
    )


def _signals(found: types.VisitFindings) -> str:
    """The signals that were given, each with its result."""
    given = {name: getattr(found, name) for name in _SIGNALS}
    words = [
        f"{name} {_word(types.SignalResult, number, 'SIGNAL_RESULT_')}"
        for name, number in given.items()
        if number
    ]
    return ", ".join(["mocked place"] * found.mocked + words)


def _phase(part: pb.EvidencePart) -> str:
    return _word(types.VisitPhase, part.phase, "VISIT_PHASE_")


def _word(wire: Any, number: int, prefix: str) -> str:
    return str(wire.Name(number)).removeprefix(prefix).lower()


def _write(found: pb.VisitEvidence, file: Path) -> None:
    if not all(part.readable for part in found.parts) or not found.parts:
        raise Failure(
            "there is no evidence to export: it was forgotten, or never brought",
            "没有可导出的佐证：已销毁或未曾提交",
            reason="EVIDENCE_FORGOTTEN",
        )
    parts = [
        {
            "phase": _phase(part),
            "digest": part.digest.hex(),
            "salt": part.salt.hex(),
            "content": part.content.decode(),
        }
        for part in found.parts
    ]
    document = {"visit": found.visit, "parts": parts}
    file.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _read(file: Path) -> list[dict[str, str]]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return [
            {name: str(part[name]) for name in ("digest", "salt", "content")}
            for part in document["parts"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        raise Failure(
            f"{file} is no exported evidence",
            f"{file} 不是导出的佐证文件",
            where="--check",
            right="a file written by `ltci evidence VISIT --export`",
            right_zh="应为 `ltci evidence VISIT --export` 写出的文件",
            code=BAD_INPUT,
        ) from None


def _proven(found: pb.VisitEvidence, parts: list[dict[str, str]]) -> dict[str, bool]:
    """By digest that the service keeps, whether the file has what it names."""
    try:
        right = {part["digest"] for part in parts if is_proven(part)}
    except ValueError:  # a salt that is no hex
        right = set()
    return {part.digest.hex(): part.digest.hex() in right for part in found.parts}
