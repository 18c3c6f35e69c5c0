"""Runs a pool's history under a draft pack and under the packs pinned, side by side."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from cli.output import Failure
from cli.replay.judge import WrongPack
from cli.replay.logs import Logs
from cli.replay.part import AT_ONCE, Replayer
from cli.whatif.compare import Comparison
from cli.whatif.history import PoolHistory, Range, decisions, read_history
from cli.whatif.rerun import Rerun
from kernel.replay import RawFact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.payment.domain.facts import Conclusion

Progress = Callable[[int, int], None]  # people done, people in all
_ENTITLEMENT = "entitlement"


@dataclass
class _Both:
    """The run under the draft, the run that must change nothing, and what they come to."""

    draft: Rerun
    pinned: Rerun
    found: Comparison


async def whatif(
    logs: Logs, draft: Pack, within: Range, progress: Progress | None = None
) -> Comparison:
    """All decisions of the draft's pool in the range, as they are and as they would be."""
    history = await read_history(logs, draft.pool)
    replayer = Replayer(logs, history.frozen)
    pinned: dict[str, Pack] = {}
    for benefit in history.benefits.values():
        await _keep_pack(pinned, replayer, "payment", benefit.ruling)
    both = _Both(
        Rerun(history, within, lambda _: draft),
        Rerun(history, within, pinned.__getitem__),
        Comparison(),
    )
    await _decisions(logs, replayer, both, pinned, (draft.pool, within))
    both.found.without_facts = len(both.draft.effects.admitted)
    _months(history, both, progress)
    return both.found


async def _decisions(
    logs: Logs,
    replayer: Replayer,
    both: _Both,
    pinned: dict[str, Pack],
    where: tuple[str, Range],
) -> None:
    """Everything but benefits, in the order in which decisions stand on one another."""
    waiting: list[tuple[str, RawFact, Ruling]] = []
    async for service, decision, ruling in decisions(logs, *where):
        await _keep_pack(pinned, replayer, service, ruling)
        waiting.append((service, decision, ruling))
        if len(waiting) == AT_ONCE:
            await _some(replayer, both, waiting)
            waiting = []
    await _some(replayer, both, waiting)


async def _some(
    replayer: Replayer, both: _Both, waiting: list[tuple[str, RawFact, Ruling]]
) -> None:
    facts = await replayer.fetched(
        [ruling for _, _, ruling in waiting if ruling.question != _ENTITLEMENT]
    )
    for service, decision, ruling in waiting:
        name = f"{service}:{decision.position}"
        if ruling.question == _ENTITLEMENT:
            was, now = both.pinned.entitlement(ruling), both.draft.entitlement(ruling)
        else:
            try:
                used = [facts[ref.service, ref.position] for ref in ruling.facts]
            except KeyError:
                raise _not_as_recorded(name) from None
            was = both.pinned.decision(service, decision, ruling, used)
            now = both.draft.decision(service, decision, ruling, used)
        both.found.zero.hold(name, ruling, was)
        both.found.take(ruling.question, ruling, now)


def _months(history: PoolHistory, both: _Both, progress: Progress | None) -> None:
    people = [
        person
        for person, facts in sorted(history.facts.items())
        if any(isinstance(fact, Conclusion) for fact in facts) or both.draft.effects.touches(person)
    ]
    if history.last_pin:
        for done, person in enumerate(people, 1):
            _person(history, both, person)
            if progress is not None:
                progress(done, len(people))


def _person(history: PoolHistory, both: _Both, person: UUID) -> None:
    for was, now in zip(both.pinned.months(person), both.draft.months(person), strict=True):
        both.found.zero.hold(f"benefit {person} {was.month}", was.recorded, was.again)
        both.found.take_month(now, history.group(person, now.month.last))


async def _keep_pack(
    pinned: dict[str, Pack], replayer: Replayer, service: str, ruling: Ruling
) -> None:
    if ruling.pack in pinned:
        return
    pack = await replayer.pack(service, ruling)
    if isinstance(pack, WrongPack):
        raise _not_as_recorded(f"pack {ruling.pack}")
    pinned[ruling.pack] = pack


def _not_as_recorded(what: str) -> Failure:
    return Failure(
        f"{what} is not as recorded",
        f"{what} 与记录不符",
        right="`ltci replay --all` names what differs",
        right_zh="`ltci replay --all` 会指出差异",
        reason="HISTORY_DIFFERS",
    )
