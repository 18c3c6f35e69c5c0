"""An explanation on the terminal: plain lines, the important ones first (终端输出)."""

from collections.abc import Iterator

from rich.text import Text

from cli.explain.explanation import Explanation
from cli.output import Output
from kernel.rules.telling import StepLine
from kernel.rules.wording import Wording


def print_explanation(told: Explanation, output: Output) -> None:
    """What was decided, then why, then what would change it and how to object."""
    wording = Wording(output.lang.value)
    for line, style in _lines(told, wording):
        output.out.print(Text(line, style=style), soft_wrap=True)


def _lines(told: Explanation, wording: Wording) -> Iterator[tuple[str, str]]:
    colon = "：" if wording.lang == "zh" else ": "
    yield from _head(told, wording, colon)
    yield f"\n{wording.phrase('facts')}", "bold"
    if not told.facts:
        yield f"  {wording.phrase('no_facts')}", ""
    for fact in told.facts:
        day = f" · {fact.about}" if fact.about else ""
        yield f"  {fact.where}  {fact.title}{day}", ""
        if fact.says:
            known = f"{wording.phrase('known_at')} {fact.known}"
            yield f"      {fact.says} · {known}", "dim"
    if told.asked:
        yield f"\n{wording.phrase('asked')}", "bold"
        yield "  " + wording.join(f"{name} {value}" for name, value in told.asked), ""
    yield f"\n{wording.phrase('steps')}", "bold"
    for number, step in enumerate(told.steps, 1):
        yield from _step(number, step, colon, wording)
    yield f"\n{wording.phrase('changes')}", "bold"
    if told.all_of_them:
        yield f"  {wording.phrase('all_of')}", ""
    for change in told.changes or (wording.phrase("no_change"),):
        yield f"  · {change}", ""
    yield f"\n{wording.phrase('objection')}", "bold"
    for sentence in told.objection:
        yield f"  {sentence}", ""
    yield (
        f"\n{wording.phrase('pack')} {told.pack} · {wording.phrase('code')} {told.code_version}",
        ("dim"),
    )


def _head(told: Explanation, wording: Wording, colon: str) -> Iterator[tuple[str, str]]:
    yield f"{told.title} · {told.outcome}", "bold green" if told.good else "bold red"
    subject = "about_visit" if told.event.startswith("Service") else "about_person"
    yield f"  {wording.phrase(subject)}{colon}{told.subject}", ""
    yield f"  {wording.phrase('pool')}{colon}{told.pool_name} ({told.pool})", ""
    yield f"  {wording.phrase('about_day')}{colon}{told.about}", ""
    yield f"  {wording.phrase('decided_at')}{colon}{told.known}", ""
    yield f"  {wording.phrase('recorded_as')}{colon}{told.where} {told.event}", ""
    if told.reasons:
        yield f"  {wording.phrase('reasons')}{colon}{wording.join(told.reasons)}", ""
    for name, amount in told.amounts:
        yield f"  {name}{colon}{amount}", ""
    if told.unverified:
        yield f"  ⚠ {wording.phrase('warning', count=str(told.unverified))}", "yellow"


def _step(number: int, step: StepLine, colon: str, wording: Wording) -> Iterator[tuple[str, str]]:
    mark = {"met": "✓", "not_met": "✗"}.get(step.verdict, "=")
    style = "red" if step.verdict == "not_met" else "yellow" if step.takes_away else ""
    yield f"  {number}. {mark} {step.sentence}", style
    yield f"       {step.arithmetic}", "dim"
    cited = step.citation
    parts = (cited.document, cited.article, cited.published)
    text = ", ".join(filter(None, parts)) or wording.phrase("no_document")
    yield f"       {wording.phrase('clause')}{colon}{text} [{step.clause}] · {cited.mark}", "dim"
