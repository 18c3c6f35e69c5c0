"""What is read from the evidence of visits, and how verdicts stand on it: one test a rule."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.ids import derive
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, canonical
from services.provider.domain import device as d
from services.provider.domain import forgetting as f
from services.provider.domain.evidence import (
    Evidence,
    Kept,
    Photo,
    SignalResult,
    Signals,
    VisitFindings,
    VisitPhase,
    digest_of,
    digest_over,
    evidence_bytes,
    together,
)
from services.provider.domain.findings import Compared, correction, find, skew_seconds
from services.provider.domain.signals import Evident
from services.provider.domain.verdict import Basis, question_of, rule_visit
from tests.provider.care import CHANGZHOU, HOME, NEXT_DOOR, PERSON, POOL, PROVIDER, as_facts, at
from tests.provider.test_verdict import FACTS, GOOD, ruled
from tests.support.spec import Decider

MATCHED, NOT_MATCHED, UNKNOWN = SignalResult
FINE = VisitFindings(end_distance_m=100, accuracy_m=20)
DEVICE = derive("device", "test")


def evident(**changes: Any) -> Evident:
    return Evident(findings=replace(FINE, **changes), digests=("0" * 64,))


def judged(found: Evident | None, pack: Pack = CHANGZHOU, **changes: Any) -> Ruling:
    question = replace(GOOD, evident=found, **changes)
    return rule_visit(question, Basis(facts=as_facts(*FACTS), pack=pack, code_version="test"))


def asking_for(signals: int) -> Pack:
    """Changzhou's rules, with so many signals asked for."""
    told = json.loads(CHANGZHOU.content)
    told["files"]["provider"]["visit_signals_min"]["values"][0]["value"] = signals
    return Pack.parse(canonical(told))


# --- verdicts --------------------------------------------------------------------------------


def test_a_visit_without_evidence_is_ruled_as_before_there_was_any() -> None:
    assert judged(None).to_bytes() == ruled().to_bytes()
    assert "evidence" not in judged(None).asked


def test_a_visit_whose_evidence_speaks_for_it_counts() -> None:
    ruling = judged(evident(beacon=MATCHED, signature=MATCHED, clock_skew_seconds=600))

    assert (ruling.outcome, ruling.reasons) == ("delivered", ())
    assert ruling.asked["evidence"] == "0" * 64


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("LOCATION_SIMULATED", {"mocked": True}),
        ("LEFT_EARLY", {"end_distance_m": 501}),
        ("PLACE_INACCURATE", {"accuracy_m": 201}),
        ("CLOCK_SKEWED", {"clock_skew_seconds": 601}),
        ("CLOCK_SKEWED", {"clock_skew_seconds": -601}),
        ("SIGNATURE_NOT_MATCHED", {"signature": NOT_MATCHED}),
        ("MARKER_NOT_MATCHED", {"beacon": NOT_MATCHED}),
        ("MARKER_NOT_MATCHED", {"tag": NOT_MATCHED, "beacon": MATCHED}),
        ("FACE_NOT_MATCHED", {"face": NOT_MATCHED}),
        ("FAMILY_CODE_WRONG", {"family_code": NOT_MATCHED}),
    ],
)
def test_one_signal_against_the_visit_is_enough(reason: str, changes: dict[str, Any]) -> None:
    ruling = judged(evident(**changes))

    assert ("rejected", (reason,)) == (ruling.outcome, ruling.reasons)


def test_what_nothing_is_on_record_for_speaks_neither_for_the_visit_nor_against_it() -> None:
    unknown = evident(signature=UNKNOWN, beacon=UNKNOWN, face=UNKNOWN, family_code=UNKNOWN)

    assert judged(unknown).reasons == ()
    assert judged(unknown, asking_for(2)).reasons == ("TOO_FEW_SIGNALS",)


def test_a_signal_that_was_not_given_is_not_asked_for() -> None:
    silent = Evident(findings=VisitFindings(), digests=("0" * 64,))

    assert len(judged(silent).steps) == len(judged(None).steps) + 1  # the simulated place alone
    assert judged(evident(end_distance_m=-1)).reasons == ()


@pytest.mark.parametrize(
    ("agreeing", "changes"),
    [(1, {}), (2, {"beacon": MATCHED}), (3, {"tag": MATCHED, "face": MATCHED})],
)
def test_a_pool_may_ask_for_several_kinds_of_signal(agreeing: int, changes: Any) -> None:
    assert judged(evident(**changes), asking_for(agreeing)).reasons == ()
    too_few = judged(evident(**changes), asking_for(agreeing + 1))
    assert too_few.reasons == ("TOO_FEW_SIGNALS",)


