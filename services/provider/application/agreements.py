"""Use cases around providers and caregivers."""

from datetime import datetime
from uuid import UUID

from ltci.provider.v1 import provider_service_pb2 as pb

from kernel.eventstore.handle import Call, Handler, Work
from kernel.refusal import NotFound
from services.provider.application.streams import (
    CAREGIVER,
    PROVIDER,
    caregiver_stream,
    provider_stream,
)
from services.provider.domain import caregiver, provider
from services.provider.wire import provider_answer


class Agreements:
    """Admits providers, keeps their lists and their caregivers."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def change(self, call: Call, command: provider.Command) -> pb.Provider:
        """Admits a provider, lists a price or suspends the agreement."""
        stream = provider_stream(command.provider)

        async def work(work: Work) -> pb.Provider:
            state = await work.load(PROVIDER, stream)
            events = provider.decide(command, state)
            pool = _pool(command, state)
            return provider_answer(work.record(PROVIDER, stream, pool, events))

        return await self._handler.execute(call, work, pb.Provider)

    async def find(self, name: UUID, known_at: datetime | None = None) -> pb.Provider:
        """The provider as known now, or at a moment. Refuses NOT_FOUND."""
        stream = provider_stream(name)
        state, version = await self._handler.load_known(PROVIDER, stream, known_at)
        if not version:
            raise NotFound("provider", name)
        return provider_answer(state)

    async def register(self, call: Call, command: caregiver.RegisterCaregiver) -> pb.Caregiver:
        """Puts a caregiver on the register. Refuses NOT_FOUND for an unknown provider."""
        stream = caregiver_stream(command.caregiver)

        async def work(work: Work) -> pb.Caregiver:
            employer = await work.load(PROVIDER, provider_stream(command.provider))
            if employer.admitted is None:
                raise NotFound("provider", command.provider)
            state = await work.load(CAREGIVER, stream)
            events = caregiver.decide(command, state)
            state = work.record(CAREGIVER, stream, employer.admitted.pool, events)
            since = state.since(command.provider)
            return pb.Caregiver(
                caregiver=str(command.caregiver),
                provider=str(command.provider),
                registered_date=since.isoformat() if since else "",
            )

        return await self._handler.execute(call, work, pb.Caregiver)


def _pool(command: provider.Command, state: provider.Provider) -> str:
    if isinstance(command, provider.AdmitProvider):
        return command.pool
    return state.admitted.pool if state.admitted else ""
