"""What callers ask of the contribution service, checked field by field and made into commands."""

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from ltci.enrollment.v1 import contribution_service_pb2 as pb
from ltci.enrollment.v1 import contribution_types_pb2 as contribution_types
from ltci.enrollment.v1 import enrollment_types_pb2 as types

from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.ids import derive
from kernel.money import Money
from kernel.rpc.private import person_named
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from services.enrollment.application.streams import employer_named
from services.enrollment.domain import account as a
from services.enrollment.domain import dues as d
from services.enrollment.domain import employer as em
from services.enrollment.domain.contribution import ContributionSource
from services.enrollment.requests import FIRST_YEAR, LAST_YEAR

CHUNK, LARGEST_CHUNK = 500, 1_000
_BASES = ("wage", "pension", "income", "medical_base")
_OLDEST = 150


class ContributionRequests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._pools = packs.pools()
        self._clock = clock

    def question(self, check: Check, asked: pb.DetermineDuesRequest) -> d.Question:
        return d.Question(
            person=self._person(check, asked),
            pool=self.pool(check, asked.pool),
            year=self.year(check, asked.year),
            told=self._told(check, asked.bases),
        )

    def refund(self, check: Check, asked: pb.RefundContributionRequest) -> a.ContributionRefunded:
        return a.ContributionRefunded(
            refund=derive("refund", asked.request_id),
            person=check.uuid("person", asked.person),
            pool=self.pool(check, asked.pool),
            year=self.year(check, asked.year),
            source=check.enum("source", asked.source, types.ContributionSource, ContributionSource),
            amount=Money(check.positive_fen("amount_fen", asked.amount_fen)),
            cause=check.enum("cause", asked.cause, contribution_types.RefundCause, a.RefundCause),
            refunded_date=self._past_day(check, "refunded_date", asked.refunded_date),
        )

    def employer(self, check: Check, asked: pb.RegisterEmployerRequest) -> em.EmployerRegistered:
        code = check.social_credit_code("social_credit_code", asked.social_credit_code)
        return em.EmployerRegistered(
            employer=employer_named(code),
            employer_name=check.text("employer_name", asked.employer_name),
            social_credit_code=code,
            pool=self.pool(check, asked.pool),
            registered_date=self._past_day(check, "registered_date", asked.registered_date),
        )

    def staff(self, check: Check, asked: pb.StaffRow) -> em.StaffDeclared:
        code = check.social_credit_code("social_credit_code", asked.social_credit_code)
        wage = check.non_negative_fen("wage_fen", asked.wage_fen)
        medical = check.non_negative_fen("medical_base_fen", asked.medical_base_fen)
        if not asked.wage_fen and not asked.medical_base_fen:
            check.fail(
                "wage_fen",
                "BASE_MISSING",
                "the wage or the base of the medical contribution must be given",
                "工资与医保缴费基数至少填写一项",
            )
        return em.StaffDeclared(
            employer=employer_named(code),
            person=self._person(check, asked),
            pool=self.pool(check, asked.pool),
            month=check.month("month", asked.month),
            wage=Money(wage),
            medical_base=Money(medical),
        )

    def pool(self, check: Check, asked: str) -> str:
        return check.pool("pool", asked, self._pools)

    def year(self, check: Check, asked: int) -> int:
        return check.between("year", asked, FIRST_YEAR, LAST_YEAR)

    def chunk(self, check: Check, after_person: str, chunk_size: int) -> tuple[UUID | None, int]:
        """People after whom, and how many of them."""
        after = check.optional_uuid("after_person", after_person)
        size = check.between("chunk_size", chunk_size, 0, LARGEST_CHUNK)
        return after, size or CHUNK

    def _told(self, check: Check, asked: pb.ToldBases) -> Mapping[str, int]:
        """Bases in fen and the age, those that were told."""
        told = {
            name: check.non_negative_fen(f"bases.{name}_fen", getattr(asked, f"{name}_fen"))
            for name in _BASES
        }
        told[d.AGE] = check.between("bases.age", asked.age, 0, _OLDEST)
        return {name: amount for name, amount in told.items() if amount}

    def _person(self, check: Check, asked: pb.DetermineDuesRequest | pb.StaffRow) -> UUID:
        today = self._clock.today()
        return person_named(check, asked.person, asked.identity_number, self._keys, today)

    def _past_day(self, check: Check, field: str, told: str) -> dt.date:
        day = check.date(field, told)
        check.not_future(field, day, self._clock.today())
        return day
