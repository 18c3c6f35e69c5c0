"""A person's letters, listed and printed: from a case that four real services lived."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ltci.events.v1 import feed_pb2

from cli.explain.casefile import gather
from cli.explain.commands import feeds_of
from cli.explain.dossier import render
from cli.letters.commands import run_letter, run_letters
from cli.letters.found import Found, letter_of, letters_of
from cli.output import Failure, Language, Output
from infra.embedded.postgres import EmbeddedPostgres
from kernel.letters.event import TYPE
from tests.explain.town import SOMEBODY, Town, town
from tests.support.postgres import fresh_database


@pytest.fixture(scope="module")
async def living(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    dsn = await fresh_database(postgres)
    async with town(dsn, tmp_path_factory.mktemp("letters")) as found:
        yield found


@pytest.fixture(scope="module")
async def letters(living: Town) -> list[Found]:
    return await letters_of(feeds_of(living.connection), living.person)


def named(letters: list[Found], kind: str) -> Found:
    return next(one for one in letters if one.event.kind == kind)


async def printed(living: Town, letter: Found, file: Path, **how: Any) -> bytes:
    output = Output.of(Language.EN)
    await run_letter(living.connection, letter.event.letter, file, output, **how)
    return file.read_bytes()  # noqa: ASYNC240 - a small file of the test's own


async def test_a_persons_letters_are_listed_in_the_order_they_were_issued(
    living: Town, letters: list[Found], capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = [one.event.kind for one in letters]
    assert kinds[:3] == ["acceptance", "conclusion", "entitlement_opened"]

    await run_letters(living.connection, living.person, Output.of(Language.ZH))

    shown = capsys.readouterr().out
    for one in letters:
        assert one.event.letter in shown
        assert one.document["number"]["zh"] in shown
        assert (await letter_of(feeds_of(living.connection), one.event.letter)).event == one.event


async def test_a_page_needs_nothing_else_and_says_its_own_digest(
    living: Town, letters: list[Found], tmp_path: Path
) -> None:
    letter = named(letters, "conclusion")

    page = (await printed(living, letter, tmp_path / "letter.html")).decode()

    assert not re.search(r"(?:src|href)=|url\(|@import|https?://", page)
    for pair in (letter.document["title"], letter.document["number"]):
        assert pair["zh"] in page
        assert pair["en"] in page
    assert letter.event.hash in page
    assert letter.document["office"]["zh"] in page
    assert letter.document["officer"] in page
    assert letter.document["remedies"][0]["text"]["zh"] in page
    only = (await printed(living, letter, tmp_path / "en.html", only=Language.EN)).decode()
    assert letter.document["title"]["zh"] not in only


async def test_the_name_is_on_the_paper_only_where_it_was_asked_for(
    living: Town, letters: list[Found], tmp_path: Path
) -> None:
    letter = named(letters, "conclusion")

    without = await printed(living, letter, tmp_path / "without.html")
    with_it = await printed(living, letter, tmp_path / "with.html", with_name=True)

    name = SOMEBODY.full_name.encode()
    assert name not in without
    assert name in with_it
    for one in letters:
        assert name not in one.event.document
        assert SOMEBODY.identity_number.encode() not in one.event.SerializeToString()


async def test_every_letter_prints_as_a_pdf_that_is_the_same_each_time(
    living: Town, letters: list[Found], tmp_path: Path
) -> None:
    for place, one in enumerate(letters):
        first = await printed(living, one, tmp_path / f"{place}.pdf", with_name=True)
        again = await printed(living, one, tmp_path / f"{place}-again.pdf", with_name=True)
        assert first.startswith(b"%PDF-")
        assert b"STSong-Light" in first
        assert first == again


@pytest.mark.parametrize("told", ["nonsense", "00000000-0000-8000-8000-000000000000"])
async def test_a_letter_that_is_not_there_is_said_to_be_unknown(
    living: Town, told: str, tmp_path: Path
) -> None:
    with pytest.raises(Failure, match="no letter has the id"):
        await run_letter(living.connection, told, tmp_path / "x.html", Output.of(Language.EN))


async def test_a_letter_is_neither_a_text_nor_a_picture(
    living: Town, letters: list[Found], tmp_path: Path
) -> None:
    with pytest.raises(Failure, match="neither a page nor a PDF"):
        await printed(living, letters[0], tmp_path / "letter.docx")


class Altered:
    """A feed whose letters somebody wrote over."""

    def __init__(self, feed: Any) -> None:
        self._feed = feed

    async def ReadEvents(self, request: Any) -> Any:  # noqa: N802 - the name in the proto
        answer = await self._feed.ReadEvents(request)
        for event in answer.events:
            event.payload = event.payload.replace("评估结论".encode(), "评估结果".encode())
        return feed_pb2.ReadEventsResponse(events=answer.events)


async def test_a_letter_that_was_written_over_is_not_printed(
    living: Town, letters: list[Found]
) -> None:
    letter = named(letters, "conclusion")
    feeds = {name: Altered(feed) for name, feed in feeds_of(living.connection).items()}

    damaged = await letter_of(feeds, letter.event.letter)

    with pytest.raises(Failure) as caught:
        assert damaged.document
    assert caught.value.reason == "LETTER_DAMAGED"


async def test_letters_stand_in_the_dossiers_timeline(living: Town, letters: list[Found]) -> None:
    case = await gather(living.connection, feeds_of(living.connection), living.person)

    page = render(case, "zh")

    assert sum(entry.fact.type == TYPE for entry in case.entries) == len(letters)
    assert page.count("文书出具") >= len(letters)
    assert "评估结论书" in page
    assert case.wrong == 0
