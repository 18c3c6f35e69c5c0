"""Compares the protos with those last released, and writes them down at a release.

Stored events are protobuf messages: a field that changes its number, name or type would change
what old events say. `python -m tests.tidy.baseline` writes `protos/baseline.binpb`; it refuses
while something released would break, unless told `--anyway`.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)
from ltci.type.v1 import options_pb2

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "protos" / "baseline.binpb"
CURRENT = ROOT / "build" / "gen" / "ltci.binpb"


def read(path: Path) -> FileDescriptorSet:
    return FileDescriptorSet.FromString(path.read_bytes())


def breaks(old: FileDescriptorSet, new: FileDescriptorSet) -> list[str]:
    """Everything that readers of the old protos, or stored events, would stumble over."""
    found: list[str] = []
    messages, old_messages = dict(_messages(new)), dict(_messages(old))
    for name, message in old_messages.items():
        found += _compared(name, message, messages.get(name))
    enums = dict(_enums(new))
    for name, enum in _enums(old):
        found += _enum_compared(name, enum, enums.get(name))
    services = dict(_services(new))
    for name, service in _services(old):
        found += _service_compared(name, service, services.get(name))
    return found


def _compared(name: str, old: DescriptorProto, new: DescriptorProto | None) -> Iterator[str]:
    if new is None:
        yield f"{name} is gone"
        return
    fields = {field.number: field for field in new.field}
    for field in old.field:
        there = fields.get(field.number)
        if there is None:
            if not _is_reserved(field, new):
                yield f"{name}.{field.name} is gone without reserving its number and name"
        elif _shape(there) != _shape(field):
            yield f"{name}.{field.name} = {field.number} changed its name, type or protection"
    kept = {number for span in new.reserved_range for number in range(span.start, span.end)}
    for span in old.reserved_range:
        if not set(range(span.start, span.end)) <= kept:
            yield f"{name} no longer reserves {span.start} to {span.end - 1}"
    for reserved in set(old.reserved_name) - set(new.reserved_name):
        yield f"{name} no longer reserves the name {reserved}"


def _enum_compared(
    name: str, old: EnumDescriptorProto, new: EnumDescriptorProto | None
) -> Iterator[str]:
    if new is None:
        yield f"{name} is gone"
        return
    numbers = {value.number: value.name for value in new.value}
    for value in old.value:
        if numbers.get(value.number) != value.name:
            yield f"{name}.{value.name} = {value.number} changed or is gone"


def _service_compared(
    name: str, old: ServiceDescriptorProto, new: ServiceDescriptorProto | None
) -> Iterator[str]:
    if new is None:
        yield f"{name} is gone"
        return
    there = {
        (m.name, m.input_type, m.output_type, m.client_streaming, m.server_streaming)
        for m in new.method
    }
    for m in old.method:
        wire = (m.name, m.input_type, m.output_type, m.client_streaming, m.server_streaming)
        if wire not in there:
            yield f"{name}.{m.name} changed its messages or is gone"


def _shape(field: FieldDescriptorProto) -> tuple[object, ...]:
    options = field.options.Extensions
    return (
        field.name,
        field.type,
        field.type_name,
        field.label,
        field.proto3_optional,
        field.HasField("oneof_index"),
        options[options_pb2.personal],
        options[options_pb2.subject],
    )


def _is_reserved(field: FieldDescriptorProto, message: DescriptorProto) -> bool:
    numbered = any(span.start <= field.number < span.end for span in message.reserved_range)
    return numbered and field.name in message.reserved_name


def _messages(files: FileDescriptorSet) -> Iterator[tuple[str, DescriptorProto]]:
    for file in files.file:
        yield from _nested(file.package, file.message_type)


def _nested(prefix: str, found: Iterable[DescriptorProto]) -> Iterator[tuple[str, DescriptorProto]]:
    for message in found:
        name = f"{prefix}.{message.name}"
        yield name, message
        yield from _nested(name, message.nested_type)


def _enums(files: FileDescriptorSet) -> Iterator[tuple[str, EnumDescriptorProto]]:
    for file in files.file:
        for enum in file.enum_type:
            yield f"{file.package}.{enum.name}", enum
    for name, message in _messages(files):
        for enum in message.enum_type:
            yield f"{name}.{enum.name}", enum


def _services(files: FileDescriptorSet) -> Iterator[tuple[str, ServiceDescriptorProto]]:
    for file in files.file:
        for service in file.service:
            yield f"{file.package}.{service.name}", service


def main(arguments: list[str]) -> int:
    current = read(CURRENT)
    broken = breaks(read(BASELINE), current) if BASELINE.exists() else []
    if broken and "--anyway" not in arguments:
        sys.stderr.write("\n".join(["these changes break what was released:", *broken, ""]))
        return 1
    for file in current.file:
        file.ClearField("source_code_info")
    BASELINE.write_bytes(current.SerializeToString(deterministic=True))
    sys.stdout.write(f"{BASELINE.relative_to(ROOT)}: {len(current.file)} files\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
