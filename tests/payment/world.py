"""Payment among its neighbours: real stores and feeds of the other three, and the real bank."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.message import Message
from ltci.assessment.v1 import events_pb2 as assessment_pb
from ltci.bank.v1 import bank_service_pb2 as bank_pb
from ltci.bank.v1 import bank_service_pb2_grpc as bank_grpc
from ltci.enrollment.v1 import contribution_types_pb2 as contribution_types
from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.enrollment.v1 import events_pb2 as enrollment_pb
from ltci.payment.v1 import payment_service_pb2 as pb
from ltci.payment.v1 import payment_service_pb2_grpc as pb_grpc
from ltci.payment.v1 import preview_service_pb2_grpc as preview_grpc
from ltci.provider.v1 import events_pb2 as provider_pb
from ltci.provider.v1 import provider_types_pb2 as provider_types

from infra.bank.books import Books
from infra.bank.rpc import BankServicer
from kernel.clock import Clock
from kernel.config import Settings
from kernel.eventstore.envelope import Append, Meta, NewEvent, StreamAppend
from kernel.eventstore.keys import read_master_key
from kernel.eventstore.postgres import EventStore
from kernel.ids import derive, new_id, stream_id
from kernel.rpc.channel import connect
from kernel.rpc.server import Add, RunningServer, start_server
from kernel.service import Assembled, assembled
from services.payment.__main__ import build
from services.payment.codec import payment_codec
from tests.support.service import TODAY, set_clock

SERVICES = ("enrollment", "assessment", "provider")
HOME = derive("provider", "home")


def person_number(number: int) -> UUID:
    return derive("person", f"world {number}")


class BankDesk:
    """The bank's server, which can be closed and opened again; its books stay."""

    def __init__(self, add: Add) -> None:
        self._add = add
        self._server: RunningServer | None = None
        self.port = 0

    async def open(self) -> None:
        self._server = await start_server("bank", f"127.0.0.1:{self.port}", self._add)
        self.port = self._server.port

    async def close(self) -> None:
        if self._server is not None:
            await self._server.stop(0.1)
            self._server = None


