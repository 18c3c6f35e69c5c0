"""Nothing that is decided stays without words: every step of every ruling, in both languages."""

import ast
import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from google.protobuf import symbol_database

import services
from cli.catalogue import read_protos
from cli.explain.explanation import explain
from cli.explain.ltci_dossier.again import DECISIONS
from kernel.config import ROOT
from kernel.refusal import Refused
from kernel.replay import RawFact
from kernel.rules import benefit
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Step
from kernel.rules.sentences import Sentence, sentences, words_of
from kernel.rules.wording import table
from tests.explain.made import EVENTS, KINDS, Site, drawn, watched
from tests.rules import worked
from tests.support.packs import pack

VERDICTS = {"met", "not_met", "computed"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
QUESTIONS = {  # what a service's domain decides; a module with a QUESTION of its own decides that
    "enrollment": {"eligibility", "contribution_due", "transfer"},
    "assessment": {
        "grade",
        "admission",
        "assignment",
        "grade_change",
        "termination",
        "procedure",
        "objection",
        "review_grade",
        "review_fee",
        "appeal",
        "reassessment",
    },
    "provider": {
        "visit",
        "designation",
        "risk",
        "claim",
        "quality",
        "booking",
        "inspection",
        "inspection_appeal",
        "inspection_notice",
    },
    "payment": {"entitlement", "benefit"},
}


def sentence_of(question: str, step: Step) -> Sentence:
    found = sentences().of_step(question, step)
    assert found is not None, f"no sentence: {question}, {step.clause}, {step.label}, {step}"
    return found


def check_step(question: str, step: Step) -> None:
    found = sentence_of(question, step)
    known = {*step.inputs, "output", "title", "inputs"}
    texts = [found.text, *([found.change] if found.change else [])]
    for text in texts:
        assert text.places <= known, f"{step.clause}, {step.label}: {sorted(text.places - known)}"
    if step.verdict == "not_met":
        assert found.change is not None, f"{step.clause} does not say what would change it"
    if step.verdict == "computed" and takes_away(step):
        assert found.takes_away, f"{step.clause}, {step.label} takes away and does not say so"
        assert found.change is not None
    for name in step.inputs:
        assert is_named(name, step), f"no name for {name!r}, an input of {step.clause}"


def takes_away(step: Step) -> bool:
    """Less comes out than went in: by a cap, a cut, a share or a part of a month."""
    went_in = [step.inputs.get(name) for name in ("amount_fen", "eligible_cost_fen", "wanted")]
    if words_of(step) in {benefit.SPLIT, benefit.PER_DAY} or step.clause == OWN:
        return False
    out = step.output
    return isinstance(out, int) and any(isinstance(a, int) and out < a for a in went_in)


OWN = "payment.personal_share"  # says what stays with the person: told by a sentence of its own


def is_named(name: str, step: Step) -> bool:
    by_item = step.clause in {"provider.price_list", "assessment_standard.items"}
    return by_item or name.removesuffix("_fen") in table("fields")


@pytest.mark.parametrize("question", KINDS)
def test_every_step_that_is_reached_has_its_sentence(question: str) -> None:
    rulings = drawn()[0][question]

    assert len({(ruling.outcome, ruling.reasons) for ruling in rulings}) > 1
    for ruling in rulings:
        assert ruling.question == question
        assert sentences().of_outcome(ruling) is not None, ruling.outcome
        assert set(ruling.reasons) <= set(sentences().reasons)
        for step in ruling.steps:
            check_step(question, step)
            # Of a condition that holds, the other side has its words too.
            computed = step.verdict == "computed"
            assert computed or sentences().has(question, step.clause, "not_met"), step.clause


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("question", EVENTS)
def test_an_explanation_is_in_one_language_and_has_no_empty_place(question: str, lang: str) -> None:
    service = next(s for s, known in QUESTIONS.items() if question in known)
    type_ = next(t for t in DECISIONS[service] if f".{EVENTS[question]}/" in t)
    message_class: Any = symbol_database.Default().GetSymbol(type_.partition("/")[0])
    for ruling in drawn()[0][question]:
        payload = message_class(ruling=ruling.to_bytes()).SerializeToString()
        decision = RawFact(service, 1, type_, payload, datetime(2024, 7, 1, tzinfo=UTC))
        it = explain(decision, {}, pack(ruling.pool), lang)
        for text in [it.outcome, *it.changes, *(step.sentence for step in it.steps)]:
            assert not re.search(r"[{}]", text)
            assert (CHINESE.search(text) is not None) == (lang == "zh"), text
        assert len(it.objection) >= 2


# --- What no random case reached is found by reading the code -----------------------------------


def test_every_place_that_writes_a_step_is_reached_by_a_case() -> None:
    """A step in new code is either drawn by `made.py`, and so looked at above, or told here."""
    _, seen = drawn()
    missed = [
        f"{file}:{first}"
        for file, first, last in writing_places()
        if not any(site == file and first <= line <= last for site, line in seen.sites)
    ]
    assert missed == [], "write a case in tests/explain/made.py"


def writing_places() -> Iterator[tuple[str, int, int]]:
    """Calls of a trace's methods in the services' domains."""
    for path in sorted((ROOT / "services").glob("*/domain/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                on = ast.unparse(node.func.value)
                if node.func.attr in {*VERDICTS, "check"} and on.endswith("trace"):
                    yield str(path.relative_to(ROOT)), node.lineno, node.end_lineno or node.lineno


def domain_modules() -> Iterator[tuple[str, ModuleType]]:
    for found in pkgutil.walk_packages(services.__path__, "services."):
        parts = found.name.split(".")
        if len(parts) > 3 and parts[2] == "domain":
            yield parts[1], importlib.import_module(found.name)


def clauses() -> Iterator[tuple[str, str, Clause, set[str]]]:
    """Service, name, clause, and the verdicts that its module can write with it."""
    for service, module in domain_modules():
        source = ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))
        for name, value in vars(module).items():
            if isinstance(value, Clause):
                yield service, f"{module.__name__}.{name}", value, written_with(source, name)


def written_with(source: ast.Module, name: str) -> set[str]:
    verdicts: set[str] = set()
    told_elsewhere = False
    for node in ast.walk(source):
        if isinstance(node, ast.Call):
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(isinstance(one, ast.Name) and one.id == name for one in given):
                method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
                verdicts |= {method} & VERDICTS
                told_elsewhere |= method not in VERDICTS
        elif isinstance(node, ast.Tuple):
            told_elsewhere |= any(isinstance(o, ast.Name) and o.id == name for o in node.elts)
    return verdicts | ({"met", "not_met"} if told_elsewhere else set())


def test_every_clause_of_the_domains_has_its_sentences() -> None:
    silent = []
    for service, name, clause, verdicts in clauses():
        assert verdicts, f"{name} is not used, or in a way this test does not know"
        for verdict in verdicts:
            questions = QUESTIONS[service]
            if not any(sentences().has(one, clause.key, verdict) for one in questions):
                silent.append(f"{name} {clause.key} {verdict}")
    assert silent == []


def test_every_question_that_is_decided_is_known_here() -> None:
    asked = {
        vars(module)["QUESTION"] for _, module in domain_modules() if "QUESTION" in vars(module)
    }
    assert asked == set(KINDS) == set(table("questions"))


def test_every_word_of_the_formulas_has_its_sentence() -> None:
    known = {entry.words for entry in sentences().entries if "benefit" in entry.questions}
    assert [label for label in benefit.LABELS if label not in known] == []


@cache
def packs() -> dict[Path, Pack]:
    return {path.parent: Pack.load(path.parent) for path in sorted(ROOT.glob("rules/*/pool.toml"))}


def test_every_worked_case_of_every_pack_is_told_in_full() -> None:
    steps: list[Step] = []
    for folder, found in packs().items():
        for file in sorted(folder.glob("cases/*.toml")):
            for case in tomllib.loads(file.read_text(encoding="utf-8"))["cases"]:
                if case.get("kind", "benefit") != "benefit":
                    continue
                with watched() as seen:
                    try:
                        worked.benefit(found, case)
                    except Refused:
                        continue
                steps += seen.steps
    assert steps
    for step in steps:
        check_step("benefit", step)


# --- The sentences themselves ---------------------------------------------------------------------


def test_both_languages_say_something_of_their_own_and_with_the_same_values() -> None:
    for where, text in sentences().texts():
        assert CHINESE.search(text.zh), where
        assert text.en.strip(), where
        assert not CHINESE.search(text.en), where
        in_chinese, in_english = (
            set(re.findall(r"\{([^}]*)\}", one)) for one in (text.zh, text.en)
        )
        assert in_chinese == in_english, where


def test_whatever_refuses_or_takes_away_says_what_would_change_it() -> None:
    assert sentences().silent_refusals() == ()


def test_every_event_and_field_that_is_shown_has_a_name_in_both_languages() -> None:
    events, fields = table("events"), table("fields")
    nameless = []
    for file in read_protos().file:
        if not file.name.endswith("/events.proto"):
            continue
        for message in file.message_type:
            nameless += [message.name] * (message.name not in events)
            nameless += [
                f"{message.name}.{field.name}"
                for field in message.field
                if field.name not in {"ruling", "document", "bundle"} | PERSONAL
                and field.name.removesuffix("_fen") not in fields
            ]
    assert nameless == []


PERSONAL = {
    "identity_number", "full_name", "birth_date", "phone", "address", "agent_name", "certificate",
    "place", "holder_name", "account_number", "objector_name", "objector_contact", "statement",
    "reasoning",
}  # fmt: skip


def test_a_step_without_a_sentence_is_found() -> None:
    step = Step(
        clause="payment.new_rule", label="a new rule", inputs={"amount_fen": 2}, output=1,
        verdict="computed", citation="", verified=False,
    )  # fmt: skip
    with pytest.raises(AssertionError, match="no sentence"):
        check_step("benefit", step)


def test_a_place_that_nothing_reaches_is_found() -> None:
    reached: set[Site] = set()
    assert [place for place in writing_places() if place[:2] not in reached]
