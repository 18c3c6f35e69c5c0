"""Numbers for the law-maker: what was disputed, and what of it did not stand."""

from datetime import date
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.ids import derive
from services.assessment.domain import dispute_events as d
from services.assessment.domain.overturns import By, Line, Overturns
from tests.assessment import intake
from tests.support.packs import CHANGZHOU

CASE: dict[str, Any] = {
    "application": derive("application"),
    "person": derive("person"),
    "pool": CHANGZHOU,
}
DAY = date(2024, 4, 1)
BODY = derive("test", "body")
REQUESTED = d.ReviewRequested(
    **CASE,
    requested_date=DAY,
    due_date=DAY,
    attacked_clauses=("assessment.combination",),
    attacked_items=("adl_feeding",),
)


def graded(grade: int, *changed: str) -> d.ReviewGraded:
    return d.ReviewGraded(
        **CASE,
        grade=grade,
        grade_before=3,
        assessed_date=DAY,
        changed_items=tuple(d.ItemChange(item=i, score_before=0, score=5) for i in changed),
        original_assessors=("assessor-1", "expert-1"),
        attacked_clauses=("assessment.combination",),
        ruling=b"",
    )


def appealed(outcome: d.AppealOutcome) -> list[object]:
    about: dict[str, Any] = {
        **CASE,
        "appeal": derive("appeal"),
        "against": d.AppealAgainst.CONCLUSION,
        "attacked_clauses": ("assessment.eligible_grades",),
        "attacked_items": (),
    }
    filed = d.AppealFiled(
        **about, told_date=DAY, filed_date=DAY, file_by_date=None, due_date=None, statement=""
    )
    decided = d.AppealDecided(
        **about,
        outcome=outcome,
        grade=4,
        grade_before=3,
        effective_date=DAY,
        panel=("a", "b"),
        decided_date=DAY,
        preview_digest="",
        reasoning="",
        original_assessors=("assessor-1",),
        ruling=b"",
    )
    return [filed, decided]


def counted(*events: object) -> dict[tuple[By, str], Line]:
    counts = Overturns()
    for event in events:
        counts.tell(event)
    return {(line.by, line.name): line for line in counts.lines()}


def test_a_review_with_another_grade_overturns_clause_and_assessors() -> None:
    lines = counted(REQUESTED, graded(4, "adl_feeding"))

    for place in [
        (By.KIND, "review"),
        (By.CLAUSE, "assessment.combination"),
        (By.ITEM, "adl_feeding"),
        (By.ASSESSOR, "assessor-1"),
        (By.ASSESSOR, "expert-1"),
    ]:
        assert (lines[place].decided, lines[place].overturned) == (1, 1)
    assert lines[By.KIND, "review"].overturned_bp == 10_000


def test_an_item_that_was_attacked_and_stood_is_decided_and_not_overturned() -> None:
    lines = counted(REQUESTED, graded(3, "cog_time"))

    assert (lines[By.ITEM, "adl_feeding"].filed, lines[By.ITEM, "adl_feeding"].overturned) == (1, 0)
    assert (lines[By.ITEM, "cog_time"].filed, lines[By.ITEM, "cog_time"].overturned) == (0, 1)
    assert lines[By.KIND, "review"].overturned == 0


def test_an_appeal_counts_by_its_outcome() -> None:
    won = counted(*appealed(d.AppealOutcome.UPHELD))
    lost = counted(*appealed(d.AppealOutcome.DISMISSED))

    place = (By.CLAUSE, "assessment.eligible_grades")
    assert (won[place].overturned, lost[place].overturned) == (1, 0)
    assert won[place].decided == lost[place].decided == 1


def test_a_body_is_counted_once_a_dispute() -> None:
    both = [intake.registered(one, body=BODY) for one in ("assessor-1", "expert-1")]
    lines = counted(*both, REQUESTED, graded(4))

    line = lines[By.BODY, str(BODY)]
    assert (line.decided, line.overturned) == (1, 1)


@for_all(
    told=st.lists(
        st.sampled_from(
            [
                [REQUESTED],
                [graded(4, "adl_feeding")],
                [graded(3)],
                appealed(d.AppealOutcome.UPHELD),
                appealed(d.AppealOutcome.DISMISSED),
            ]
        ),
        max_size=12,
    )
)
def test_no_more_is_overturned_than_decided(told: list[list[object]]) -> None:
    for line in counted(*(event for part in told for event in part)).values():
        assert 0 <= line.overturned <= line.decided
        assert 0 <= line.overturned_bp <= 10_000
