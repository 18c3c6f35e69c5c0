"""Writes the catalogues of events and errors from the protos: `python -m cli.catalogue`.

`docs/events.md` lists every event with its fields and what is sealed in them, `docs/errors.md`
every refusal that a method's comment promises. Both come from the descriptors, comments and all,
so they say what the protos say; `tests/tidy/test_catalogues.py` fails where they are behind.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from google.rpc import code_pb2
from ltci.type.v1 import options_pb2

ROOT = Path(__file__).resolve().parents[1]
DESCRIPTORS = ROOT / "build" / "gen" / "ltci.binpb"
ORDER = (
    "enrollment",
    "assessment",
    "provider",
    "payment",
    "letters",
    "events",
    "bank",
)  # of a life
CHINESE = {
    "enrollment": "参保缴费",
    "assessment": "失能评估",
    "provider": "定点服务",
    "payment": "待遇支付",
    "letters": "文书",
    "events": "事件订阅",
    "bank": "银行",
}

# Places in a file's descriptor, as protobuf numbers them.
_MESSAGE, _SERVICE = 4, 6
_FIELD = _METHOD = 2
_TYPES = {
    value.number: name.removeprefix("TYPE_").lower()
    for name, value in FieldDescriptorProto.Type.DESCRIPTOR.values_by_name.items()
}
_CODES = frozenset(code_pb2.Code.keys())

_SENTENCE = re.compile(r"\bRefuses with\b(.*?)(?:\.(?=\s|$)|$)", re.DOTALL)
_WORD = re.compile(r"`[^`]*`|\b[A-Z][A-Z_]+\b")
_REASON = re.compile(r"`([A-Z][A-Z0-9_]*)`")
_CONDITION = re.compile(r"\b(?:where|until|while|when|unless)\b.*", re.DOTALL)

_EVENTS_HEAD = """\
# Events

What each service records, as other systems read it from its feed (`EventFeedService.SubscribeEvents`).
An event is stored as the protobuf message of this name, type `<full name>/<version>`; see `protos/ltci/<service>/v1/events.proto`.
Made from the protos by `python -m cli.catalogue`.

* 🔒 sealed under the key of the person or body named by 🔑: personal data, never in a feed.
* A `*_date` is a civil day, 2024-03-01; a `*_month` is 2024-03; `*_fen` is money in fen; an id is a UUID in lower case.
* `ruling` is the decision with its facts, pack and steps, canonical JSON ([why](decisions/0003-rulings-as-canonical-json.md)).
"""  # noqa: E501 - Markdown has a line a sentence

_ERRORS_HEAD = """\
# Errors

Every refusal is a `google.rpc.Status` with an `ErrorInfo`: a stable `reason`, the domain `<service>.ltci`, and facts as metadata; a `LocalizedMessage` says it in Chinese.
Programs act on code and reason, never on the message.
Made from the methods' comments by `python -m cli.catalogue`.

Any method may answer, besides what it lists:

| code | reason | when | what to do |
|---|---|---|---|
| `INVALID_ARGUMENT` | that of the first wrong field | the request itself is wrong; `BadRequest` lists every field with its own reason, in English and Chinese | put it right |
| `NOT_FOUND` | `<KIND>_UNKNOWN` | it names something that is not there | look at the id |
| `ALREADY_EXISTS` | `REQUEST_ID_REUSED` | the request id was used for other content | take a new id |
| `ABORTED` | `VERSION_CONFLICT` | others kept changing the same case | repeat, same request id |
| `RESOURCE_EXHAUSTED` | `OVERLOADED` | too many requests wait | repeat after `RetryInfo`, same request id |
| `UNAVAILABLE` | `UNAVAILABLE` | something it depends on is away | repeat after `RetryInfo`, same request id |
| `DEADLINE_EXCEEDED` | `DEADLINE_EXCEEDED` | it took too long; whether it was done is not known | repeat, same request id |
| `INTERNAL` | `INTERNAL` | a fault of ours | quote the `trace_id` in the metadata |
"""  # noqa: E501 - rows of a table


class Unclear(ValueError):  # noqa: N818 - says what the comment is
    """A method's comment speaks of refusing in words that the catalogue cannot read."""


@dataclass(frozen=True)
class Refusal:
    """One way a method may refuse; no reason where the code says it all."""

    service: str
    method: str
    code: str
    reason: str
    condition: str


def read_protos() -> FileDescriptorSet:
    """The descriptors as last made by `make protos`."""
    return FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())


def event_catalogue(protos: FileDescriptorSet) -> str:
    """The page of all events."""
    lines = [_EVENTS_HEAD]
    for file in _in_order(protos):
        if not file.name.endswith("/events.proto"):
            continue
        comments = _comments(file)
        lines.append(f"## {_title(file)}\n")
        for index, message in enumerate(file.message_type):
            lines += _event(message, (_MESSAGE, index), comments)
    return "\n".join(lines)


