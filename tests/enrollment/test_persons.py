"""Persons over the years: corrections, papers, merges and splits, protection."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_service_pb2_grpc as pb_grpc
from ltci.enrollment.v1 import enrollment_types_pb2 as types
from ltci.enrollment.v1 import person_service_pb2 as person_pb
from ltci.enrollment.v1 import person_service_pb2_grpc as person_grpc

from kernel.ids import derive
from kernel.replay import raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, FactRef, Ruling
from services.enrollment.__main__ import build
from services.enrollment.codec import enrollment_codec
from services.enrollment.domain import coverage as c
from services.enrollment.domain import identity as i
from services.enrollment.domain import life as lf
from services.enrollment.domain import upkeep as u
from services.enrollment.domain.eligibility import Question, rule_eligibility
from services.enrollment.domain.merging import in_order, together
from services.enrollment.replay import DECISIONS
from tests.enrollment import test_eligibility as cases
from tests.enrollment.test_service import contribution, coverage, life_event, registration
from tests.support.packs import CHANGZHOU, pack
from tests.support.people import person as fictitious
from tests.support.service import Running, refused, running
from tests.support.spec import Decider

ANNE, TWIN, THIRD = cases.PERSON, derive("test", "twin"), derive("test", "third")
PAPER = derive("test", "paper")
DAY = date(2024, 5, 1)

kept = Decider(u.decide, u.evolve, u.NOTHING)
paper = Decider(i.decide, i.evolve, i.Paper())


# -- the rules -----------------------------------------------------------------------------------


def merge(person: UUID, survivor: UUID = ANNE, duplicate: UUID = TWIN) -> u.MergePersons:
    return u.MergePersons(
        person=person, survivor=survivor, duplicate=duplicate, merged_date=DAY, cause="the same"
    )


def merged(person: UUID, survivor: UUID = ANNE, duplicate: UUID = TWIN) -> u.PersonsMerged:
    return u.PersonsMerged(
        person=person, survivor=survivor, duplicate=duplicate, merged_date=DAY, cause="the same"
    )


def split(person: UUID) -> u.SplitPersons:
    return u.SplitPersons(
        person=person, survivor=ANNE, duplicate=TWIN, split_date=DAY, cause="two after all"
    )


def test_each_stream_tells_the_merge() -> None:
    kept.when(merge(ANNE)).then(merged(ANNE))
    kept.when(merge(TWIN)).then(merged(TWIN))
    assert kept.after(merge(TWIN)).state.merged_into == ANNE
    assert kept.after(merge(ANNE)).state.duplicates == {TWIN}


def test_the_same_merge_again_says_nothing() -> None:
    for who in (ANNE, TWIN):
        kept.after(merge(who)).when(merge(who)).then()


def test_nobody_is_merged_with_oneself() -> None:
    kept.when(merge(ANNE, ANNE, ANNE)).then_refused("SAME_PERSON", person=str(ANNE))


def test_who_was_merged_into_somebody_neither_takes_others_in_nor_is_merged_again() -> None:
    gone = kept.after(merge(TWIN))
    gone.when(merge(TWIN, survivor=THIRD)).then_refused("MERGED_ALREADY", into=str(ANNE))
    gone.when(merge(TWIN, survivor=TWIN, duplicate=ANNE)).then_refused("MERGED_ALREADY")


def test_who_took_others_in_may_be_merged_into_somebody() -> None:
    kept.after(merge(ANNE)).when(merge(ANNE, survivor=THIRD, duplicate=ANNE)).then(
        merged(ANNE, survivor=THIRD, duplicate=ANNE)
    )


def test_a_split_takes_a_merge_back_once() -> None:
    for who in (ANNE, TWIN):
        state = kept.after(merge(who), split(who))
        assert (state.state.merged_into, state.state.duplicates) == (None, frozenset())
        state.when(split(who)).then_refused("NOT_MERGED")


def test_a_paper_leads_to_one_person() -> None:
    bind = i.BindIdentity(paper=PAPER, person=ANNE, bound_date=DAY)
    held = paper.after(bind)
    held.when(bind).then()
    held.when(replace(bind, person=TWIN)).then_refused("IDENTITY_TAKEN", person=str(ANNE))
    release = i.ReleaseIdentity(paper=PAPER, person=ANNE, released_date=DAY)
    assert held.after(release, replace(bind, person=TWIN)).state.person == TWIN
    held.when(replace(release, person=TWIN)).then()


def test_protection_begins_and_ends_once() -> None:
    protect = u.ProtectPerson(person=ANNE, protected_date=DAY, cause="threatened")
    end = u.EndProtection(person=ANNE, end_date=DAY, cause="over")
    kept.when(end).then_refused("NOT_PROTECTED")
    kept.after(protect).when(protect).then()
    assert not kept.after(protect, end).state.protected


def test_the_order_of_those_who_are_one_is_that_of_the_tree() -> None:
    chain = [merged(TWIN), merged(THIRD, survivor=TWIN, duplicate=THIRD)]
    assert in_order(chain) == in_order(reversed(chain)) == (ANNE, TWIN, THIRD)


SPELLS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=3)


def insured(spells: list[tuple[int, int]], group: c.InsuredGroup) -> c.Coverage:
    state, day = c.Coverage(), DAY
    for gap, days in spells:
        first = day + timedelta(days=gap)
        day = first + timedelta(days=days)
        spell = c.Spell(group=group, first=first, last=day - timedelta(days=1))
        state = c.Coverage(spells=(*state.spells, spell))
    return state


@for_all(SPELLS, SPELLS)
def test_together_somebody_is_insured_on_the_days_of_either(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    own = insured(first, c.InsuredGroup.EMPLOYEE)
    other = insured(second, c.InsuredGroup.RESIDENT)
    both = together([own, other])

    for n in range(200):
        day = DAY + timedelta(days=n)
        assert both.on(day) is None or (own.on(day) or other.on(day)) is not None
        wanted = own.on(day) or other.on(day)
        assert (both.on(day) is None) == (wanted is None)
        if wanted is not None:
            assert both.on(day).group is wanted.group  # type: ignore[union-attr]


# -- what is decided of who is one ---------------------------------------------------------------

EVENTS = st.lists(
    st.one_of(
        st.builds(cases.paid, st.integers(2023, 2024)),
        st.builds(lambda n: cases.died(DAY + timedelta(days=n)), st.integers(-90, 90)),
        st.builds(lambda n: cases.started(date(2022, 1, 1) + timedelta(n)), st.integers(0, 700)),
    ),
    max_size=3,
    unique_by=type,
)


def of(person: UUID, events: list[Any]) -> list[Any]:
    """The events as told of that person."""
    name = {"life_event": derive("life", str(person))}
    return [
        replace(e, person=person, **(name if isinstance(e, lf.LifeEventReported) else {}))
        for e in events
    ]


def ruled(events: list[Any], person: UUID = ANNE) -> Ruling:
    known_at = datetime(2024, 1, 1, tzinfo=UTC)
    facts = [Fact(FactRef("enrollment", n, "0" * 32), e, known_at) for n, e in enumerate(events, 1)]
    question = Question(person=person, pool=CHANGZHOU, on_date=DAY)
    return rule_eligibility(question, facts, pack(CHANGZHOU), "test")


@settings(deadline=None)
@for_all(EVENTS, EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_facts_around_a_merge_does_not_change_the_ruling(
    mine: list[Any], hers: list[Any], random: Random
) -> None:
    hers = [e for e in hers if not isinstance(e, lf.LifeEventReported)]
    events = [*of(ANNE, mine), *of(TWIN, hers), merged(TWIN)]
    before = ruled(events)
    random.shuffle(events)
    again = ruled(events)

    assert (again.outcome, again.reasons, again.steps) == (
        before.outcome,
        before.reasons,
        before.steps,
    )
    assert ruled(events, TWIN).outcome == before.outcome


# -- the service -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Office:
    """Enrollment as a caller sees it."""

    service: Running
    stub: Any
    people: Any

    async def register(self, number: int, **changes: Any) -> str:
        told = registration(number=number, **changes)
        return str((await self.stub.RegisterPerson(told)).person)

    async def same(self) -> tuple[str, str]:
        """Two registrations of one person: by number, and by a passport."""
        anne = await self.register(1, address="和平路1号", phone="13800000000")
        twin = await self.register(
            1,
            name="passport",
            identity_kind=types.IDENTITY_KIND_PASSPORT,
            identity_number="E12345678",
            birth_date=fictitious(1).birth_date.isoformat(),
        )
        return anne, twin

    async def merge(self, survivor: str, duplicate: str, name: str = "m", **more: Any) -> Any:
        asked = person_pb.MergePersonsRequest(
            survivor=survivor,
            duplicate=duplicate,
            merged_date="2024-05-01",
            cause="the same",
            request_id=rid(f"{name} {survivor} {duplicate}"),
            **more,
        )
        return await self.people.MergePersons(asked)

    async def split(self, survivor: str, duplicate: str, name: str = "s") -> Any:
        asked = person_pb.SplitPersonsRequest(
            survivor=survivor,
            duplicate=duplicate,
            split_date="2024-06-01",
            cause="two after all",
            request_id=rid(f"{name} {survivor} {duplicate}"),
        )
        return await self.people.SplitPersons(asked)

    async def eligibility(self, who: str) -> Any:
        asked = pb.CheckEligibilityRequest(person=who, pool=CHANGZHOU, on_date="2024-06-01")
        return await self.stub.CheckEligibility(asked)


def rid(name: str) -> str:
    return str(derive("test", name))


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with running("enrollment", database_url, tmp_path, enrollment_codec, build) as service:
        yield Office(
            service,
            pb_grpc.EnrollmentServiceStub(service.channel),
            person_grpc.PersonServiceStub(service.channel),
        )


async def test_a_merge_joins_what_both_know_and_a_split_gives_each_its_own(office: Office) -> None:
    anne, twin = await office.same()
    await office.stub.StartCoverage(coverage(anne))
    await office.stub.CollectContribution(contribution(anne))
    before = {who: (await office.eligibility(who)).ruling for who in (anne, twin)}

    joined = await office.merge(anne, twin)
    assert (joined.survivor, list(joined.persons)) == (anne, [anne, twin])
    assert (await office.eligibility(twin)).eligible
    # Paid under the passport, where only the other registration is insured.
    await office.stub.CollectContribution(contribution(twin, amount_fen=100))
    await office.stub.ReportLifeEvent(life_event(twin, event_date="2024-05-20"))
    assert list((await office.eligibility(anne)).reasons) == ["DEAD"]
    await office.service.caught_up()
    listed = await office.stub.ListContributions(
        pb.ListContributionsRequest(person=anne, pool=CHANGZHOU)
    )
    assert [(one.person, one.amount_fen) for one in listed.contributions] == [
        (anne, 3000),
        (twin, 100),
    ]
    life = person_pb.ListLifeEventsRequest(person=anne, pool=CHANGZHOU)
    found = await office.people.ListLifeEvents(life)
    assert [(one.life_event.person, one.counts) for one in found.life_events] == [(twin, True)]
    shown = await office.stub.GetPerson(pb.GetPersonRequest(person=twin))
    assert shown.merged_into == anne

    apart = await office.split(anne, twin)
    assert list(apart.persons) == [anne]
    assert (await office.eligibility(anne)).ruling == before[anne]
    assert list((await office.people.ListLifeEvents(life)).life_events) == []
    assert list((await office.eligibility(twin)).reasons) == ["NOT_COVERED", "DEAD"]


async def test_merged_decisions_are_made_again_from_the_facts_of_both(office: Office) -> None:
    anne, twin = await office.same()
    await office.stub.StartCoverage(coverage(twin))
    await office.stub.CollectContribution(contribution(twin))
    await office.merge(anne, twin)
    asked = pb.DecideEligibilityRequest(
        person=anne, pool=CHANGZHOU, on_date="2024-06-01", request_id=rid("decide")
    )
    decided = await office.stub.DecideEligibility(asked)

    store = office.service.service.parts.store
    ruling = Ruling.parse(decided.ruling)
    assert [step.output for step in ruling.steps if step.clause.endswith("merged_persons")] == [2]
    wanted = {ref.position for ref in ruling.facts}
    facts = [
        raw_fact("enrollment", one) for one in await store.read_all(0) if one.position in wanted
    ]
    (event,) = [one for one in await store.read_all(0) if "EligibilityDecided" in one.type]
    kept_pack = await store.get_pack(ruling.pack.partition("@")[2])
    assert kept_pack is not None
    again = DECISIONS[event.type](event.payload, facts, Pack.parse(kept_pack[1]))
    assert again == decided.ruling


async def test_merges_that_cannot_be_are_refused(office: Office) -> None:
    anne, twin = await office.same()
    other = await office.register(2)

    async def reason(call: Any) -> str:
        return str((await refused(call)).reason)

    assert await reason(office.merge(anne, anne)) == "SAME_PERSON"
    missing = await refused(office.merge(anne, str(derive("nobody"))))
    assert missing.code == "NOT_FOUND"
    assert await reason(office.merge(anne, other)) == "BIRTH_DATE_DIFFERS"
    assert await reason(office.split(anne, twin)) == "NOT_MERGED"
    await office.stub.ReportLifeEvent(life_event(twin))
    assert await reason(office.merge(anne, twin)) == "ONE_IS_DEAD"
    await office.merge(anne, twin, "confirmed", death_confirmed=True)
    assert await reason(office.merge(twin, anne)) == "MERGED_ALREADY"
    head = await office.service.head()
    await office.merge(anne, twin, "again")
    assert await office.service.head() == head


async def test_any_paper_finds_the_person(office: Office) -> None:
    passport = await office.register(
        1,
        identity_kind=types.IDENTITY_KIND_PASSPORT,
        identity_number="E12345678",
        birth_date=fictitious(1).birth_date.isoformat(),
    )
    number = fictitious(1).identity_number
    asked = person_pb.AddIdentityRequest(
        person=passport,
        identity_kind=types.IDENTITY_KIND_RESIDENT,
        identity_number=number,
        added_date="2024-05-01",
        cause="naturalised",
        request_id=rid("add"),
    )
    added = await office.people.AddIdentity(asked)
    assert (added.person, added.identity_number_masked[-4:]) == (passport, number[-4:])

    find = person_pb.GetPersonByIdentityRequest(
        identity_kind=types.IDENTITY_KIND_RESIDENT, identity_number=number
    )
    assert (await office.people.GetPersonByIdentity(find)).person == passport
    assert await office.register(1, name="by number") == passport
    await office.stub.StartCoverage(coverage(passport))
    paid = await office.stub.CollectContribution(contribution("", identity_number=number))
    told = await office.stub.ReportLifeEvent(life_event("", identity_number=number))
    assert {paid.person, told.person} == {passport}

    listed = await office.people.ListIdentities(
        person_pb.ListIdentitiesRequest(person=passport, page_size=1)
    )
    assert [one.identity_kind for one in listed.identities] == [types.IDENTITY_KIND_PASSPORT]
    assert listed.next_page_token
    end = person_pb.EndIdentityRequest(
        person=passport,
        paper=added.paper,
        end_date="2024-06-01",
        mistaken=True,
        cause="somebody else's",
        request_id=rid("end"),
    )
    await office.people.EndIdentity(end)
    assert (await refused(office.people.GetPersonByIdentity(find))).code == "NOT_FOUND"


async def test_a_paper_of_somebody_else_is_not_taken(office: Office) -> None:
    anne, _ = await office.same()
    other = await office.register(2)
    asked = person_pb.AddIdentityRequest(
        person=other,
        identity_kind=types.IDENTITY_KIND_RESIDENT,
        identity_number=fictitious(1).identity_number,
        added_date="2024-05-01",
        cause="?",
        request_id=rid("take"),
    )
    problem = await refused(office.people.AddIdentity(asked))
    assert (problem.reason, problem.metadata["person"]) == ("IDENTITY_TAKEN", anne)


async def test_a_correction_leaves_visible_who_was_told_what_when(office: Office) -> None:
    anne, twin = await office.same()
    correct = person_pb.CorrectPersonRequest(
        person=anne, full_name="王改名", cause="court", request_id=rid("correct")
    )
    assert (await office.people.CorrectPerson(correct)).full_name == "王改名"
    born = person_pb.CorrectPersonRequest(
        person=anne, birth_date="1950-01-01", cause="?", request_id=rid("born")
    )
    assert (await refused(office.people.CorrectPerson(born))).reason == "BIRTH_DATE_IN_NUMBER"
    born.person, born.request_id = twin, rid("born twin")
    assert (await office.people.CorrectPerson(born)).birth_date == "1950-01-01"
    empty = person_pb.CorrectPersonRequest(person=anne, cause="?", request_id=rid("empty"))
    problem = await refused(office.people.CorrectPerson(empty))
    assert [one.reason for one in problem.violations] == ["NOTHING_TO_CORRECT"]


async def test_a_protected_address_is_told_for_a_purpose_only(office: Office) -> None:
    anne, _ = await office.same()
    get = pb.GetPersonRequest(person=anne)
    assert (await office.stub.GetPerson(get)).address == "和平路1号"
    protect = person_pb.ProtectPersonRequest(
        person=anne, protected_date="2024-05-01", cause="threatened", request_id=rid("protect")
    )
    assert (await office.people.ProtectPerson(protect)).address_protected
    shown = await office.stub.GetPerson(get)
    assert (shown.address, shown.phone, shown.address_protected) == ("", "", True)

    reveal = person_pb.RevealAddressRequest(person=anne, purpose="", request_id=rid("reveal"))
    problem = await refused(office.people.RevealAddress(reveal))
    assert [one.field for one in problem.violations] == ["purpose"]
    head = await office.service.head()
    reveal.purpose = "visit at home"
    told = await office.people.RevealAddress(reveal)
    assert (told.address, told.phone) == ("和平路1号", "13800000000")
    (event,) = await office.service.events_after(head)
    left = office.service.service.parts.codec.decode_clear(event.type, event.payload)
    assert (left.by, left.purpose) == ("system", "visit at home")
    pool = office.service.service.parts.store.pool
    answers = await pool.fetch("select answer from enrollment.requests")
    assert all("和平路".encode() not in row["answer"] for row in answers)


BAD: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("CorrectPerson", {"full_name": "王"}, "person", "REQUIRED"),
    ("CorrectPerson", {"person": "x", "full_name": "王"}, "person", "NOT_A_UUID"),
    ("AddIdentity", {"identity_number": "1"}, "identity_kind", "REQUIRED"),
    (
        "AddIdentity",
        {"identity_kind": 1, "identity_number": "1"},
        "identity_number",
        "IDENTITY_LENGTH",
    ),
    ("AddIdentity", {"identity_kind": 6, "identity_number": "1"}, "identity_number", "WRONG_FORM"),
    (
        "AddIdentity",
        {"identity_kind": 3, "identity_number": fictitious(1).identity_number},
        "identity_number",
        "WRONG_PREFIX",
    ),
    ("EndIdentity", {"end_date": "2024-13-01"}, "end_date", "NOT_A_DATE"),
    ("MergePersons", {"merged_date": "2099-01-01"}, "merged_date", "DATE_IN_FUTURE"),
    ("SplitPersons", {}, "cause", "REQUIRED"),
    ("ProtectPerson", {"cause": "x" * 201}, "cause", "TOO_LONG"),
    ("RevealAddress", {}, "purpose", "REQUIRED"),
    ("ListLifeEvents", {"pool": "999999"}, "pool", "UNKNOWN_POOL"),
)


async def test_bad_input_is_told_by_field_and_reason(office: Office) -> None:
    for method, told, field, reason in BAD:
        request = getattr(person_pb, f"{method}Request")(**told)
        problem = await refused(getattr(office.people, method)(request))
        assert (field, reason) in {(one.field, one.reason) for one in problem.violations}, method