@dataclass
class World:
    """The other services' logs to write in, payment's methods to call, the bank to set up."""

    stores: dict[str, EventStore]
    service: Assembled
    stub: Any
    bank: Any
    desk: "BankDesk"
    folder: Path
    previews: Any = None
    versions: dict[UUID, int] = field(default_factory=dict)

    async def tell(
        self, service: str, category: str, key: tuple[str, ...], pool: str, event: Message
    ) -> int:
        """Writes an event in another service's log, as that service would; its position."""
        stream = stream_id(category, *key)
        version = self.versions.get(stream, 0)
        request_id = new_id()
        new = NewEvent(
            type=f"{event.DESCRIPTOR.full_name}/1",
            payload=event.SerializeToString(deterministic=True),
        )
        appended = await self.stores[service].append(
            Append(
                request_id=request_id,
                fingerprint=b"test",
                answer=b"",
                streams=(StreamAppend(stream, category, pool, version, (new,)),),
                meta=Meta(request_id, "test", "", "test"),
            )
        )
        self.versions[stream] = version + 1
        return appended.last_position

    async def conclude(
        self, person: UUID, pool: str, effective: str, grade: int = 3, *, eligible: bool = True
    ) -> int:
        application = derive("application", str(person), effective)
        first = date.fromisoformat(effective)
        event = assessment_pb.ConclusionDelivered(
            application=str(application),
            person=str(person),
            pool=pool,
            grade=grade,
            grade_eligible=eligible,
            conclusion_date=date.fromordinal(first.toordinal() - 10).isoformat(),
            effective_date=effective,
            valid_until_date=first.replace(year=first.year + 2).isoformat(),
        )
        return await self.tell("assessment", "application", (str(application),), pool, event)

    async def plan(self, person: UUID, pool: str, form: str, start: str = "2024-01-01") -> str:
        name = str(derive("plan", str(person), start))
        event = provider_pb.PlanApproved(
            plan=name,
            person=str(person),
            pool=pool,
            provider=str(HOME),
            form=provider_types.CareForm.Value(f"CARE_FORM_{form.upper()}"),
            start_date=start,
        )
        await self.tell("provider", "plan", (name,), pool, event)
        return name

    async def deliver(self, person: UUID, pool: str, plan: str, on: str, cost_fen: int) -> int:
        visit = str(derive("visit", plan, on))
        event = provider_pb.ServiceDelivered(
            visit=visit,
            plan=plan,
            person=str(person),
            pool=pool,
            provider=str(HOME),
            care_date=on,
            minutes=60,
            cost_fen=cost_fen,
            ruling=b"{}",
        )
        return await self.tell("provider", "visit", (visit,), pool, event)

    async def live(self, person: UUID, pool: str, kind: str, on: str) -> int:
        event = enrollment_pb.LifeEventReported(
            life_event=str(derive("life", str(person), kind, on)),
            person=str(person),
            pool=pool,
            kind=enrollment_types.LifeEventKind.Value(f"LIFE_EVENT_KIND_{kind.upper()}"),
            event_date=on,
        )
        return await self.tell("enrollment", "life", (str(person),), pool, event)

    async def contribute(self, person: UUID, pool: str, fen: int, source: str = "person") -> int:
        event = enrollment_pb.ContributionCollected(
            contribution=str(new_id()),
            person=str(person),
            pool=pool,
            source=enrollment_types.ContributionSource.Value(
                f"CONTRIBUTION_SOURCE_{source.upper()}"
            ),
            amount_fen=fen,
            year=2024,
            paid_date="2024-01-05",
        )
        return await self.tell(
            "enrollment", "contributions", (pool, str(person), "2024"), pool, event
        )

    async def give_back(self, person: UUID, pool: str, fen: int, source: str = "person") -> int:
        event = enrollment_pb.ContributionRefunded(
            refund=str(new_id()),
            person=str(person),
            pool=pool,
            year=2024,
            source=enrollment_types.ContributionSource.Value(
                f"CONTRIBUTION_SOURCE_{source.upper()}"
            ),
            amount_fen=fen,
            cause=contribution_types.REFUND_CAUSE_OVERPAID,
            refunded_date="2024-06-05",
        )
        return await self.tell("enrollment", "account", (pool, str(person), "2024"), pool, event)

    # -- payment as a caller sees it -----------------------------------------------------------

    async def account(self, payee: str, number: str = "6222020000000001") -> Any:
        return await self.stub.RegisterPayee(
            pb.RegisterPayeeRequest(
                payee=payee,
                holder_name="王试一",
                account_number=number,
                registered_date="2024-01-01",
                request_id=str(new_id()),
            )
        )

    async def treat(self, account: str, behaviour: str) -> None:
        """The bank treats the account so from now on."""
        await self.bank.SetAccountBehaviour(
            bank_pb.SetAccountBehaviourRequest(
                account_number=account,
                behaviour=bank_pb.Behaviour.Value(f"BEHAVIOUR_{behaviour}"),
                request_id=str(new_id()),
            )
        )

    async def settle(self, pool: str, month: str, *, chunk_size: int = 0) -> Any:
        """Carries a month to its end; the closed settlement."""
        await self.freeze(pool, month)
        await self.determine(pool, month, chunk_size=chunk_size)
        return await self.stub.CloseSettlement(
            pb.CloseSettlementRequest(pool=pool, month=month, request_id=str(new_id()))
        )

    async def freeze(self, pool: str, month: str) -> Any:
        """Opens a month and fixes what counts."""
        await self.stub.OpenSettlement(
            pb.OpenSettlementRequest(pool=pool, month=month, request_id=str(new_id()))
        )
        return await self.stub.FreezeSettlement(
            pb.FreezeSettlementRequest(pool=pool, month=month, request_id=str(new_id()))
        )

    async def determine(self, pool: str, month: str, *, chunk_size: int = 0) -> list[Any]:
        """All chunks, one after the other."""
        answers: list[Any] = []
        after = ""
        while not answers or after:
            answer = await self.stub.DetermineBenefits(
                pb.DetermineBenefitsRequest(
                    pool=pool,
                    month=month,
                    after_person=after,
                    chunk_size=chunk_size,
                    request_id=str(new_id()),
                )
            )
            answers.append(answer)
            after = answer.next_after_person
        return answers

    async def benefits(self, pool: str) -> list[Any]:
        page = await self.stub.ListBenefits(pb.ListBenefitsRequest(pool=pool))
        return list(page.benefits)

    async def send(self, batch: str) -> Any:
        return await self.stub.SendInstructions(
            pb.SendInstructionsRequest(batch=batch, request_id=str(new_id()))
        )

    async def enquire(self, batch: str) -> Any:
        return await self.stub.EnquireInstructions(
            pb.EnquireInstructionsRequest(batch=batch, request_id=str(new_id()))
        )

    async def reissue(self, batch: str) -> Any:
        return await self.stub.ReissueInstructions(
            pb.ReissueInstructionsRequest(batch=batch, request_id=str(new_id()))
        )

    async def statement(self, pool: str) -> list[Any]:
        """The fund's bookings at the bank."""
        page = await self.bank.ListStatementLines(bank_pb.ListStatementLinesRequest(pool=pool))
        return list(page.lines)

    async def instructions(self, pool: str) -> list[Any]:
        page = await self.stub.ListInstructions(pb.ListInstructionsRequest(pool=pool))
        return list(page.instructions)

    async def fund(self, pool: str) -> Any:
        return await self.stub.GetFund(pb.GetFundRequest(pool=pool))

    async def caught_up(self) -> None:
        """All read models hold all there is, the other services' included."""
        for runner in self.service.runners:
            await runner.caught_up(10)

    async def events(self, *types: str) -> list[Any]:
        """What payment recorded, decoded; of these types only."""
        codec, store = self.service.parts.codec, self.service.parts.store
        recorded = await store.read_all(0, limit=100_000)
        decoded = [codec.decode_clear(event.type, event.payload) for event in recorded]
        return [event for event in decoded if not types or type(event).__name__ in types]


