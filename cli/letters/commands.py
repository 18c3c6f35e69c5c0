"""The commands `ltci letters` and `ltci letter`."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from ltci.enrollment.v1 import enrollment_service_pb2
from ltci.provider.v1 import provider_service_pb2

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import BAD_INPUT, Failure, JsonOption, LangOption, Language, Output
from cli.traced import traced

if TYPE_CHECKING:
    from cli.letters.found import Feeds, Found

FORMATS = (".html", ".pdf")


def letters(
    case_id: Annotated[
        str,
        typer.Argument(help="The person's id, or a resident's identity number.", metavar="CASE"),
    ],
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """The letters that a person was sent about decisions. 文书列表"""
    from cli.people import person_id

    output = Output.of(lang, as_json=as_json)

    async def show(connection: Connection) -> None:
        await run_letters(connection, await person_id(connection, case_id), output)

    _with_stack("letters", data, output, show)


def letter(
    letter_id: Annotated[
        str, typer.Argument(help="The letter's id, as `ltci letters` lists it.", metavar="LETTER")
    ],
    file: Annotated[Path, typer.Option("-o", "--output", help="FILE.html or FILE.pdf, A4.")],
    with_name: Annotated[
        bool, typer.Option("--with-name", help="Put the addressee's name in; it is a sealed read.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    lang: Annotated[
        Language | None,
        typer.Option("--lang", help="Only this language; both where none is named."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prints one letter, once its bytes are those that its hash names. 打印文书"""
    output = Output.of(lang, as_json=as_json)

    async def make(connection: Connection) -> None:
        await run_letter(connection, letter_id, file, output, only=lang, with_name=with_name)

    _with_stack("letter", data, output, make)


async def run_letters(connection: Connection, person: str, output: Output) -> None:
    """Lists the letters about a person, each checked against its hash."""
    from cli.letters.found import letters_of

    found = [one.as_json() for one in await letters_of(_feeds(connection), person)]
    output.document({"person": person, "letters": found})
    output.table(
        output.text(f"Letters of {person}", f"{person} 的文书"),
        output.columns(
            ("issued", "出具日"), ("number", "编号"), ("letter", "文书"), ("id", "标识")
        ),
        [
            (
                one["issued_date"],
                one["number"][output.lang.value],
                one["title"][output.lang.value],
                one["letter"],
            )
            for one in found
        ],
    )


async def run_letter(
    connection: Connection,
    letter_id: str,
    file: Path,
    output: Output,
    *,
    only: Language | None = None,
    with_name: bool = False,
) -> None:
    """Writes a letter's page or PDF; refuses a letter whose bytes are not what its hash names."""
    from cli.letters.found import letter_of
    from kernel.letters.phrases import LANGUAGES

    _check(file)
    found = await letter_of(_feeds(connection), letter_id)
    name = await _name(connection, found) if with_name else ""
    langs = (only.value,) if only else LANGUAGES
    _write(found, file, langs, name)
    output.document(found.as_json() | {"file": str(file), "languages": list(langs)})
    output.show(
        f"{file}: {found.document['title']['en']}, sha256 {found.event.hash[:16]}…, verified",
        f"{file}：{found.document['title']['zh']}，摘要 {found.event.hash[:16]}…，核对一致",
    )


def _with_stack(
    name: str, data: Path, output: Output, work: Callable[[Connection], Awaitable[None]]
) -> None:
    async def run() -> None:
        async with Connection.to_stack(data) as connection:
            await work(connection)

    with output.expected_errors(), traced(name):
        asyncio.run(run())


def _feeds(connection: Connection) -> "Feeds":
    from cli.letters.found import SERVICES

    return {service: connection.feed(service) for service in SERVICES}


async def _name(connection: Connection, found: "Found") -> str:
    """The addressee's name, read at the service that keeps it; empty once it was erased."""
    if found.event.provider:
        asked = provider_service_pb2.GetProviderRequest(provider=found.event.provider)
        return str((await connection.provider.GetProvider(asked)).provider_name)
    request = enrollment_service_pb2.GetPersonRequest(person=found.event.person)
    told = await connection.enrollment.GetPerson(request)
    return str(told.full_name)


def _check(file: Path) -> None:
    if file.suffix.lower() not in FORMATS:
        raise Failure(
            f"{file} is neither a page nor a PDF",
            f"{file} 既不是网页也不是 PDF",
            where="--output",
            right="FILE.html or FILE.pdf",
            code=BAD_INPUT,
        )


def _write(found: "Found", file: Path, langs: tuple[str, ...], name: str) -> None:
    from cli.letters.page import page_of
    from cli.letters.pdf import pdf_of

    print_it = pdf_of if file.suffix.lower() == ".pdf" else page_of
    try:
        file.write_bytes(print_it(found.document, found.event.hash, langs, name))
    except OSError as error:
        raise Failure(
            f"{file} cannot be written: {error.strerror}",
            f"无法写入 {file}：{error.strerror}",
            where="--output",
            code=BAD_INPUT,
        ) from error
