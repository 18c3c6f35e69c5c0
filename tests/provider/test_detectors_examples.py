"""The people of the example files live ordinary lives: only what is planted may be flagged."""

import csv
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.enrollment.v1 import events_pb2 as enrollment
from ltci.provider.v1 import events_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from services.provider.domain.place import Place
from tests.provider.seen_visits import Log, flags, named

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PLANNED = date(2024, 1, 1)


def rows(name: str) -> Iterator[dict[str, str]]:
    with (EXAMPLES / name).open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


def micro(degrees: str) -> int:
    return round(float(degrees) * 1_000_000)


def lives() -> list[tuple[date, Any]]:
    """What the files tell of people's lives, by the day it happened."""
    return [
        (
            date.fromisoformat(row["event_date"]),
            enrollment.LifeEventReported(
                life_event=f"{number}",
                person=str(named(row["identity_number"])),
                pool=row["pool"],
                kind=enrollment_types.LifeEventKind.Value(f"LIFE_EVENT_KIND_{row['kind'].upper()}"),
                event_date=row["event_date"],
            ),
        )
        for number, row in enumerate(rows("life_events.csv"))
    ]


def told() -> Log:
    """The example files as a log: each event on its day."""
    log = Log()
    for row in rows("prices.csv"):
        price = pb.PriceListed(
            provider=str(named(row["social_credit_code"])),
            item=row["item"],
            effective_date=row["effective_date"],
            minutes=int(row["minutes"]),
        )
        log.tell("provider", price, PLANNED)
    plans: dict[tuple[str, str], list[dict[str, str]]] = {}
    for number, row in enumerate(rows("plans.csv")):
        plans.setdefault((row["identity_number"], row["pool"]), []).append(row)
        row["plan"] = str(named(f"plan {number}"))
        place = Place(
            latitude_microdegrees=micro(row["latitude"]),
            longitude_microdegrees=micro(row["longitude"]),
        )
        approved = pb.PlanApproved(
            plan=row["plan"],
            person=str(named(row["identity_number"])),
            pool=row["pool"],
            provider=str(named(row["social_credit_code"])),
            form=types.CareForm.Value(f"CARE_FORM_{row['form'].upper()}"),
            start_date=row["start_date"],
        )
        log.tell("provider", approved, PLANNED, place)
    happened: list[tuple[date, Any]] = lives()
    for number, row in enumerate(rows("visits.csv")):
        day = datetime.fromisoformat(row["start_time"]).date()
        begun = [
            one
            for one in plans[row["identity_number"], row["pool"]]
            if one["start_date"] <= str(day)
        ]
        if begun:
            plan = max(begun, key=lambda one: one["start_date"])
            happened += [(day, one) for one in visit(number, row, plan, day)]
    for day, message in sorted(happened, key=lambda one: one[0]):
        source = "provider" if isinstance(message, _OWN) else "enrollment"
        log.tell(source, message, day)
    return log


_OWN = (pb.VisitStarted, pb.VisitEnded, pb.ServiceDelivered)


def visit(number: int, row: dict[str, str], plan: dict[str, str], day: date) -> list[Any]:
    known: dict[str, Any] = {
        "visit": str(named(f"visit {number}")),
        "person": str(named(row["identity_number"])),
    }
    of_plan: dict[str, Any] = {"plan": plan["plan"], "pool": row["pool"]}
    items = [types.ItemDone(item=item, price_fen=1_000) for item in row["items"].split(";")]
    return [
        pb.VisitStarted(
            **known,
            **of_plan,
            caregiver=str(named(row["caregiver_identity_number"])),
            start_time=row["start_time"],
        ),
        pb.VisitEnded(**known, end_time=row["end_time"], items=items),
        pb.ServiceDelivered(
            **known,
            **of_plan,
            provider=str(named(plan["social_credit_code"])),
            care_date=str(day),
            cost_fen=1_000 * len(items),
        ),
    ]


# What the files mean to be wrong: two visits cut short, one in the ward on a day in hospital, and
# one caregiver with two people at the same time.
MEANT = {
    ("too_short", "510104194710171373", "2024-07-03"),
    ("too_short", "320402193912121191", "2024-08-28"),
    ("in_hospital", "510104193808221338", "2024-10-30"),
    ("two_places", "320402193912121191", "2024-10-15"),
    ("two_places", "32040219410305101X", "2024-10-15"),
}


def test_of_the_example_files_only_what_is_meant_to_be_wrong_is_flagged() -> None:
    log = told()
    decided = sum(isinstance(one.message, pb.ServiceDelivered) for one in log.events)
    assert decided > 3_000  # the files were read
    people = {named(row["identity_number"]): row["identity_number"] for row in rows("plans.csv")}
    found = {
        (one.detector, people[one.visit.person], str(one.day))
        for one in flags(log.events)
        if one.visit is not None
    }
    assert found == MEANT
