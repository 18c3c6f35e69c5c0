"""A whole case, told: explained, as a page, and as an archive that decides again."""

import base64
import dataclasses
import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import AsyncIterator, Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cli.case import timeline
from cli.explain.casefile import CaseFile, gather
from cli.explain.commands import feeds_of, run_dossier, run_explain
from cli.explain.dossier import render
from cli.explain.explanation import Explanation, explain
from cli.explain.found import find_decisions
from cli.explain.runnable import NEEDED_PACKAGES, code, write
from cli.output import Failure, Language, Output
from cli.replay import SERVICES
from infra.embedded.postgres import EmbeddedPostgres
from kernel.config import Settings
from kernel.replay import RawFact
from tests.explain.town import Town, town
from tests.support.postgres import fresh_database

LANGUAGES = ("zh", "en")


@pytest.fixture(scope="module")
async def living(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    dsn = await fresh_database(postgres)
    async with town(dsn, tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(scope="module")
async def case(living: Town) -> CaseFile:
    return await gather(living.connection, feeds_of(living.connection), living.person)


@pytest.fixture
def archive(case: CaseFile, tmp_path: Path) -> Path:
    file = tmp_path / "case.zip"
    write(case, file)
    return file


def told(case: CaseFile, event: str, lang: str = "en") -> list[Explanation]:
    found = [
        explain(one, case.library.facts, case.library.pack_of(one), lang) for one in case.decisions
    ]
    return [one for one in found if one.event == event]


# --- One decision ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["refused", "eligibility", "application", "rejected", "benefit"])
@pytest.mark.parametrize("lang", Language)
async def test_a_decision_is_found_by_its_id_and_told_in_both_languages(
    living: Town, name: str, lang: Language, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_explain(living.connection, living.ids[name], Output.of(lang))

    printed = capsys.readouterr().out
    assert "未核对" in printed or "not verified" in printed
    assert "{" not in printed


async def test_a_decision_is_found_by_its_place(living: Town, case: CaseFile) -> None:
    feeds = feeds_of(living.connection)
    for decision in case.decisions:
        [found] = await find_decisions(feeds, f"{decision.service}:{decision.position}")
        assert found.ref == decision.ref


@pytest.mark.parametrize(
    "said", ["enrollment:1", "enrollment:99999", "bank:1", "nonsense", "0" * 8]
)
async def test_what_is_no_decision_is_refused_with_what_would_be_right(
    living: Town, said: str
) -> None:
    with pytest.raises(Failure):
        await find_decisions(feeds_of(living.connection), said)


def test_a_refusal_says_what_would_change_it_and_to_whom_to_object(case: CaseFile) -> None:
    refused, _ = told(case, "EligibilityDecided")

    assert not refused.good
    assert refused.reasons == ("contribution not paid (NOT_PAID_UP)",)
    assert refused.changes == ("The contribution of the person or the employer for 2024.",)
    assert "Changzhou" in refused.objection[0]
    assert "period is not known" in refused.objection[0]
    assert refused.where in refused.objection[-1]


def test_the_period_of_a_review_is_that_of_the_pool_with_its_mark(case: CaseFile) -> None:
    [graded] = told(case, "AssessmentGraded")

    assert "within 5 working days" in graded.objection[0]
    assert "not verified" in graded.objection[1]


def test_a_cap_that_binds_is_told_with_what_is_above_it(case: CaseFile) -> None:
    [benefit] = told(case, "BenefitDetermined")

    # three visits at 600.00 = 1800.00, the cap of grade 3 is 1500.00
    assert ("the fund pays", "1,500.00 yuan") in benefit.amounts
    assert ("stays with the person", "300.00 yuan") in benefit.amounts
    assert any("300.00 yuan above the cap" in change for change in benefit.changes)
    arithmetic = [step.arithmetic for step in benefit.steps]
    assert any("1,800.00 yuan" in line and "→ 1,500.00 yuan" in line for line in arithmetic)


def test_facts_are_told_with_source_day_and_when_they_were_known(case: CaseFile) -> None:
    [rejected] = told(case, "ServiceRejected")

    plan = next(fact for fact in rejected.facts if fact.event == "PlanApproved")
    assert plan.where.startswith("provider:")
    assert plan.about == "1 April 2024"
    assert plan.known == "1 August 2024 09:00"
    assert "visits at home" in plan.says


def test_every_clause_says_whether_its_text_was_read(case: CaseFile) -> None:
    for lang, marks in (("en", ("verified", "not verified: ")), ("zh", ("已核对原文", "未核对："))):
        for decision in case.decisions:
            pack = case.library.pack_of(decision)
            it = explain(decision, case.library.facts, pack, lang)
            assert it.unverified == sum(not step.citation.verified for step in it.steps)
            for step in it.steps:
                assert step.citation.document
                assert step.citation.mark.startswith(marks[not step.citation.verified])


# --- The page ----------------------------------------------------------------------------------


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in {"href", "src", "action", "data", "poster"}:
                self.targets.append(value or "")
            if name == "id":
                self.anchors.add(value or "")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_needs_nothing_else_and_every_link_leads_somewhere(
    case: CaseFile, lang: str
) -> None:
    page = render(case, lang)

    links = _Links()
    links.feed(page)
    assert all(target.startswith("#") for target in links.targets)
    assert {target[1:] for target in links.targets} <= links.anchors
    assert not links.tags & {"script", "link", "img", "iframe"}
    assert not re.search(r"url\(|@import|https?:", page)
    assert not re.search(r"\{[a-z_]+\}", page.partition("</style>")[2])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_holds_every_event_and_decision_and_nothing_personal(
    case: CaseFile, lang: str
) -> None:
    page = render(case, lang)

    for entry in case.entries:
        assert f"{entry.fact.service}:{entry.fact.position}<" in page
    for decision in case.decisions:
        assert f'id="{decision.service}-{decision.position}"' in page
    for personal in ("王", "6222020000000001", "31779000"):
        assert personal not in page


def test_each_stream_is_computed_again_where_the_stores_can_be_read(case: CaseFile) -> None:
    assert case.streams
    assert all(check.computed and not check.broken_at for check in case.streams)
    assert case.wrong == 0


async def test_where_they_cannot_be_read_the_page_says_so(living: Town) -> None:
    variables = dict(living.connection.settings.variables)
    del variables["LTCI_DATABASE_URL"]
    far = type(living.connection)(Settings(variables))
    async with far:
        case = await gather(far, feeds_of(far), living.person)

    assert not any(check.computed for check in case.streams)
    assert "cannot be reached from here" in render(case, "en")


def test_a_decision_that_differs_now_is_named_on_the_page(case: CaseFile) -> None:
    from cli.explain.ltci_dossier.again import differences

    [benefit] = (one for one in case.decisions if one.type.endswith("BenefitDetermined/1"))
    facts = {k: fact for k, fact in case.library.facts.items() if k[0] != "assessment"}
    found = differences(benefit, facts, case.library.packs)
    place = (benefit.service, benefit.position)
    page = render(dataclasses.replace(case, replayed=case.replayed | {place: found}), "en")

    assert {one.what for one in found} == {"FACT_MISSING"}
    assert "made again: DIFFERS" in page


def test_a_damaged_ruling_does_not_keep_the_case_from_being_told(
    case: CaseFile, tmp_path: Path
) -> None:
    def damaged(fact: RawFact) -> RawFact:
        if not fact.type.endswith("BenefitDetermined/1"):
            return fact
        return dataclasses.replace(fact, payload=fact.payload.replace(b'"amounts"', b'"amountz"'))

    decisions = tuple(map(damaged, case.decisions))
    broken = dataclasses.replace(case, decisions=decisions)

    assert "cannot be read" in render(broken, "en")
    write(broken, tmp_path / "case.zip")


async def test_the_command_says_whether_all_is_whole(living: Town, tmp_path: Path) -> None:
    file = tmp_path / "case.html"
    output = Output.of(Language.ZH)
    assert await run_dossier(living.connection, living.person, file, output, runnable=False)
    assert 'lang="zh-CN"' in file.read_text(encoding="utf-8")
    with pytest.raises(Failure):
        await run_dossier(
            living.connection, living.person, tmp_path / "no" / "f", output, runnable=True
        )


# --- The archive that can be run -----------------------------------------------------------------


def run(*arguments: object, cwd: Path, packages: Path | None = None) -> tuple[int, str]:
    """Runs Python with nothing of this tree to be found: only the two packages it may need."""
    lines = [
        "import runpy, sys",
        "sys.path[:] = [p for p in sys.path if p != '' and not p.endswith('-packages')]",
        f"sys.path.append({str(packages)!r})" if packages else "pass",
        "target = sys.argv.pop(1)",
        "sys.path.insert(0, target)",
        "runpy.run_module('ltci_dossier', run_name='__main__')",
    ]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "\n".join(lines), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """protobuf and chinesecalendar, and nothing else."""
    folder, installed = tmp_path / "packages", Path(sysconfig.get_paths()["purelib"])
    (folder / "google").mkdir(parents=True)
    (folder / "google" / "protobuf").symlink_to(installed / "google" / "protobuf")
    (folder / "google" / "_upb").symlink_to(installed / "google" / "_upb")
    (folder / "chinese_calendar").symlink_to(installed / "chinese_calendar")
    return folder


def unpacked(archive: Path) -> Path:
    folder = archive.parent / "unpacked"
    with zipfile.ZipFile(archive) as found:
        found.extractall(folder)
    return folder


def altered(archive: Path, name: str, change: Callable[[dict[str, Any]], bool]) -> Path:
    """The unpacked dossier with the first line changed for which `change` says so."""
    folder = unpacked(archive)
    lines = [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]
    assert any(change(line) for line in lines)
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return folder


def test_the_archive_carries_all_code_but_two_packages() -> None:
    foreign = {name.partition(".")[0] for name in code().foreign} - {"cli", "google"}
    assert foreign - set(sys.stdlib_module_names) == {"chinese_calendar"}
    google = {name for name in code().foreign if name.startswith("google.")}
    assert all(name.startswith("google.protobuf") for name in google)
    assert NEEDED_PACKAGES == ("protobuf", "chinesecalendar")


def test_the_archive_gives_the_same_rulings_without_database_or_network(
    case: CaseFile, archive: Path, packages: Path
) -> None:
    for target in (archive, unpacked(archive)):
        status, said = run(target, cwd=archive.parent, packages=packages)
        assert status == 0, said
        assert f"{len(case.decisions)} decisions made again, 0 with differences" in said
        assert f"Rules run: {target}" in said


def test_the_archive_runs_by_its_own_name_and_inside_its_folder(archive: Path) -> None:
    folder = unpacked(archive)
    for arguments, cwd in (([str(archive)], archive.parent), (["-m", "ltci_dossier"], folder)):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=cwd, capture_output=True, check=False, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_an_altered_fact_is_named_with_its_decision(archive: Path, packages: Path) -> None:
    def other_price(line: dict[str, Any]) -> bool:
        if line["event"] != "PriceListed":
            return False
        payload = base64.b64decode(line["payload_base64"])
        line["payload_base64"] = base64.b64encode(payload.replace(b"bath", b"bata")).decode()
        return True

    folder = altered(archive, "facts.jsonl", other_price)
    status, said = run(folder, cwd=archive.parent, packages=packages)

    assert status == 1
    assert re.search(
        r"provider:\d+ ServiceDelivered: 不一致 DIFFERS\n  FACT_DIFFERS provider:\d+", said
    )


def test_an_altered_pack_is_named_with_its_decision(archive: Path, packages: Path) -> None:
    folder = unpacked(archive)
    for pack in (folder / "packs").iterdir():
        pack.write_bytes(pack.read_bytes().replace(b"150000", b"150001"))
    status, said = run(folder, cwd=archive.parent, packages=packages)

    assert status == 1
    assert re.search(r"BenefitDetermined: 不一致 DIFFERS\n  PACK_DIFFERS pack 320400@", said)


def test_an_altered_ruling_is_named_with_what_differs(archive: Path, packages: Path) -> None:
    def more_money(line: dict[str, Any]) -> bool:
        if line["event"] != "BenefitDetermined":
            return False
        payload = base64.b64decode(line["payload_base64"])
        changed = payload.replace(b'"personal_share":30000', b'"personal_share":10000')
        assert changed != payload
        line["payload_base64"] = base64.b64encode(changed).decode()
        return True

    folder = altered(archive, "decisions.jsonl", more_money)
    status, said = run(folder, cwd=archive.parent, packages=packages)

    assert status == 1
    assert "RULING_DIFFERS amounts.personal_share" in said


def test_a_missing_package_is_named(archive: Path) -> None:
    status, said = run(archive, cwd=archive.parent)

    assert status == 2
    assert "python -m pip install protobuf chinesecalendar" in said
    assert "Traceback" not in said


def test_the_same_case_gives_the_same_archive(case: CaseFile, archive: Path) -> None:
    again = archive.with_name("again.zip")
    write(case, again)
    assert again.read_bytes() == archive.read_bytes()


async def test_the_evidence_of_a_visit_is_a_line_of_its_case_for_machines(living: Town) -> None:
    feeds = {name: living.connection.feed(name) for name in SERVICES}
    lines = await timeline(feeds, living.person)

    [kept] = [line for line in lines if line.event == "EvidenceKept"]
    told = json.loads(json.dumps(kept.as_json()))["says"]
    assert len(told["digest"]) == 64
    assert told["findings"]["photos"][0]["sha256"] == (b"p" * 32).hex()
    assert "evidence" not in told