def error_catalogue(protos: FileDescriptorSet) -> str:
    """The page of all refusals."""
    lines = [_ERRORS_HEAD]
    for file in _in_order(protos):
        for index, service in enumerate(file.service):
            refusals = list(_refusals_of(file, index))
            lines.append(f"## {_title(file)}: {service.name}\n")
            if not refusals:
                lines.append("Nothing of its own.\n")
                continue
            lines += ["| method | code | reason | when |", "|---|---|---|---|"]
            lines += [_row(refusal) for refusal in refusals]
            lines.append("")
    return "\n".join(lines)


def refusals(protos: FileDescriptorSet) -> list[Refusal]:
    """Every (service, method, code, reason) that the comments promise."""
    return [
        refusal
        for file in _in_order(protos)
        for index in range(len(file.service))
        for refusal in _refusals_of(file, index)
    ]


def parse_refusals(comment: str) -> Iterator[tuple[str, str, str]]:
    """(code, reason, condition) for each refusal in a comment; raises `Unclear`.

    Reads sentences like "Refuses with NOT_FOUND, or FAILED_PRECONDITION, reasons `A`, `B` where …".
    """
    for sentence in _SENTENCE.findall(comment):
        for code, rest in _clauses(" ".join(sentence.split())):
            found = _CONDITION.search(rest)
            condition = found.group().rstrip(" ,;") if found else ""
            reasons = _REASON.findall(rest[: found.start()] if found else rest)
            if not reasons and "reason" in rest:
                raise Unclear(f"no reason is named after {code}: {rest}")
            for reason in reasons or [""]:
                yield code, reason, condition


PAGES: Mapping[Path, Callable[[FileDescriptorSet], str]] = {
    ROOT / "docs" / "events.md": event_catalogue,
    ROOT / "docs" / "errors.md": error_catalogue,
}


def main() -> None:
    """Writes both pages."""
    protos = read_protos()
    for path, page in PAGES.items():
        path.write_text(page(protos), encoding="utf-8")
        print(path.relative_to(ROOT))


# -- reading the protos ----------------------------------------------------------------------


def _in_order(protos: FileDescriptorSet) -> list[FileDescriptorProto]:
    """The files of the services, in the order of a life; the rest are types."""
    ours = [file for file in protos.file if _service(file) in ORDER]
    return sorted(ours, key=lambda file: (ORDER.index(_service(file)), file.name))


def _service(file: FileDescriptorProto) -> str:
    return file.package.split(".")[1]


def _title(file: FileDescriptorProto) -> str:
    service = _service(file)
    return f"{service} {CHINESE[service]}"


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    return {
        tuple(place.path): " ".join((place.leading_comments or place.trailing_comments).split())
        for place in file.source_code_info.location
    }


def _event(
    message: DescriptorProto, path: tuple[int, ...], comments: Mapping[tuple[int, ...], str]
) -> Iterator[str]:
    yield f"### {message.name}\n"
    yield f"{comments[path]}\n"
    yield "| field | type | what it says |"
    yield "|---|---|---|"
    for index, field in enumerate(message.field):
        words = comments[*path, _FIELD, index]
        yield f"| {_marks(field)}`{field.name}` | {_type(field)} | {_cell(words)} |"
    yield ""


def _marks(field: FieldDescriptorProto) -> str:
    options = field.options.Extensions
    return ("🔒 " if options[options_pb2.personal] else "") + (
        "🔑 " if options[options_pb2.subject] else ""
    )


def _type(field: FieldDescriptorProto) -> str:
    name = field.type_name.rpartition(".")[2] or _TYPES[field.type]
    many = field.label == FieldDescriptorProto.LABEL_REPEATED
    return f"{name}, many" if many else name


# -- reading the comments --------------------------------------------------------------------


def _refusals_of(file: FileDescriptorProto, index: int) -> Iterator[Refusal]:
    service = file.service[index]
    comments = _comments(file)
    for place, method in enumerate(service.method):
        comment = comments.get((_SERVICE, index, _METHOD, place), "")
        try:
            for code, reason, condition in parse_refusals(comment):
                yield Refusal(service.name, method.name, code, reason, condition)
        except Unclear as unclear:
            raise Unclear(f"{service.name}.{method.name}: {unclear}") from None


def _clauses(sentence: str) -> Iterator[tuple[str, str]]:
    """Each code with the words that follow it, up to the next code."""
    codes = [
        found
        for found in _WORD.finditer(sentence)
        if found.group() in _CODES or re.fullmatch(r"[A-Z]+(?:_[A-Z]+)+", found.group())
    ]
    if not codes:
        raise Unclear(f"no code is named in “Refuses with{sentence}”")
    for found, following in zip(codes, [*codes[1:], None], strict=True):
        code = found.group()
        if code not in _CODES:
            raise Unclear(f"{code} is no code of gRPC")
        rest = sentence[found.end() : following.start() if following else None]
        yield code, re.sub(r"[,;]? or $", "", rest).strip(" ,;")


def _row(refusal: Refusal) -> str:
    reason = f"`{refusal.reason}`" if refusal.reason else "–"
    if not refusal.reason and refusal.code == "NOT_FOUND":
        reason = "`<KIND>_UNKNOWN`"
    condition = _cell(refusal.condition)
    return f"| `{refusal.method}` | `{refusal.code}` | {reason} | {condition} |"


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


if __name__ == "__main__":
    main()