@asynccontextmanager
async def world(dsn: str, folder: Path, *, rules: Path | None = None) -> AsyncIterator[World]:
    """Everything running, on free ports, in one database.

    `rules` is given where a test needs figures that no pool's texts have.
    """
    clock_file = folder / "clock.json"
    set_clock(clock_file, TODAY)
    read_master_key(folder / "master.key", create=True)
    clock = Clock(clock_file)
    variables = {
        "LTCI_DATABASE_URL": dsn,
        "LTCI_KEYS_DATABASE_URL": dsn,
        "LTCI_MASTER_KEY_FILE": str(folder / "master.key"),
        "LTCI_CLOCK_FILE": str(clock_file),
        **({"LTCI_RULES_FOLDER": str(rules)} if rules else {}),
    }
    async with AsyncExitStack() as closing:
        stores: dict[str, EventStore] = {}
        for name in SERVICES:
            stores[name] = await EventStore.open(dsn, name, clock=clock, pool_size=2)
            closing.push_async_callback(stores[name].close)
            server = await start_server(
                name, "127.0.0.1:0", lambda _server: [], feed_store=stores[name]
            )
            closing.push_async_callback(server.stop, 0.5)
            variables[f"LTCI_{name.upper()}_ADDRESS"] = f"127.0.0.1:{server.port}"

        servicer = BankServicer(Books(folder / "bank.sqlite"), clock)
        closing.push_async_callback(servicer.close)

        def add_bank(server: grpc.aio.Server) -> list[str]:
            bank_grpc.add_BankServiceServicer_to_server(servicer, server)
            return ["ltci.bank.v1.BankService"]

        bank = BankDesk(add_bank)
        await bank.open()
        closing.push_async_callback(bank.close)
        variables["LTCI_BANK_ADDRESS"] = f"127.0.0.1:{bank.port}"

        settings = Settings.from_environment(variables)
        service = await closing.enter_async_context(
            assembled("payment", settings, payment_codec, build)
        )
        own = await start_server(
            "payment",
            "127.0.0.1:0",
            service.registration.add,
            feed_store=service.parts.store,
            cases=service.cases,
        )
        closing.push_async_callback(own.stop, 0.5)
        channel = await closing.enter_async_context(connect(f"127.0.0.1:{own.port}", deadline=30))
        bank_channel = await closing.enter_async_context(connect(f"127.0.0.1:{bank.port}"))
        yield World(
            stores=stores,
            service=service,
            stub=pb_grpc.PaymentServiceStub(channel),
            bank=bank_grpc.BankServiceStub(bank_channel),
            desk=bank,
            folder=folder,
            previews=preview_grpc.PreviewServiceStub(channel),
        )
