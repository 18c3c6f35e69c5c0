"""What callers ask of `PersonService`, checked field by field and made into commands."""

import datetime as dt
from uuid import UUID

from ltci.enrollment.v1 import enrollment_types_pb2 as types
from ltci.enrollment.v1 import person_service_pb2 as pb

from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.rpc.validate import Check
from services.enrollment.domain import person as p
from services.enrollment.domain import upkeep as u
from services.enrollment.domain.identity import IdentityKind
from services.enrollment.papers import identity_number


class PersonRequests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def correct(self, check: Check, asked: pb.CorrectPersonRequest) -> p.CorrectPerson:
        command = p.CorrectPerson(
            person=check.uuid("person", asked.person),
            full_name=check.text("full_name", asked.full_name, max=100, required=False),
            birth_date=self._past(check, "birth_date", asked.birth_date)
            if asked.birth_date
            else None,
            phone=check.text("phone", asked.phone, max=40, required=False),
            address=check.text("address", asked.address, max=300, required=False),
            cause=check.text("cause", asked.cause),
        )
        if not (command.full_name or asked.birth_date or command.phone or command.address):
            check.fail(
                "full_name",
                "NOTHING_TO_CORRECT",
                "say at least one of name, birth date, telephone and address",
                "姓名、出生日期、电话、地址至少填写一项",
            )
        return command

    def add_identity(self, check: Check, asked: pb.AddIdentityRequest) -> u.AddIdentity:
        kind, number = self._paper(check, asked)
        return u.AddIdentity(
            person=check.uuid("person", asked.person),
            paper=self._keys.person_id(kind, number),
            identity_kind=kind,
            identity_number=number,
            added_date=self._past(check, "added_date", asked.added_date),
            cause=check.text("cause", asked.cause),
        )

    def end_identity(self, check: Check, asked: pb.EndIdentityRequest) -> u.EndIdentity:
        return u.EndIdentity(
            person=check.uuid("person", asked.person),
            paper=check.uuid("paper", asked.paper),
            end_date=self._past(check, "end_date", asked.end_date),
            mistaken=asked.mistaken,
            cause=check.text("cause", asked.cause),
        )

    def paper(self, check: Check, asked: pb.GetPersonByIdentityRequest) -> UUID:
        return self._keys.person_id(*self._paper(check, asked))

    def merge(self, check: Check, asked: pb.MergePersonsRequest) -> u.MergePersons:
        survivor = check.uuid("survivor", asked.survivor)
        return u.MergePersons(
            person=survivor,
            survivor=survivor,
            duplicate=check.uuid("duplicate", asked.duplicate),
            merged_date=self._past(check, "merged_date", asked.merged_date),
            cause=check.text("cause", asked.cause),
        )

    def split(self, check: Check, asked: pb.SplitPersonsRequest) -> u.SplitPersons:
        survivor = check.uuid("survivor", asked.survivor)
        return u.SplitPersons(
            person=survivor,
            survivor=survivor,
            duplicate=check.uuid("duplicate", asked.duplicate),
            split_date=self._past(check, "split_date", asked.split_date),
            cause=check.text("cause", asked.cause),
        )

    def protect(self, check: Check, asked: pb.ProtectPersonRequest) -> u.ProtectPerson:
        return u.ProtectPerson(
            person=check.uuid("person", asked.person),
            protected_date=self._past(check, "protected_date", asked.protected_date),
            cause=check.text("cause", asked.cause),
        )

    def end_protection(self, check: Check, asked: pb.EndProtectionRequest) -> u.EndProtection:
        return u.EndProtection(
            person=check.uuid("person", asked.person),
            end_date=self._past(check, "end_date", asked.end_date),
            cause=check.text("cause", asked.cause),
        )

    def reveal(self, check: Check, asked: pb.RevealAddressRequest, actor: str) -> u.RevealAddress:
        return u.RevealAddress(
            person=check.uuid("person", asked.person),
            by=actor,
            purpose=check.text("purpose", asked.purpose),
            revealed_date=self._clock.today(),
        )

    def _paper(
        self, check: Check, asked: pb.AddIdentityRequest | pb.GetPersonByIdentityRequest
    ) -> tuple[IdentityKind, str]:
        kind = check.enum("identity_kind", asked.identity_kind, types.IdentityKind, IdentityKind)
        today = self._clock.today()
        return kind, identity_number(check, kind, asked.identity_number, "identity_number", today)

    def _past(self, check: Check, field: str, told: str) -> dt.date:
        day = check.date(field, told)
        check.not_future(field, day, self._clock.today())
        return day
