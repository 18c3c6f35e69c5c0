"""A dossier that makes its decisions again on a laptop, without database or network (可重算卷宗).

The archive holds the case's events as recorded, the packs, the page, and as source the very code
that decides: the domain of the services, the parts of the kernel they stand on, and the
messages. What is copied follows from the imports, so it cannot fall behind the code.
"""

import ast
import base64
import importlib.util
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from cli.explain.casefile import CaseFile
from cli.explain.dossier import render
from cli.explain.ltci_dossier import again, runner
from cli.explain.ltci_dossier.again import is_decision
from cli.output import Language
from kernel.clock import SHANGHAI
from kernel.messages import about, contents, event_name, message_of, ruling_in, ruling_of
from kernel.replay import RawFact

OWN = ("kernel", "services", "ltci", "google.api")  # copied; google.api is a message of options
STAND_INS = {"kernel.eventstore.keys": "no_keys"}
# Packages without a file of their own: an archive shows them to Python only by an entry each.
NAMESPACES = ("google/", "google/api/")
NEEDED_PACKAGES = ("protobuf", "chinesecalendar")
_NOT_COPIED = {"no_keys.py"}
_MAIN = '''"""Makes every decision of this dossier again: `python FILE.zip`."""

import sys

from ltci_dossier.__main__ import main

sys.exit(main())
'''
_STAMP = (1980, 1, 1, 0, 0, 0)  # the same case gives the same bytes
_READABLE = 0o644 << 16


@dataclass
class Code:
    """The modules a runnable dossier carries, and what it must find installed."""

    files: dict[str, bytes] = field(default_factory=dict)  # by path in the archive
    foreign: set[str] = field(default_factory=set)  # modules of other packages


def write(case: CaseFile, file: Path) -> None:
    """Writes the archive; what stands at the place is replaced only by a whole one."""
    draft = file.with_name(f"{file.name}.part")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in NAMESPACES:
            archive.writestr(zipfile.ZipInfo(folder, _STAMP), b"")
        for name, content in _files(case):
            info = zipfile.ZipInfo(name, _STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = _READABLE
            archive.writestr(info, content)
    draft.replace(file)


@cache
def code() -> Code:
    """Everything that making decisions again imports, from the rules of the services down."""
    found, seen = Code(), set()
    waiting = [again.__name__, runner.__name__]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if not _is_under(name, (*OWN, again.__package__ or "")):
            found.foreign.add(name)
            continue
        source = _source(name)
        if source is None:
            continue  # a name out of a module, or a namespace without a file
        path, text = source
        if not _is_under(name, (again.__package__ or "",)):
            found.files[path] = text
        waiting += _parents(name)
        waiting += _imports(text, name, is_package=path.endswith("__init__.py"))
    return found


def _files(case: CaseFile) -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", _MAIN.encode()
    yield "README.md", _readme(case).encode()
    for lang in Language:
        yield f"dossier.{lang.value}.html", render(case, lang.value).encode()
    named = {
        (ref.service, ref.position)
        for ruling in map(ruling_of, case.decisions)
        if ruling is not None
        for ref in ruling.facts
    }
    facts = [
        fact
        for place, fact in sorted(case.library.facts.items())
        if place in named or not is_decision(fact)
    ]
    yield runner.FACTS, _lines(map(_told, facts))
    yield runner.DECISIONS, _lines(_told(one) | _ruling(one) for one in case.decisions)
    for digest, content in sorted(case.library.packs.items()):
        yield f"{runner.PACKS}{json.loads(content)['pool']}-{digest}.json", content
    package = resources.files(again.__package__ or "")
    for part in sorted(package.iterdir(), key=lambda part: part.name):
        if part.name.endswith(".py") and part.name not in _NOT_COPIED:
            yield f"ltci_dossier/{part.name}", part.read_bytes()
    yield from sorted(code().files.items())


def _readme(case: CaseFile) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cli.explain", "templates"),
        autoescape=False,  # noqa: S701 - plain text, no markup
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("README.md.j2").render(
        case=case,
        packages=NEEDED_PACKAGES,
        versions=sorted({one.code_version for one in map(ruling_of, case.decisions) if one}),
    )


def _told(fact: RawFact) -> dict[str, Any]:
    """An event: its bytes, and beside them what they say. Only the bytes count."""
    message = message_of(fact)
    return {
        "service": fact.service,
        "position": fact.position,
        "type": fact.type,
        "recorded_time": fact.recorded_at.astimezone(SHANGHAI).isoformat(),
        "payload_base64": base64.b64encode(fact.payload).decode(),
        "digest": fact.ref.digest,
        "event": event_name(fact.type),
        "about": about(message),
        "says": contents(message),
    }


def _ruling(decision: RawFact) -> dict[str, Any]:
    return {"ruling": json.loads(ruling_in(decision)) if ruling_of(decision) else None}


def _lines(told: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told).encode()


# --- What is copied --------------------------------------------------------------------------


def _source(module: str) -> tuple[str, bytes] | None:
    """A module's path in the archive and its text; None where the name is no module of ours."""
    spec = _spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    path = module.replace(".", "/")
    path += "/__init__.py" if spec.submodule_search_locations is not None else ".py"
    if module in STAND_INS:
        stand_in = resources.files(again.__package__ or "").joinpath(f"{STAND_INS[module]}.py")
        return path, stand_in.read_bytes()
    return path, Path(spec.origin).read_bytes()


def _spec(module: str) -> Any:
    try:
        return importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None  # `from module import name`: the name is no module


def _imports(text: bytes, module: str, *, is_package: bool) -> Iterator[str]:
    """What a module imports; of `from x import y` both, because y may be a module."""
    here = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = here if node.level else ""
            base = ".".join(filter(None, (start, node.module)))
            yield base
            if _is_under(base, (*OWN, "google", again.__package__ or "")):
                yield from (f"{base}.{alias.name}" for alias in node.names)


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts)))


def _is_under(module: str, packages: Iterable[str]) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in packages)