def test_a_place_that_is_far_or_simulated_is_no_signal_of_presence() -> None:
    asked = asking_for(1)

    assert judged(evident(), asked, distance_m=501).reasons == ("TOO_FAR", "TOO_FEW_SIGNALS")
    simulated = judged(evident(mocked=True), asked)
    assert simulated.reasons == ("LOCATION_SIMULATED", "TOO_FEW_SIGNALS")


results = st.none() | st.sampled_from(SignalResult)
any_findings = st.builds(
    VisitFindings,
    end_distance_m=st.integers(-1, 2_000),
    accuracy_m=st.integers(0, 500),
    mocked=st.booleans(),
    clock_skew_seconds=st.integers(-2_000, 2_000),
    signature=results,
    beacon=results,
    tag=results,
    face=results,
    family_code=results,
)


@for_all(found=any_findings, signals=st.integers(0, 5))
def test_a_verdict_made_again_from_its_ruling_alone_gives_the_same_bytes(
    found: VisitFindings, signals: int
) -> None:
    pack = asking_for(signals)
    ruling = judged(Evident(findings=found, digests=("a" * 64, "b" * 64)), pack)

    told = question_of(Ruling.parse(ruling.to_bytes()))
    basis = Basis(facts=as_facts(*FACTS), pack=pack, code_version="test")
    assert ruling.to_bytes() == rule_visit(told, basis).to_bytes()


# --- findings --------------------------------------------------------------------------------


def hashed(kind: str, read: str) -> str:
    return f"{kind}:{read}"


AGAINST = Compared(
    home=HOME,
    markers=d.Markers(
        by_kind={"beacon": frozenset({"beacon:b1"}), "family_code": frozenset({"family_code:1234"})}
    ),
    hashed=hashed,
    signature=MATCHED,
    skew_seconds=7,
)
HERE = Signals(place=NEXT_DOOR, accuracy_m=15, beacon="b1", family_code="1234")
PHOTO = Photo(sha256=b"p" * 32, perceptual_hash=5)


def test_what_is_read_says_how_far_and_whether_but_not_where() -> None:
    end = Signals(place=HOME, accuracy_m=40, photos=(PHOTO,), face=MATCHED)
    found = find(Evidence(start=HERE, end=end, device="D1", offline=True), AGAINST)

    assert found == VisitFindings(
        device="D1",
        start_distance_m=111,
        end_distance_m=0,
        accuracy_m=40,
        clock_skew_seconds=7,
        signature=MATCHED,
        beacon=MATCHED,
        face=MATCHED,
        family_code=MATCHED,
        offline=True,
        photos=(PHOTO,),
    )


def test_a_marker_of_another_home_does_not_match_and_an_unknown_kind_is_unknown() -> None:
    read = replace(HERE, beacon="b2", tag="t1", family_code="4321")
    found = find(Evidence(start=read), AGAINST)

    assert (found.beacon, found.tag) == (NOT_MATCHED, UNKNOWN)
    assert found.family_code is NOT_MATCHED
    assert find(Evidence(start=HERE), replace(AGAINST, markers=None)).beacon is UNKNOWN


def test_start_and_end_told_apart_say_the_same_as_told_whole() -> None:
    end = Signals(place=HOME, accuracy_m=40, photos=(PHOTO,), face=NOT_MATCHED, mocked=True)
    whole = find(Evidence(start=HERE, end=end), AGAINST)
    parts = (
        (VisitPhase.START, find(Evidence(start=HERE), AGAINST)),
        (VisitPhase.END, find(Evidence(end=end), AGAINST)),
    )

    kept = [Kept(phase=phase, digest=b"", findings=found) for phase, found in parts]
    assert together(kept) == whole
    assert together([]) is None


def test_a_digest_proves_the_evidence_and_cannot_be_tried_out_without_its_salt() -> None:
    content = evidence_bytes(Evidence(start=HERE, device="D1"))

    assert json.loads(content)["start"]["latitude_microdegrees"] == NEXT_DOOR.latitude_microdegrees
    assert digest_of(b"salt", content) != digest_of(b"other", content)
    assert digest_of(b"salt", content) == digest_of(b"salt", bytes(content))


def test_a_clock_is_corrected_in_whole_minutes_so_that_the_way_of_a_message_is_no_error() -> None:
    received = at("10:00")

    assert skew_seconds(None, received) == 0
    assert skew_seconds(at("10:05"), received) == 300
    assert correction(300 - 29) == correction(300) == at("10:05") - received
    assert not correction(-29)


