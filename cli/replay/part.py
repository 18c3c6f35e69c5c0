"""Replays a stretch of one service's log in bounded memory: page by page, facts as needed."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from cli.replay.judge import (
    FROZEN,
    Frozen,
    Inputs,
    WrongPack,
    carries_ruling,
    difference,
    frozen_in,
    is_decision,
    judged,
    ruling_bytes,
)
from cli.replay.logs import PAGE, Entry, Log, Logs
from cli.replay.report import Difference, Report
from cli.replay.told import WITNESSES
from kernel.replay import RawFact
from kernel.rules.pack import Pack
from kernel.rules.reading import PackInvalid
from kernel.rules.ruling import Ruling

FACTS_KEPT = 10_000  # the plans, prices and registers that very many decisions stand on
AT_ONCE = 100  # decisions whose facts are fetched together


async def frozen_of(logs: Logs) -> Frozen:
    """What each settlement run knew."""
    return dict(
        [frozen_in(entry.fact.payload) async for entry in logs["payment"].of_types([FROZEN])]
    )


class Replayer:
    """Makes decisions again; keeps the packs and the facts used last."""

    def __init__(self, logs: Logs, frozen: Frozen) -> None:
        self._logs = logs
        self._frozen = frozen
        self._facts: OrderedDict[tuple[str, int], RawFact] = OrderedDict()
        self._packs: dict[tuple[str, str], Pack | WrongPack] = {}

    async def stretch(self, service: str, after: int, upto: int) -> Report:
        """Everything after a position, up to and with another: the log and its decisions."""
        report, log = Report(), self._logs[service]
        # The last event before says from which moment on these are.
        last = next(iter(await log.at([after])), None) if after else None
        for begin in range(after, upto, PAGE):
            end = min(begin + PAGE, upto)
            page = await log.between(begin, end)
            report.differences += in_order(service, page, last, begin, end)
            await self.decisions(service, page, report)
            last = page[-1] if page else last
        return report

    async def decisions(self, service: str, page: Sequence[Entry], report: Report) -> None:
        """Judges the decisions among these events."""
        decisions = [entry for entry in page if carries_ruling(service, entry.fact)]
        earlier = await self._earlier(service, page, decisions)
        for begin in range(0, len(decisions), AT_ONCE):
            some = [entry.fact for entry in decisions[begin : begin + AT_ONCE]]
            rulings = [_ruling(decision) for decision in some]
            facts = await self.fetched(rulings)
            for decision, ruling in zip(some, rulings, strict=True):
                inputs = Inputs(
                    facts=facts,
                    pack=await self.pack(service, ruling),
                    earlier=earlier.get(decision.position, ()),
                    frozen=self._frozen,
                )
                report.count_one(decision.type)
                report.differences += judged(decision, inputs)

    async def _earlier(
        self, service: str, page: Sequence[Entry], decisions: Sequence[Entry]
    ) -> dict[int, list[Entry]]:
        """For decisions that keep inputs by value: the events of their stream before them."""
        wanted = [entry for entry in decisions if entry.type in WITNESSES]
        if not wanted:
            return {}
        near: dict[str, list[Entry]] = {}
        for entry in page:
            near.setdefault(entry.stream, []).append(entry)
        # A stream whose beginning lies on an earlier page is read from the log.
        far = {entry.stream for entry in wanted if not _whole(entry, near[entry.stream])}
        if far:
            near |= await self._logs[service].streams(sorted(far))
        return {
            entry.position: [one for one in near[entry.stream] if one.version < entry.version]
            for entry in wanted
        }

    async def fetched(self, rulings: Iterable[Ruling | None]) -> dict[tuple[str, int], RawFact]:
        """The facts that these rulings name, by service and position."""
        wanted = {
            (ref.service, ref.position) for ruling in rulings if ruling for ref in ruling.facts
        }
        found: dict[tuple[str, int], RawFact] = {}
        missing: dict[str, list[int]] = {}
        for place in wanted:
            fact = self._facts.get(place)
            if fact is not None:
                self._facts.move_to_end(place)
                found[place] = fact
            elif place[0] in self._logs:
                missing.setdefault(place[0], []).append(place[1])
        for service, positions in missing.items():
            for entry in await self._logs[service].at(sorted(positions)):
                found[service, entry.position] = entry.fact
                # A decision is large, and a fact of few others: a visit of its month's benefit.
                if not is_decision(service, entry.type):
                    self._facts[service, entry.position] = entry.fact
        while len(self._facts) > FACTS_KEPT:
            self._facts.popitem(last=False)
        return found

    async def pack(self, service: str, ruling: Ruling | None) -> Pack | WrongPack:
        """The pack a ruling pins, as its service keeps it."""
        if ruling is None:
            return WrongPack("RULING_UNREADABLE", "")
        digest = ruling.pack.rpartition("@")[2]
        if (service, digest) not in self._packs:
            kept = await self._logs[service].pack(digest)
            self._packs[service, digest] = (
                WrongPack(kept.wrong, kept.found) if kept.content is None else _read(kept.content)
            )
        return self._packs[service, digest]


def in_order(
    service: str, page: Sequence[Entry], last: Entry | None, after: int, upto: int
) -> list[Difference]:
    """Where the log itself is not as it was recorded: gaps, order, hashes."""
    there = {entry.position for entry in page}
    found = [
        Difference(
            service=service,
            position=position,
            decision="",
            what="EVENT_MISSING",
            where=f"{service}:{position}",
            recorded="an event",
            found="nothing",
        )
        for position in range(after + 1, upto + 1)
        if position not in there
    ]
    versions: dict[str, tuple[int, int]] = {}
    for entry in page:
        where = f"{service}:{entry.position}"
        if entry.fault is not None:
            what, recorded, instead = entry.fault
            found.append(difference(entry.fact, what, where, recorded, instead))
        if last is not None and entry.fact.recorded_at < last.fact.recorded_at:
            told = (f"not before {last.fact.recorded_at}", f"{entry.fact.recorded_at}")
            found.append(difference(entry.fact, "ORDER_DIFFERS", where, *told))
        version, at = versions.get(entry.stream, (entry.version - 1, 0))
        if entry.version != version + 1 and entry.fault is None:
            told = (f"version {version + 1} after {at}", f"version {entry.version}")
            found.append(difference(entry.fact, "ORDER_DIFFERS", where, *told))
        versions[entry.stream] = (entry.version, entry.position)
        last = entry
    return found


def _whole(decision: Entry, stream: Sequence[Entry]) -> bool:
    """Whether all events before the decision are among these."""
    return sum(entry.version < decision.version for entry in stream) == decision.version - 1


def _read(content: bytes) -> Pack | WrongPack:
    try:
        return Pack.parse(content)
    except PackInvalid as error:
        return WrongPack("PACK_UNREADABLE", str(error))


def _ruling(decision: RawFact) -> Ruling | None:
    try:
        return Ruling.read(ruling_bytes(decision))
    except ValueError:
        return None


async def replay_entries(logs: Logs, log: Log, entries: Sequence[Entry], report: Report) -> None:
    """Judges some events of a log, without a look at the log's own order."""
    replayer = Replayer(logs, await frozen_of(logs))
    await replayer.decisions(log.service, entries, report)
