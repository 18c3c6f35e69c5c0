"""A ruling's steps, its outcome and what would change it, told in one language (裁定说明). Pure.

Explanations, dossiers and letters say it through this module, so that they say the same. Nothing
is decided again; a step nobody wrote a sentence for says its label and its values.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kernel.rules.figure import Figure
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, Step
from kernel.rules.sentences import Sentence, Text, sentences
from kernel.rules.wording import Wording


@dataclass(frozen=True, kw_only=True)
class Citation:
    """The text a clause rests on, as far as it is known, and whether it was read."""

    document: str
    article: str
    published: str
    mark: str  # "verified (…)", or "not verified: …"
    plain_mark: str  # the same without the pack's remark, which is in one language only
    verified: bool


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """One clause applied."""

    title: str
    sentence: str
    verdict: str
    verdict_word: str
    takes_away: bool
    clause: str
    citation: Citation
    arithmetic: str


def tell_outcome(ruling: Ruling, wording: Wording) -> str:
    """What was decided; the outcome's own word where nobody wrote a sentence."""
    outcome = sentences().of_outcome(ruling)
    if outcome is None:
        return ruling.outcome
    grade = ruling.outcome.removeprefix("grade_")
    values = dict(ruling.asked) | ({"grade": int(grade)} if grade.isdecimal() else {})
    return outcome.text.filled(wording.lang, values, wording.value)


def tell_step(ruling: Ruling, step: Step, pack: Pack | None, wording: Wording) -> StepLine:
    """A step with its sentence, its text and its arithmetic."""
    sentence = sentences().of_step(ruling.question, step)
    figure = _figure(step, pack)
    title = wording.titled(figure.title if figure else step.label.partition(":")[0])
    unit = sentence.unit if sentence else _guessed_unit(step)
    return StepLine(
        title=title,
        sentence=_said(step, sentence, title, unit, wording),
        verdict=step.verdict,
        verdict_word=wording.verdict(step.verdict),
        takes_away=sentence.takes_away if sentence else step.verdict == "not_met",
        clause=step.clause,
        citation=_citation(step, figure, pack, wording),
        arithmetic=_arithmetic(step, unit, wording),
    )


def _said(step: Step, sentence: Sentence | None, title: str, unit: str, wording: Wording) -> str:
    if sentence is None:
        return f"{step.label} {wording.phrase('no_sentence')}"
    return _filled(sentence.text, step, title, unit, wording)


def _filled(text: Text, step: Step, title: str, unit: str, wording: Wording) -> str:
    def say(name: str, value: str | int) -> str:
        if name == "title":
            return title
        if name == "inputs":
            return _in_brackets(step, unit, wording)
        return wording.output(unit, value) if name == "output" else wording.value(name, value)

    return text.filled(wording.lang, {**step.inputs, "output": step.output}, say)


def _arithmetic(step: Step, unit: str, wording: Wording) -> str:
    """Inputs, an arrow, the output. What a price list sums is named by its items, in fen."""
    parts = _inputs(step, unit, wording)
    if step.verdict == "computed":
        result = wording.output(unit, step.output)
    else:
        result = wording.verdict(step.verdict)
    return f"{wording.join(parts)} → {result}" if parts else f"→ {result}"


def _inputs(step: Step, unit: str, wording: Wording) -> list[str]:
    parts = []
    for name, value in step.inputs.items():
        if unit == "fen" and type(value) is int and not wording.is_named(name):
            parts.append(f"{name} {wording.money(value)}")
        else:
            parts.append(wording.pair(name, value))
    return parts


def _in_brackets(step: Step, unit: str, wording: Wording) -> str:
    parts = _inputs(step, unit, wording)
    if not parts:
        return ""
    told = wording.join(parts)
    return f"（{told}）" if wording.lang == "zh" else f" ({told})"


def _guessed_unit(step: Step) -> str:
    return "fen" if any(name.endswith("_fen") for name in step.inputs) else ""


def _figure(step: Step, pack: Pack | None) -> Figure | None:
    """The pack's figure that the step cites; None where the clause has no figure."""
    history: Sequence[Figure] = pack.history(step.clause) if pack else ()
    wanted = (step.citation, step.verified)
    return next((one for one in history if (one.citation, one.verified) == wanted), None)


def _citation(step: Step, figure: Figure | None, pack: Pack | None, wording: Wording) -> Citation:
    parts = _cited_parts(step, pack) if figure else None
    plain, note = mark_of(step.verified, figure, wording), ""
    if not step.verified and figure and figure.note:
        note = f" – {figure.note}"
    return Citation(
        document=parts["document"] if parts else step.citation,
        article=parts["article"] if parts else "",
        published=parts["published"] if parts else "",
        mark=plain + note,
        plain_mark=plain,
        verified=step.verified,
    )


def mark_of(verified: bool, figure: Figure | None, wording: Wording) -> str:
    """Whether a text was read, and where it is known from."""
    if verified:
        return wording.phrase("verified") + (f" ({wording.mark(figure.source)})" if figure else "")
    told = wording.mark(figure.source if figure else "none")
    colon = "：" if wording.lang == "zh" else ": "
    return f"{wording.phrase('not_verified')}{colon}{told}"


def _cited_parts(step: Step, pack: Pack | None) -> dict[str, str] | None:
    """Document, article and day of publication apart, as the pack's own text keeps them."""
    told: Any = json.loads(pack.content)["files"] if pack else {}
    for part in step.clause.split("."):
        told = told.get(part, {}) if isinstance(told, dict) else {}
    values = told.get("values", ()) if isinstance(told, dict) else ()
    for value in values:
        cited = value.get("citation", {})
        if _joined(cited) == step.citation:
            return {name: str(cited.get(name, "")) for name in ("document", "article", "published")}
    return None


def _joined(cited: Mapping[str, str]) -> str:
    return ", ".join(filter(None, (cited.get(n) for n in ("document", "article", "published"))))


def tell_changes(
    ruling: Ruling, pack: Pack | None, wording: Wording
) -> tuple[tuple[str, ...], bool]:
    """What the steps that refuse or take away say would change them; each once, in their order."""
    found: dict[str, None] = {}
    refusing = 0
    for step in ruling.steps:
        sentence = sentences().of_step(ruling.question, step)
        if sentence is None or sentence.change is None:
            continue
        figure = _figure(step, pack)
        title = wording.titled(figure.title if figure else step.label.partition(":")[0])
        said = _filled(sentence.change, step, title, sentence.unit, wording)
        refusing += step.verdict == "not_met" and said not in found
        found[said] = None
    return tuple(found), refusing > 1
