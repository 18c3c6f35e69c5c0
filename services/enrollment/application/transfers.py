"""Insurance that moves between pools: offered, accepted, turned down (转移接续)."""

from uuid import UUID

from ltci.enrollment.v1 import transfer_service_pb2 as pb
from ltci.events.v1 import feed_pb2

from kernel.eventstore.envelope import Recorded
from kernel.eventstore.handle import Call, Work, code_version
from kernel.ids import derive
from kernel.refusal import NotFound, Refused
from kernel.rules.pack import Pack
from kernel.service import Parts
from services.enrollment import bundle as bundles
from services.enrollment import wire
from services.enrollment.application.merging import kept_in, one_person
from services.enrollment.application.streams import (
    COVERAGE,
    PERSON,
    TRANSFERS,
    contributions_stream,
    coverage_stream,
    life_stream,
    person_stream,
    transfer_stream,
)
from services.enrollment.brought import brought_by, manifest_of
from services.enrollment.domain import coverage as c
from services.enrollment.domain import transfer as t
from services.enrollment.domain import transferred as td
from services.enrollment.domain.merging import together


class Transfers:
    """Both sides of a transfer: this deployment may be the old pool's, the new one's, or both."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler
        self._store = parts.store
        self._codec = parts.codec
        self._packs = parts.packs
        self._clock = parts.clock
        self._keys = parts.keys
        self._trusted = parts.settings.transfer_keys | {parts.keys.public_key}

    async def offer(
        self,
        call: Call,
        person: UUID,
        pools: tuple[str, str],
        conclusions: list[feed_pb2.RecordedEvent],
    ) -> pb.TransferBundle:
        """The signed bundle. Refuses NotFound, NOT_COVERED, STILL_COVERED, SAME_POOL."""
        from_pool, to_pool = pools
        if from_pool == to_pool:
            raise Refused("SAME_POOL", pool=from_pool)

        async def work(run: Work) -> pb.TransferBundle:
            await _registered(run, person)
            persons = await one_person(person, kept_in(run))
            coverages = [await run.load(COVERAGE, coverage_stream(from_pool, p)) for p in persons]
            coverage = together(coverages)
            _, last = t.last_spell(coverage, from_pool)
            years = range(coverage.spells[0].first.year, last.year + 2)
            made = bundles.made(
                bundles.Offer(
                    transfer=derive("transfer", from_pool, to_pool, str(persons[0]), str(last)),
                    persons=persons,
                    from_pool=from_pool,
                    to_pool=to_pool,
                    offered_date=self._clock.today(),
                ),
                await self._events(from_pool, persons, years),
                conclusions,
                self._keys,
            )
            manifest = manifest_of(made)
            stream = transfer_stream(from_pool, person)
            offered = td.TransferOffered(
                transfer=UUID(manifest.transfer),
                person=person,
                from_pool=from_pool,
                to_pool=to_pool,
                last_insured_date=last,
                event_count=len(made.events),
                manifest_hash=bundles.manifest_hash(made),
                offered_date=self._clock.today(),
            )
            events = td.decide(offered, await run.load(TRANSFERS, stream))
            run.record(TRANSFERS, stream, from_pool, events)
            return made

        return await self._handler.execute(call, work, pb.TransferBundle)

    async def accept(self, call: Call, bundle: pb.TransferBundle, person: UUID) -> pb.Transfer:
        """Decides by the new pool's rules, and insures the person there. Refuses as the proto."""
        bundles.check(bundle, self._trusted)
        manifest = manifest_of(bundle)
        pack = self._packs.pack_for(manifest.to_pool)
        await self._store.put_pack(pack.hash, pack.pool, pack.content)

        async def work(run: Work) -> pb.Transfer:
            await _registered(run, person)
            stream = transfer_stream(manifest.to_pool, person)
            transfers = await run.load(TRANSFERS, stream)
            accepted, start = self._decided(bundle, manifest, person, pack)
            events = td.decide(accepted, transfers)
            run.record(TRANSFERS, stream, manifest.to_pool, events)
            if events:
                insured = coverage_stream(manifest.to_pool, person)
                coverage = await run.load(COVERAGE, insured)
                run.record(COVERAGE, insured, manifest.to_pool, c.decide(start, coverage))
            return wire.transfer(accepted)

        return await self._handler.execute(call, work, pb.Transfer)

    async def reject(
        self, call: Call, bundle: pb.TransferBundle, person: UUID, cause: str
    ) -> pb.Transfer:
        """Turns a bundle down, checked or not. Refuses BUNDLE_UNREADABLE, ACCEPTED_ALREADY."""
        manifest = manifest_of(bundle)
        rejected = td.TransferRejected(
            transfer=UUID(manifest.transfer),
            person=person,
            from_pool=manifest.from_pool,
            to_pool=manifest.to_pool,
            cause=cause,
            rejected_date=self._clock.today(),
        )

        async def work(run: Work) -> pb.Transfer:
            stream = transfer_stream(manifest.to_pool, person)
            events = td.decide(rejected, await run.load(TRANSFERS, stream))
            run.record(TRANSFERS, stream, manifest.to_pool, events)
            return wire.rejected(rejected)

        return await self._handler.execute(call, work, pb.Transfer)

    def _decided(
        self, bundle: pb.TransferBundle, manifest: pb.TransferManifest, person: UUID, pack: Pack
    ) -> tuple[td.TransferAccepted, c.StartCoverage]:
        question = t.Question(
            person=person,
            transfer=UUID(manifest.transfer),
            from_pool=manifest.from_pool,
            to_pool=manifest.to_pool,
            on_date=self._clock.today(),
            manifest_hash=bundles.manifest_hash(bundle),
            event_count=len(bundle.events),
        )
        brought = brought_by(bundle, self._codec)
        found = t.rule_transfer(question, brought, pack, code_version())
        concluded = found.conclusion
        accepted = td.TransferAccepted(
            transfer=question.transfer,
            person=person,
            from_pool=question.from_pool,
            to_pool=question.to_pool,
            start_date=found.start_date,
            insured_since_date=found.insured_since,
            months_counted=found.months_counted,
            grade_decision=found.grade_decision,
            grade=concluded.grade if concluded else 0,
            application=concluded.application if concluded else None,
            valid_until_date=concluded.valid_until_date if concluded else None,
            bundle=bundle.SerializeToString(deterministic=True),
            ruling=found.ruling.to_bytes(),
        )
        # Tier and statuses are those of the old pool's scheme: the new office tells its own.
        start = c.StartCoverage(
            person=person,
            pool=question.to_pool,
            group=found.spell.group,
            start_date=found.start_date,
        )
        return accepted, start

    async def _events(self, pool: str, persons: tuple[UUID, ...], years: range) -> list[Recorded]:
        """The whole streams of all who are one, and what was taken over from pools before."""
        streams = [
            stream
            for person in persons
            for stream in (
                coverage_stream(pool, person),
                life_stream(person),
                transfer_stream(pool, person),
                *(contributions_stream(pool, person, year) for year in years),
            )
        ]
        found = await self._store.read_streams(streams)
        accepted = self._codec.type_name(td.TransferAccepted)
        return [
            recorded
            for told in found.values()
            for recorded in told
            if recorded.category != TRANSFERS.category or recorded.type == accepted
        ]


async def _registered(run: Work, person: UUID) -> None:
    if (await run.load(PERSON, person_stream(person))).registered is None:
        raise NotFound("person", person)