# --- devices and markers ---------------------------------------------------------------------


DEVICES = Decider(d.decide, d.evolve, d.Device())
REGISTER = d.RegisterDevice(
    device=DEVICE,
    provider=PROVIDER,
    pool=POOL,
    public_key=b"k" * 32,
    registered_date=date(2024, 2, 1),
)
REGISTERED = d.DeviceRegistered(**vars(REGISTER))
RETIRE = d.RetireDevice(device=DEVICE, retired_date=date(2024, 3, 1), cause="lost")
RETIRED = d.DeviceRetired(**vars(RETIRE), provider=PROVIDER, pool=POOL)


def test_a_device_is_registered_once_and_with_one_provider() -> None:
    DEVICES.when(REGISTER).then(REGISTERED)
    DEVICES.given(REGISTERED).when(REGISTER).then()
    other = replace(REGISTER, provider=derive("other"))
    DEVICES.given(REGISTERED).when(other).then_refused("DEVICE_DIFFERS", device=str(DEVICE))


def test_a_device_is_retired_from_a_day_on_and_no_earlier_than_it_began() -> None:
    DEVICES.given(REGISTERED).when(RETIRE).then(RETIRED)
    DEVICES.given(REGISTERED, RETIRED).when(RETIRE).then()
    early = replace(RETIRE, retired_date=date(2024, 1, 31))
    DEVICES.given(REGISTERED).when(early).then_refused(
        "RETIRED_BEFORE_START", start_date="2024-02-01"
    )


def test_a_device_counts_for_its_provider_between_its_days() -> None:
    known = d.Device(registered=REGISTERED, retired=RETIRED.retired_date)

    assert not known.counts(PROVIDER, date(2024, 1, 31))
    assert known.counts(PROVIDER, date(2024, 2, 1))
    assert known.counts(PROVIDER, date(2024, 2, 29))
    assert not known.counts(PROVIDER, date(2024, 3, 1))
    assert not known.counts(derive("other"), date(2024, 2, 1))


def test_the_markers_of_a_day_are_those_of_the_latest_first_day_told_last() -> None:
    def told(day: int, beacon: str) -> d.PlaceMarkersSet:
        start = date(2024, 2, day)
        return d.PlaceMarkersSet(person=PERSON, pool=POOL, beacons=(beacon,), start_date=start)

    events = [told(10, "b"), told(1, "a"), told(10, "c")]
    assert d.markers_on(events, date(2024, 1, 31)) is None
    for day, beacon in ((9, "a"), (10, "c"), (28, "c")):
        found = d.markers_on(events, date(2024, 2, day))
        assert found is not None
        assert found.of("beacon") == {beacon}
    kept = d.MarkersKept(sets=tuple(events))
    assert d.set_markers(told(10, "c"), kept) == []
    assert d.set_markers(told(10, "b"), kept) == [told(10, "b")]


# --- forgetting ------------------------------------------------------------------------------


FORGOTTEN = Decider(f.decide, f.evolve, f.Forgotten())
DAY = date(2024, 3, 4)
ONE, TWO = sorted((derive("visit", "1"), derive("visit", "2")))


def test_what_is_forgotten_is_put_on_record_once_with_a_digest_over_its_digests() -> None:
    command = f.ForgetEvidence(
        pool=POOL, care_date=DAY, visits=((TWO, (b"2",)), (ONE, (b"1a", b"1b")))
    )
    event = f.EvidenceForgotten(
        pool=POOL, care_date=DAY, visits=(ONE, TWO), digest=digest_over((b"1a", b"1b", b"2"))
    )
    FORGOTTEN.when(command).then(event)
    FORGOTTEN.given(event).when(command).then()
    known = replace(event, visits=(ONE,))
    [rest] = f.decide(command, f.evolve(f.Forgotten(), known))
    assert rest.visits == (TWO,)


def test_evidence_is_due_on_the_day_after_the_last_day_to_object() -> None:
    assert f.due_on(DAY, 60) == date(2024, 5, 4)
    assert f.last_due(date(2024, 5, 4), 60) == DAY
    f.check_due(DAY, date(2024, 5, 4), 60)
    with pytest.raises(Refused, match="OBJECTION_PERIOD_RUNS") as refused:
        f.check_due(DAY, date(2024, 5, 3), 60)
    assert refused.value.facts["until"] == "2024-05-03"
