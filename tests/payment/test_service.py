"""Payment over real gRPC and PostgreSQL, with the other services' feeds and the real bank."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.bank.v1 import bank_service_pb2 as bank_pb
from ltci.payment.v1 import payment_service_pb2 as pb
from ltci.payment.v1 import payment_types_pb2 as types

from kernel.ids import derive, new_id
from kernel.replay import RawFact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.assessment.codec import assessment_codec
from services.enrollment.codec import enrollment_codec
from services.payment.application.contributions import POSTED
from services.payment.incoming import SOURCES, fact_types
from services.payment.replay import DECISIONS
from services.provider.codec import provider_codec
from tests.payment.world import HOME, World, person_number, world
from tests.support.people import person
from tests.support.service import refused, set_clock

CHANGZHOU, CHENGDU = "320400", "510100"
WHO = person_number(1)
FAMILY = f"persons/{WHO}"


@pytest.fixture
async def neighbours(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database_url, tmp_path) as running:
        yield running


def review(known: dict[str, int], name: str = "review", pool: str = CHANGZHOU) -> Any:
    return pb.ReviewEntitlementRequest(
        person=str(WHO),
        pool=pool,
        known=[types.KnownUpTo(service=s, position=p) for s, p in known.items()],
        request_id=str(derive(name)),
    )


# -- entitlements -------------------------------------------------------------------------------


async def test_an_entitlement_follows_the_facts(neighbours: World) -> None:
    concluded = await neighbours.conclude(WHO, CHANGZHOU, "2024-03-01")
    opened = await neighbours.stub.ReviewEntitlement(review({"assessment": concluded}))

    died = await neighbours.live(WHO, CHANGZHOU, "death", "2024-06-10")
    ended = await neighbours.stub.ReviewEntitlement(review({"enrollment": died}, "after"))

    assert (opened.state, opened.grade, opened.effective_date, opened.valid_until_date) == (
        types.ENTITLEMENT_STATE_OPEN,
        3,
        "2024-03-01",
        "2026-03-01",
    )
    assert (ended.state, ended.effective_date, ended.cause, ended.valid_until_date) == (
        types.ENTITLEMENT_STATE_ENDED,
        "2024-06-11",
        "DEATH",
        "",
    )
    again = await neighbours.stub.ReviewEntitlement(review({"assessment": concluded}))
    assert again == opened  # the first answer, word for word
    found = await neighbours.stub.GetEntitlement(
        pb.GetEntitlementRequest(person=str(WHO), pool=CHANGZHOU)
    )
    assert found == ended
    await neighbours.caught_up()
    page = await neighbours.stub.ListEntitlements(pb.ListEntitlementsRequest(pool=CHANGZHOU))
    assert list(page.entitlements) == [ended]


async def test_a_review_waits_for_facts_that_are_not_there_yet(neighbours: World) -> None:
    concluded = await neighbours.conclude(WHO, CHANGZHOU, "2024-03-01")

    problem = await refused(
        neighbours.stub.ReviewEntitlement(review({"assessment": concluded + 1}), timeout=3)
    )

    assert (problem.code, problem.reason) == ("UNAVAILABLE", "FACTS_NOT_THERE_YET")
    assert await neighbours.events("EntitlementOpened") == []


async def test_somebody_unknown_is_entitled_to_nothing(neighbours: World) -> None:
    found = await neighbours.stub.GetEntitlement(
        pb.GetEntitlementRequest(person=str(WHO), pool=CHANGZHOU)
    )

    assert found.state == types.ENTITLEMENT_STATE_NONE


# -- settlement ---------------------------------------------------------------------------------


async def test_a_month_is_settled_paid_and_booked(neighbours: World) -> None:
    # Changzhou, June: a family carer 600.00; home visits of another person 2 x 80.00 = 160.00.
    other = person_number(2)
    for who in (WHO, other):
        await neighbours.conclude(who, CHANGZHOU, "2024-06-01")
    await neighbours.plan(WHO, CHANGZHOU, "family_carer")
    visits = await neighbours.plan(other, CHANGZHOU, "home_visits")
    for day in ("2024-06-03", "2024-06-04"):
        await neighbours.deliver(other, CHANGZHOU, visits, day, 8000)
    await neighbours.contribute(WHO, CHANGZHOU, 100_000)
    await neighbours.account(FAMILY)
    await neighbours.account(f"providers/{HOME}", "6222020000000002")

    settled = await neighbours.settle(CHANGZHOU, "2024-06", chunk_size=1)

    assert (settled.state, settled.case_count, settled.benefit_count) == (
        types.SETTLEMENT_STATE_CLOSED,
        2,
        2,
    )
    assert (settled.fund_share_fen, settled.instruction_count) == (76_000, 2)
    assert settled.batch == str(derive("batch", CHANGZHOU, "2024-06"))
    [bill] = await neighbours.events("BillSettled")
    assert (bill.provider, bill.eligible_cost.fen, bill.fund_share.fen, bill.person_count) == (
        HOME,
        16_000,
        16_000,
        1,
    )

    progress = await neighbours.send(settled.batch)

    assert (progress.paid_count, progress.paid_fen, progress.returned_payees) == (2, 76_000, [])
    await neighbours.caught_up()
    fund = await neighbours.fund(CHANGZHOU)
    balances = {line.account: (line.debit_fen, line.credit_fen) for line in fund.balances}
    assert balances == {
        "benefits/carer_subsidy": (60_000, 0),
        "benefits/home_care": (16_000, 0),
        "cash": (100_000, 76_000),
        "contributions/person": (0, 100_000),
        "payable": (76_000, 76_000),
    }
    assert (fund.cash_fen, fund.payable_fen, fund.balanced, fund.entry_count) == (
        24_000,
        0,
        True,
        4,
    )


async def test_repeating_a_chunk_changes_nothing(neighbours: World) -> None:
    await neighbours.conclude(WHO, CHANGZHOU, "2024-05-01")
    await neighbours.plan(WHO, CHANGZHOU, "family_carer")
    await neighbours.settle(CHANGZHOU, "2024-05")
    await neighbours.conclude(person_number(2), CHANGZHOU, "2024-06-01")
    await neighbours.freeze(CHANGZHOU, "2024-06")

    [first] = await neighbours.determine(CHANGZHOU, "2024-06")
    [again] = await neighbours.determine(CHANGZHOU, "2024-06")
    await neighbours.caught_up()
    [later] = await neighbours.determine(CHANGZHOU, "2024-06")

    assert first == again == later
    assert (first.case_count, first.benefit_count, first.fund_share_fen) == (2, 1, 60_000)
    assert len(await neighbours.events("BenefitDetermined")) == 2


async def test_months_that_were_never_settled_are_caught_up(neighbours: World) -> None:
    await neighbours.conclude(WHO, CHENGDU, "2024-04-01")
    await neighbours.plan(WHO, CHENGDU, "family_carer")

    settled = await neighbours.settle(CHENGDU, "2024-06")

    assert settled.fund_share_fen == 3 * 107_700
    await neighbours.caught_up()
    assert [(b.month, b.settled_month) for b in await neighbours.benefits(CHENGDU)] == [
        ("2024-04", "2024-06"),
        ("2024-05", "2024-06"),
        ("2024-06", "2024-06"),
    ]
    assert [i.amount_fen for i in await neighbours.instructions(CHENGDU)] == [3 * 107_700]


async def test_facts_after_the_freeze_do_not_count_for_the_run(neighbours: World) -> None:
    await neighbours.conclude(WHO, CHENGDU, "2024-06-01")
    await neighbours.plan(WHO, CHENGDU, "family_carer")
    await neighbours.freeze(CHENGDU, "2024-06")

    await neighbours.live(WHO, CHENGDU, "death", "2024-06-10")
    await neighbours.conclude(person_number(2), CHENGDU, "2024-06-01")
    await neighbours.caught_up()
    [answer] = await neighbours.determine(CHENGDU, "2024-06")

    assert (answer.case_count, answer.fund_share_fen) == (1, 107_700)


async def test_steps_out_of_order_are_refused(neighbours: World) -> None:
    stub = neighbours.stub
    run: dict[str, Any] = {"pool": CHANGZHOU, "month": "2024-06"}

    async def reason(method: Any, request: Any) -> str:
        request.request_id = str(new_id())
        return (await refused(method(request))).reason

    assert await reason(stub.FreezeSettlement, pb.FreezeSettlementRequest(**run)) == "NOT_OPENED"
    assert await reason(stub.DetermineBenefits, pb.DetermineBenefitsRequest(**run)) == "NOT_FROZEN"
    assert await reason(stub.CloseSettlement, pb.CloseSettlementRequest(**run)) == "NOT_FROZEN"
    now = pb.OpenSettlementRequest(pool=CHANGZHOU, month="2024-07")
    assert await reason(stub.OpenSettlement, now) == "MONTH_NOT_OVER"
    unknown = pb.GetSettlementRequest(pool=CHANGZHOU, month="2024-06")
    assert (await refused(stub.GetSettlement(unknown))).code == "NOT_FOUND"


async def test_a_month_with_nothing_to_pay_closes_without_a_batch(neighbours: World) -> None:
    settled = await neighbours.settle(CHANGZHOU, "2024-06")

    assert (settled.state, settled.batch) == (types.SETTLEMENT_STATE_CLOSED, "")
    await neighbours.caught_up()
    page = await neighbours.stub.ListSettlements(pb.ListSettlementsRequest(pool=CHANGZHOU))
    assert list(page.settlements) == [settled]


async def test_a_large_month_closes_in_many_appends(
    neighbours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.payment.application.settlements.SMALL_CLOSING", 2)
    for number in range(5):
        await neighbours.conclude(person_number(number), CHENGDU, "2024-06-01")
        await neighbours.plan(person_number(number), CHENGDU, "family_carer")

    settled = await neighbours.settle(CHENGDU, "2024-06", chunk_size=2)

    assert settled.instruction_count == 5
    instructed = await neighbours.events("PaymentInstructed")
    assert sum(event.amount.fen for event in instructed) == settled.fund_share_fen == 5 * 107_700
    [due] = await neighbours.events("LedgerPosted")
    assert due.posted_date == date(2024, 6, 30)


# -- the bank -----------------------------------------------------------------------------------


async def batch_of_one(neighbours: World, account: str = "6222020000000001") -> str:
    """Chengdu, June: 1077.00 to the family."""
    await neighbours.conclude(WHO, CHENGDU, "2024-06-01")
    await neighbours.plan(WHO, CHENGDU, "family_carer")
    if account:
        await neighbours.account(FAMILY, account)
    settled = await neighbours.settle(CHENGDU, "2024-06")
    return str(settled.batch)


async def paid_fen(neighbours: World) -> list[int]:
    return [event.amount.fen for event in await neighbours.events("BenefitPaid")]


async def answered(neighbours: World, batch: str) -> Any:
    """The first answer of a bank that is back. Nobody says how soon its line is there again, so
    it is asked again, as the process with the bank does; each call waits a while by itself."""
    found = await neighbours.enquire(batch)
    for _ in range(20):
        if not found.unknown_count:
            break
        found = await neighbours.enquire(batch)
    return found


async def test_a_lost_answer_is_unknown_until_the_bank_is_asked(neighbours: World) -> None:
    await neighbours.treat("6222020000000001", "SILENT_ONCE")
    batch = await batch_of_one(neighbours)

    sent = await neighbours.send(batch)
    assert (sent.unknown_count, sent.paid_count) == (1, 0)

    found = await neighbours.enquire(batch)
    assert (found.unknown_count, found.paid_count, found.paid_fen) == (0, 1, 107_700)
    [paid] = await neighbours.events("BenefitPaid")
    assert (paid.evidence_kind, paid.amount.fen) == ("ENQUIRY", 107_700)
    [instruction] = await neighbours.instructions(CHENGDU)
    assert instruction.was_unknown
    again = await neighbours.send(batch)
    assert (again.paid_count, await paid_fen(neighbours)) == (1, [107_700])


async def test_an_order_that_is_taken_waits_for_its_booking(neighbours: World) -> None:
    await neighbours.treat("6222020000000001", "LATE")
    batch = await batch_of_one(neighbours)

    assert (await neighbours.send(batch)).sent_count == 1
    assert (await neighbours.enquire(batch)).sent_count == 1
    assert (await neighbours.enquire(batch)).paid_count == 1
    assert await paid_fen(neighbours) == [107_700]


async def test_a_returned_payment_is_replaced_after_a_new_account(neighbours: World) -> None:
    await neighbours.treat("6222020000000001", "CLOSED")
    batch = await batch_of_one(neighbours)

    returned = await neighbours.send(batch)
    assert (returned.returned_count, returned.returned_payees) == (1, [FAMILY])
    assert (await neighbours.reissue(batch)).reissued_count == 0  # the account is the same

    await neighbours.account(FAMILY, "6222020000000009")
    reissued = await neighbours.reissue(batch)
    assert (reissued.reissued_count, reissued.instructed_count) == (1, 1)
    assert (await neighbours.reissue(batch)).instructed_count == 1  # once
    paid = await neighbours.send(batch)

    assert (paid.paid_count, paid.reissued_count, paid.returned_payees) == (1, 1, [])
    assert await paid_fen(neighbours) == [107_700]
    fund = await neighbours.fund(CHENGDU)
    assert (fund.payable_fen, fund.cash_fen) == (0, -107_700)


async def test_a_payee_without_an_account_waits(neighbours: World) -> None:
    batch = await batch_of_one(neighbours, account="")

    assert (await neighbours.send(batch)).instructed_count == 1
    await neighbours.account(FAMILY)
    assert (await neighbours.send(batch)).paid_count == 1


async def test_a_bank_that_is_away_is_asked_before_anything_is_sent_again(
    neighbours: World,
) -> None:
    batch = await batch_of_one(neighbours)
    await neighbours.desk.close()

    assert (await neighbours.send(batch)).unknown_count == 1
    assert (await neighbours.enquire(batch)).unknown_count == 1
    await neighbours.desk.open()
    # It never came, says the bank itself: it goes again under the same identity.
    assert (await answered(neighbours, batch)).paid_count == 1

    assert await paid_fen(neighbours) == [107_700]
    assert [line.amount_fen for line in await neighbours.statement(CHENGDU)] == [107_700]


async def test_an_order_sent_before_a_crash_is_booked_once(neighbours: World) -> None:
    batch = await batch_of_one(neighbours)
    await neighbours.caught_up()
    [instruction] = await neighbours.instructions(CHENGDU)
    # The order went out, and the process died before it wrote anything down.
    await neighbours.bank.CreatePayment(
        bank_pb.CreatePaymentRequest(
            instruction=instruction.instruction,
            account_number="6222020000000001",
            holder_name="王试一",
            amount_fen=instruction.amount_fen,
            pool=CHENGDU,
            request_id=instruction.instruction,
        )
    )

    assert (await neighbours.send(batch)).paid_count == 1

    assert [line.amount_fen for line in await neighbours.statement(CHENGDU)] == [107_700]
    [paid] = await neighbours.events("BenefitPaid")
    assert paid.evidence_kind == "ANSWER"


async def test_an_unknown_batch_is_not_found(neighbours: World) -> None:
    problem = await refused(neighbours.send(str(new_id())))

    assert (problem.code, problem.reason) == ("NOT_FOUND", "BATCH_UNKNOWN")


# -- the fund -----------------------------------------------------------------------------------


async def test_a_refund_is_booked_against_the_source_that_had_paid(neighbours: World) -> None:
    await neighbours.contribute(WHO, CHANGZHOU, 6000)
    await neighbours.give_back(WHO, CHANGZHOU, 2500)
    await neighbours.caught_up()

    fund = await neighbours.fund(CHANGZHOU)
    balances = {line.account: (line.debit_fen, line.credit_fen) for line in fund.balances}
    assert balances == {"cash": (6000, 2500), "contributions/person": (2500, 6000)}
    assert (fund.cash_fen, fund.entry_count, fund.balanced) == (3500, 2, True)


async def test_contributions_are_booked_once_also_after_a_rebuild(neighbours: World) -> None:
    for number in range(30):
        await neighbours.contribute(person_number(number), CHANGZHOU, 3000)
    await neighbours.contribute(WHO, CHANGZHOU, 7000, "medical_fund")
    await neighbours.caught_up()
    poster = next(
        runner
        for runner in neighbours.service.runners
        if runner.tables.rpartition(".")[2].startswith("contribution_poster")
    )

    await poster.rebuild(grace_seconds=0)
    await neighbours.caught_up()

    fund = await neighbours.fund(CHANGZHOU)
    assert (fund.cash_fen, fund.entry_count, fund.balanced) == (97_000, 31, True)
    assert {line.account for line in fund.balances} == {
        "cash",
        "contributions/person",
        "contributions/medical_fund",
    }


async def test_the_treasury_puts_money_in_once(neighbours: World) -> None:
    request = pb.RecordTransferRequest(
        pool=CHENGDU,
        amount_fen=10**11,
        transfer_date="2024-01-02",
        cause="opening reserve",
        request_id=str(new_id()),
    )

    first = await neighbours.stub.RecordTransfer(request)
    again = await neighbours.stub.RecordTransfer(request)

    assert first == again
    fund = await neighbours.fund(CHENGDU)
    assert (fund.cash_fen, fund.entry_count, fund.balanced) == (10**11, 1, True)


# -- payees, personal data, bad input -----------------------------------------------------------


async def test_a_payee_is_named_by_id_or_number_and_shown_masked(neighbours: World) -> None:
    number = person(7).identity_number
    request = pb.RegisterPayeeRequest(
        identity_number=number,
        holder_name="王试一",
        account_number="6222020000001234",
        registered_date="2024-01-01",
        request_id=str(new_id()),
    )

    payee = await neighbours.stub.RegisterPayee(request)

    who = neighbours.service.parts.keys.person_id("resident", number)
    assert (payee.payee, payee.account_version) == (f"persons/{who}", 1)
    assert payee.account_number_masked == "************1234"
    assert await neighbours.stub.RegisterPayee(request) == payee
    assert (await neighbours.account(f"persons/{who}")).account_version == 2


async def test_no_account_and_no_name_is_stored_in_clear(neighbours: World) -> None:
    await neighbours.account(FAMILY, "6222020000001234")
    await neighbours.caught_up()
    pool = neighbours.service.parts.store.pool
    tables = await pool.fetch("select tablename from pg_tables where schemaname = 'payment'")
    kept = [
        value if isinstance(value, bytes) else str(value).encode()
        for table in tables
        for row in await pool.fetch(f"select * from payment.{table['tablename']}")
        for value in row.values()
    ]

    assert not [value for value in kept if b"6222020000001234" in value]
    assert not [value for value in kept if "王试一".encode() in value]


BAD_PAYEE: dict[str, Any] = {
    "holder_name": "",
    "account_number": "12",
    "registered_date": "2024-07-02",
    "request_id": "x",
}
BAD_INPUT = [
    ("RegisterPayee", pb.RegisterPayeeRequest(**BAD_PAYEE), "payee", "ONE_OF_THREE"),
    ("RegisterPayee", pb.RegisterPayeeRequest(payee="houses/1"), "payee", "UNKNOWN_VALUE"),
    ("ReviewEntitlement", pb.ReviewEntitlementRequest(pool=CHANGZHOU), "person", "REQUIRED"),
    (
        "ReviewEntitlement",
        pb.ReviewEntitlementRequest(
            person=str(WHO), pool=CHANGZHOU, known=[types.KnownUpTo(service="weather")]
        ),
        "known[0].service",
        "UNKNOWN_VALUE",
    ),
    ("GetEntitlement", pb.GetEntitlementRequest(person=str(WHO)), "pool", "REQUIRED"),
    ("ListEntitlements", pb.ListEntitlementsRequest(pool="999999"), "pool", "UNKNOWN_POOL"),
    (
        "ListEntitlements",
        pb.ListEntitlementsRequest(pool=CHANGZHOU, page_token="x"),
        "page_token",
        "WRONG_PAGE_TOKEN",
    ),
    ("OpenSettlement", pb.OpenSettlementRequest(pool=CHANGZHOU, month="2024-13"), "month", ""),
    ("FreezeSettlement", pb.FreezeSettlementRequest(pool="1", month="2024-06"), "pool", ""),
    (
        "DetermineBenefits",
        pb.DetermineBenefitsRequest(pool=CHANGZHOU, month="2024-06", chunk_size=501),
        "chunk_size",
        "OUT_OF_RANGE",
    ),
    ("CloseSettlement", pb.CloseSettlementRequest(pool=CHANGZHOU, month="June"), "month", ""),
    ("ListBenefits", pb.ListBenefitsRequest(pool=CHANGZHOU, person="x"), "person", "NOT_A_UUID"),
    ("ListInstructions", pb.ListInstructionsRequest(pool=CHANGZHOU, batch="x"), "batch", ""),
    ("SendInstructions", pb.SendInstructionsRequest(batch="x"), "batch", "NOT_A_UUID"),
    ("EnquireInstructions", pb.EnquireInstructionsRequest(), "batch", "REQUIRED"),
    ("ReissueInstructions", pb.ReissueInstructionsRequest(), "batch", "REQUIRED"),
    (
        "RecordTransfer",
        pb.RecordTransferRequest(pool=CHENGDU, transfer_date="2024-01-01", cause="x"),
        "amount_fen",
        "OUT_OF_RANGE",
    ),
    ("GetFund", pb.GetFundRequest(), "pool", "REQUIRED"),
]


async def test_bad_input_is_told_field_by_field_and_records_nothing(neighbours: World) -> None:
    for method, request, name, reason in BAD_INPUT:
        problem = await refused(getattr(neighbours.stub, method)(request))

        assert problem.code == "INVALID_ARGUMENT", method
        first = problem.violations[0]
        assert (first.field, reason or first.reason) == (name, first.reason), method
        assert first.message_zh, method
    assert await neighbours.events() == []


async def test_every_violation_of_a_request_is_told_at_once(neighbours: World) -> None:
    problem = await refused(neighbours.stub.RegisterPayee(pb.RegisterPayeeRequest(**BAD_PAYEE)))

    assert [violation.field for violation in problem.violations] == [
        "payee",
        "holder_name",
        "account_number",
        "registered_date",
        "request_id",
    ]


# -- replay and contracts -----------------------------------------------------------------------


async def test_every_decision_can_be_made_again_to_the_byte(neighbours: World) -> None:
    await neighbours.conclude(WHO, CHENGDU, "2024-04-01")
    visits = await neighbours.plan(WHO, CHENGDU, "family_carer")
    await neighbours.deliver(WHO, CHENGDU, visits, "2024-04-05", 8000)
    await neighbours.live(WHO, CHENGDU, "admission", "2024-05-10")
    await neighbours.live(WHO, CHENGDU, "discharge", "2024-05-12")
    await neighbours.conclude(WHO, CHENGDU, "2024-06-01", 4)
    died = await neighbours.live(WHO, CHENGDU, "death", "2024-06-10")
    await neighbours.caught_up()
    await neighbours.stub.ReviewEntitlement(review({"enrollment": died}, pool=CHENGDU))
    await neighbours.settle(CHENGDU, "2024-06")
    store = neighbours.service.parts.store

    redone = set()
    for recorded in await store.read_all(0):
        redo = DECISIONS.get(recorded.type)
        if redo is None:
            continue
        event = neighbours.service.parts.codec.decode_clear(recorded.type, recorded.payload)
        ruling = Ruling.parse(event.ruling)
        found = await store.get_pack(ruling.pack.partition("@")[2])
        assert found is not None
        facts = [await raw(neighbours, ref.service, ref.position) for ref in ruling.facts]
        assert [fact.ref for fact in facts] == list(ruling.facts)
        assert redo(recorded.payload, facts, Pack.parse(found[1])) == event.ruling
        redone.add(recorded.type)

    assert redone == set(DECISIONS)


async def raw(neighbours: World, service: str, position: int) -> RawFact:
    [event] = await neighbours.stores[service].read_positions([position])
    return RawFact(service, position, event.type, event.payload, event.recorded_at)


def test_the_events_followed_are_those_the_services_write() -> None:
    written = {
        "enrollment": enrollment_codec(None).types,
        "assessment": assessment_codec(None).types,
        "provider": provider_codec(None).types,
    }

    for source in SOURCES:
        assert set(fact_types(source)) <= set(written[source])
    assert set(POSTED) <= set(written["enrollment"])


async def test_a_month_that_ended_yesterday_can_be_settled(neighbours: World) -> None:
    set_clock(neighbours.folder / "clock.json", date(2024, 8, 1))

    settled = await neighbours.settle(CHANGZHOU, "2024-07")

    assert settled.state == types.SETTLEMENT_STATE_CLOSED
