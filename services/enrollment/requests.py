"""What callers ask of enrollment, checked field by field and made into commands.

`at` is the path of the message inside its request: `person.` for a row of an import.
"""

import datetime as dt
from uuid import UUID

from ltci.enrollment.v1 import contribution_types_pb2 as contribution_types
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_types_pb2 as types

from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.identity_numbers import birth_date, identity_fault
from kernel.ids import derive
from kernel.money import Money
from kernel.rpc.private import person_named
from kernel.rpc.validate import Check
from kernel.rules.dimensions import STATUSES
from kernel.rules.library import PackLibrary
from services.enrollment.domain import contribution as co
from services.enrollment.domain import coverage as c
from services.enrollment.domain import life as lf
from services.enrollment.domain import person as p
from services.enrollment.domain.eligibility import Question

FIRST_YEAR, LAST_YEAR = 2000, 2100


class Requests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._packs = packs
        self._pools = packs.pools()
        self._clock = clock

    def register(
        self, check: Check, asked: pb.RegisterPersonRequest, at: str = ""
    ) -> p.RegisterPerson:
        kind = check.enum(
            f"{at}identity_kind", asked.identity_kind, types.IdentityKind, p.IdentityKind
        )
        number = self._identity_number(check, kind, asked.identity_number, at)
        full_name = check.text(f"{at}full_name", asked.full_name, max=100)
        born = self._birth_date(check, kind, number, asked.birth_date, at)
        return p.RegisterPerson(
            person=self._keys.person_id(kind, number),
            identity_kind=kind,
            identity_number=number,
            full_name=full_name,
            birth_date=born,
            phone=check.text(f"{at}phone", asked.phone, max=40, required=False),
            address=check.text(f"{at}address", asked.address, max=300, required=False),
            registered_date=self._past_day(check, f"{at}registered_date", asked.registered_date),
        )

    def start_coverage(
        self,
        check: Check,
        asked: pb.StartCoverageRequest,
        at: str = "",
        *,
        person: UUID | None = None,
    ) -> c.StartCoverage:
        """`person` is given where the row of an import registers it."""
        return c.StartCoverage(
            person=person or check.uuid(f"{at}person", asked.person),
            pool=self.pool(check, asked.pool, at),
            group=check.enum(f"{at}group", asked.group, types.InsuredGroup, c.InsuredGroup),
            start_date=self._past_day(check, f"{at}start_date", asked.start_date),
            tier=check.text(f"{at}tier", asked.tier, max=20, required=False),
            statuses=self._statuses(check, f"{at}statuses", asked),
        )

    def _statuses(
        self,
        check: Check,
        field: str,
        asked: pb.StartCoverageRequest | pb.ChangeCoverageRequest,
    ) -> tuple[str, ...]:
        """Statuses that rules know, those of the pool's own pack included; each once, sorted."""
        known = set(STATUSES)
        if asked.pool in self._packs.pools():
            known |= self._packs.pack_for(asked.pool).statuses
        return tuple(sorted({check.one_of(field, one, known) for one in asked.statuses}))

    def end_coverage(self, check: Check, asked: pb.EndCoverageRequest) -> c.EndCoverage:
        return c.EndCoverage(
            person=check.uuid("person", asked.person),
            pool=self.pool(check, asked.pool),
            end_date=check.date("end_date", asked.end_date),
            cause=check.text("cause", asked.cause, required=False),
        )

    def change_coverage(self, check: Check, asked: pb.ChangeCoverageRequest) -> c.ChangeCoverage:
        return c.ChangeCoverage(
            person=check.uuid("person", asked.person),
            pool=self.pool(check, asked.pool),
            group=check.enum("group", asked.group, types.InsuredGroup, c.InsuredGroup),
            change_date=self._past_day(check, "change_date", asked.change_date),
            tier=check.text("tier", asked.tier, max=20, required=False),
            statuses=self._statuses(check, "statuses", asked),
            cause=check.text("cause", asked.cause, required=False),
        )

    def suspend_coverage(self, check: Check, asked: pb.SuspendCoverageRequest) -> c.SuspendCoverage:
        cause = self._cause(check, asked)
        return c.SuspendCoverage(
            suspension=derive("suspension", asked.request_id),
            person=check.uuid("person", asked.person),
            pool=self.pool(check, asked.pool),
            from_date=self._past_day(check, "from_date", asked.from_date),
            cause=cause,
            year=asked.year,
        )

    def resume_coverage(
        self, check: Check, asked: pb.ResumeCoverageRequest
    ) -> tuple[UUID, str, c.SuspensionCause, dt.date | None]:
        """Person, pool, cause, and the day told."""
        cause = self._cause(check, asked)
        if cause is c.SuspensionCause.MEDICAL_GAP:
            check.require("resume_date", asked.resume_date)
        return (
            check.uuid("person", asked.person),
            self.pool(check, asked.pool),
            cause,
            check.optional_date("resume_date", asked.resume_date),
        )

    def _cause(
        self, check: Check, asked: pb.SuspendCoverageRequest | pb.ResumeCoverageRequest
    ) -> c.SuspensionCause:
        """The cause; arrears are of a year, and nothing else is."""
        cause = check.enum(
            "cause", asked.cause, contribution_types.SuspensionCause, c.SuspensionCause
        )
        if cause is c.SuspensionCause.ARREARS:
            check.between("year", asked.year, FIRST_YEAR, LAST_YEAR)
        elif asked.year:
            check.fail("year", "NOT_ASKED", "must be 0 but for arrears", "仅欠费时填写")
        return cause

    def contribution(
        self, check: Check, asked: pb.CollectContributionRequest
    ) -> co.ContributionCollected:
        return co.ContributionCollected(
            contribution=derive("contribution", asked.request_id),
            person=self._person(check, asked),
            pool=self.pool(check, asked.pool),
            source=check.enum(
                "source", asked.source, types.ContributionSource, co.ContributionSource
            ),
            amount=Money(check.positive_fen("amount_fen", asked.amount_fen)),
            year=check.between("year", asked.year, FIRST_YEAR, LAST_YEAR),
            paid_date=self._past_day(check, "paid_date", asked.paid_date),
        )

    def report(self, check: Check, asked: pb.ReportLifeEventRequest) -> lf.ReportLifeEvent:
        return lf.ReportLifeEvent(
            life_event=derive("life", asked.request_id),
            person=self._person(check, asked),
            pool=self.pool(check, asked.pool),
            kind=check.enum("kind", asked.kind, types.LifeEventKind, lf.LifeEventKind),
            event_date=self._past_day(check, "event_date", asked.event_date),
            source=check.enum("source", asked.source, types.FactSource, lf.FactSource),
        )

    def withdraw(self, check: Check, asked: pb.WithdrawLifeEventRequest) -> lf.WithdrawLifeEvent:
        return lf.WithdrawLifeEvent(
            life_event=check.uuid("life_event", asked.life_event),
            person=check.uuid("person", asked.person),
            cause=check.text("cause", asked.cause),
        )

    def question(
        self, check: Check, asked: pb.CheckEligibilityRequest | pb.DecideEligibilityRequest
    ) -> Question:
        return Question(
            person=check.uuid("person", asked.person),
            pool=self.pool(check, asked.pool),
            on_date=self._past_day(check, "on_date", asked.on_date),
        )

    def pool(self, check: Check, asked: str, at: str = "") -> str:
        return check.pool(f"{at}pool", asked, self._pools)

    def _person(
        self, check: Check, asked: pb.CollectContributionRequest | pb.ReportLifeEventRequest
    ) -> UUID:
        today = self._clock.today()
        return person_named(check, asked.person, asked.identity_number, self._keys, today)

    def _identity_number(self, check: Check, kind: p.IdentityKind, number: str, at: str) -> str:
        field = f"{at}identity_number"
        if kind is p.IdentityKind.RESIDENT:
            return check.identity_number(field, number, today=self._clock.today())
        return check.text(field, number, max=40).upper()

    def _birth_date(
        self, check: Check, kind: p.IdentityKind, number: str, told: str, at: str
    ) -> dt.date:
        """The day told; for residents the one in the number, with which the day told agrees."""
        field = f"{at}birth_date"
        if kind is not p.IdentityKind.RESIDENT:
            return self._past_day(check, field, told)
        numbered = dt.date.min if identity_fault(number) else birth_date(number)
        if not told:
            return numbered
        day = self._past_day(check, field, told)
        if dt.date.min not in {day, numbered} and day != numbered:
            check.fail(
                field,
                "BIRTH_DATE_DIFFERS",
                "must be the birth date in the identity number, or empty",
                "应与身份号码中的出生日期一致,或留空",
            )
        return day

    def _past_day(self, check: Check, field: str, told: str) -> dt.date:
        day = check.date(field, told)
        check.not_future(field, day, self._clock.today())
        return day
