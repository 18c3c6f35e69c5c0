"""Shows what a conclusion would mean, before anybody decides it."""

from uuid import UUID

from kernel.calendar import Month
from kernel.clock import Clock
from kernel.pack_keeper import PackKeeper
from services.payment.application.reads import Benefits, Facts
from services.payment.domain import preview as p
from services.payment.domain.facts import Conclusion


class Previews:
    """Reads facts and benefits; writes nothing."""

    def __init__(self, clock: Clock, packs: PackKeeper, facts: Facts, benefits: Benefits) -> None:
        self._clock = clock
        self._packs = packs
        self._facts = facts
        self._benefits = benefits

    async def conclusion(self, person: UUID, pool: str, thought: Conclusion) -> p.Effect:
        """The effect of a conclusion on the months before the present one."""
        pack = await self._packs.pack_for(pool)
        facts = await self._facts.person_facts(pool, person)
        determined = await self._benefits.determined(pool, [person])
        return p.preview(
            person,
            pool,
            thought,
            facts=facts,
            determined=determined,
            pack=pack,
            upto=Month.of(self._clock.today()).previous(),
        )
