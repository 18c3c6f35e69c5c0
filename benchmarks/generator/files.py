"""The month as CSV files: what the import commands take, and beside it evidence and the truth.

`visits.csv` has the columns of `ltci import visits`; `evidence.csv` has one row for each of its
lines, in the same order. `truth.csv` says what was planted: nothing else does.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import TextIO

from benchmarks.generator.city import (
    DEAR,
    ITEMS,
    PLANNED,
    RESIDENT_DAY,
    City,
    Life,
    Point,
    assessor_number,
    carer_number,
    credit_code,
    name_of,
    person_number,
)
from benchmarks.generator.month import month
from benchmarks.generator.sizes import Fraud, Sizes
from benchmarks.generator.visits import Visit, times_of

Rows = Iterator[tuple[object, ...]]
# One form for each grade (医保办发〔2021〕37号): activities, cognition, perception.
_SEVERE = "5,0,0,5,5,0,5,5,0,0"
_FORMS = {
    1: "10,10,5,10,10,10,10,10,5,0,4,4,4,4,4,4,4",
    2: "10,5,0,10,5,5,10,10,0,0,2,3,3,2,3,3,3",
    3: f"{_SEVERE},2,3,3,2,4,4,4",
    4: f"{_SEVERE},1,1,1,0,3,3,3",
    5: f"{_SEVERE},0,1,0,0,3,3,3",
}
_MARKS = (
    "adl_feeding,adl_dressing,adl_face_oral,adl_bowel,adl_bladder,adl_toilet,adl_walking,"
    "adl_transfer,adl_stairs,adl_bathing,cog_time,cog_person,cog_space,cog_memory,per_vision,"
    "per_hearing,per_communication"
)
TRUTH = "kind,planted,subject_kind,subject,identity_number,start_time,care_date,line"


class World:
    """What stands before the month begins, and what happens to people in it."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.city = City(sizes)
        self.start = date(sizes.first.year - 1, 1, 1)  # of agreements, prices, registers
        self.end = date(sizes.first.year + 1, 12, 31)

    def files(self) -> dict[str, tuple[str, Callable[[], Rows]]]:
        """Name of each file, its header, its rows."""
        return {
            "providers": (
                "pool,provider_name,social_credit_code,agreement_start_date,agreement_end_date",
                self.providers,
            ),
            "prices": (
                "social_credit_code,item,item_name,price_yuan,effective_date,minutes,care",
                self.prices,
            ),
            "caregivers": (
                "identity_number,full_name,social_credit_code,certificate,registered_date",
                self.caregivers,
            ),
            "examination_results": (
                "identity_number,level,passed,certificate,exam_date",
                self.examinations,
            ),
            "revocations": (
                "identity_number,certificate,revoked_date,cause",
                self.revocations,
            ),
            "bars": ("identity_number,role,start_date,cause", self.bars),
            "persons": (
                (
                    "identity_number,full_name,phone,address,pool,group,coverage_start_date,"
                    "registered_date"
                ),
                self.persons,
            ),
            "plans": (
                "identity_number,pool,social_credit_code,form,start_date,latitude,longitude",
                self.plans,
            ),
            "plan_items": ("identity_number,pool,item,visits_a_week", self.plan_items),
            "plan_ends": ("identity_number,pool,end_date,cause", self.plan_ends),
            "entitlements": ("identity_number,pool,effective_date", self.entitlements),
            "life_events": ("identity_number,pool,kind,event_date,source", self.life_events),
            "assessors": (
                (
                    "pool,assessor,identity_number,full_name,assessor_kind,social_credit_code,title,"
                    "practice_since_date,trained_date,examined_date,division,registered_date"
                ),
                self.assessors,
            ),
            "assessment_bodies": (
                (
                    "pool,social_credit_code,body_name,operating_since_date,agreement_start_date,"
                    "agreement_end_date,division"
                ),
                self.assessment_bodies,
            ),
            "applications": (
                (
                    "identity_number,pool,kind,application_date,disabled_since_date,missing_papers,"
                    f"papers_supplied_date,withdrawn_date,assessed_date,assessor,expert,{_MARKS},"
                    "confirming_expert_1,confirming_expert_2,confirmed_date"
                ),
                self.applications,
            ),
        }

    def providers(self) -> Rows:
        pool = self.sizes.pool
        for number in range(self.sizes.providers):
            kind = "护理服务中心" if number < self.sizes.home_providers else "养老院"
            yield pool, f"示例{kind}{number:03d}", credit_code(pool, number), self.start, self.end

    def items_of(self, provider: int) -> tuple[str, ...]:
        if provider >= self.sizes.home_providers:
            return (RESIDENT_DAY.code,)
        return tuple(item.code for item in (*PLANNED, *DEAR))

    def prices(self) -> Rows:
        for provider in range(self.sizes.providers):
            code = credit_code(self.sizes.pool, provider)
            for item in map(ITEMS.__getitem__, self.items_of(provider)):
                care = "medical" if item.medical else "life"
                yield code, item.code, item.name, item.yuan, self.start, item.minutes, care

    def caregivers(self) -> Rows:
        pool = self.sizes.pool
        for number in range(self.sizes.carers):
            code = credit_code(pool, self.city.carer(number).provider)
            certificate = certificate_of(pool, number)
            yield carer_number(pool, number), name_of(number), code, certificate, self.start

    def examinations(self) -> Rows:
        pool, day = self.sizes.pool, self.start - timedelta(days=180)
        for number in range(self.sizes.carers):
            yield carer_number(pool, number), "five", "yes", certificate_of(pool, number), day

    def revocations(self) -> Rows:
        for number, day, barred in self._stopped():
            if not barred:
                pool = self.sizes.pool
                told = certificate_of(pool, number)
                yield carer_number(pool, number), told, day, "证书系伪造 (forged)"

    def bars(self) -> Rows:
        for number, day, barred in self._stopped():
            if barred:
                yield carer_number(self.sizes.pool, number), "staff", day, "虚假服务 (false care)"

    def persons(self) -> Rows:
        pool = self.sizes.pool
        for number in range(self.sizes.people):
            phone, street = f"139{number:08d}", f"示例路{number % 900 + 1}号"
            name, since = name_of(number), self.start - timedelta(days=1461)
            told = person_number(pool, number)
            yield told, name, phone, street, pool, "retiree", since, self.start

    def plans(self) -> Rows:
        pool = self.sizes.pool
        for number in range(self.sizes.people):
            person = self.city.person(number)
            code = credit_code(pool, self.city.carer(person.carer).provider)
            form = "institution" if person.resident else "home_visits"
            yield (
                person_number(pool, number),
                pool,
                code,
                form,
                self.sizes.first,
                *degrees(person.home),
            )

    def plan_items(self) -> Rows:
        pool = self.sizes.pool
        for number in range(self.sizes.people):
            person = self.city.person(number)
            # One more than is used: who is visited once more by a colleague stays within.
            weekly = 7 if person.resident else len(person.weekdays) + 1
            for item in person.plan:
                yield person_number(pool, number), pool, item, weekly

    def plan_ends(self) -> Rows:
        for number, life in self._lives("leaves"):
            day = self.sizes.day(life.day - 1)
            yield person_number(self.sizes.pool, number), self.sizes.pool, day, "改由家属照护"

    def entitlements(self) -> Rows:
        """From when on each is entitled: long before, or within the month."""
        for number in range(self.sizes.people):
            life = self.city.life(number)
            day = self.sizes.day(life.day) if life.kind == "begins" else self.start
            yield person_number(self.sizes.pool, number), self.sizes.pool, day

    def life_events(self) -> Rows:
        pool = self.sizes.pool
        for number, life in self._lives("dies", "in_hospital"):
            told = person_number(pool, number)
            if life.kind == "dies":
                yield told, pool, "death", self.sizes.day(life.day), "register"
            else:
                yield told, pool, "admission", self.sizes.day(life.day), "hospital"
                yield told, pool, "discharge", self.sizes.day(life.until), "hospital"

    def assessors(self) -> Rows:
        pool, body = self.sizes.pool, credit_code(self.sizes.pool, 90_000)
        for number in range(self.sizes.assessors + 3):
            kind = "assessor" if number < self.sizes.assessors else "expert"
            yield (
                pool,
                f"{pool}-{kind}-{number}",
                assessor_number(pool, number),
                name_of(number),
                kind,
                body,
                "none" if kind == "assessor" else "senior",
                date(2010, 1, 1),
                date(2023, 3, 1),
                date(2023, 4, 1),
                f"{pool[:4]}04",
                self.start,
            )

    def assessment_bodies(self) -> Rows:
        pool = self.sizes.pool
        code, since = credit_code(pool, 90_000), date(2018, 1, 1)
        yield pool, code, "示例失能评估中心", since, self.start, self.end, f"{pool[:4]}04"

    def applications(self) -> Rows:
        pool, sizes = self.sizes.pool, self.sizes
        experts = [f"{pool}-expert-{sizes.assessors + n}" for n in range(3)]
        for number in range(sizes.people):
            assessor = self.city.assessor_of(number)
            if assessor is None:
                continue
            asked = sizes.first - timedelta(days=60 - number % 20)
            grade = self.city.grade(number, assessor)
            yield (
                person_number(pool, number),
                pool,
                "first",
                asked,
                asked - timedelta(days=365),
                "",
                "",
                "",
                asked + timedelta(days=9),
                f"{pool}-assessor-{assessor}",
                experts[0],
                *_FORMS[grade].split(","),
                experts[1],
                experts[2],
                asked + timedelta(days=14),
            )

    def bodies(self) -> Iterator[tuple[Fraud, str, str]]:
        """What is planted on providers and assessors: kind, kind of subject, subject."""
        pool = self.sizes.pool
        for provider in sorted(self.city.drifting):
            yield Fraud.PROVIDER_DRIFT, "provider", credit_code(pool, provider)
        for assessor in sorted(self.city.lenient):
            yield Fraud.ASSESSOR_DRIFT, "assessor", f"{pool}-assessor-{assessor}"
        for assessor in sorted(self.city.tied.values()):
            yield Fraud.ASSESSOR_TIED, "assessor", f"{pool}-assessor-{assessor}"

    def _lives(self, *kinds: str) -> Iterator[tuple[int, Life]]:
        for number in range(self.sizes.people):
            life = self.city.life(number)
            if life.kind in kinds:
                yield number, life

    def _stopped(self) -> Iterator[tuple[int, date, bool]]:
        for number in range(self.sizes.carers):
            carer = self.city.carer(number)
            if carer.stops >= 0:
                yield number, self.sizes.day(carer.stops), carer.barred


def write(sizes: Sizes, folder: Path, tell: Callable[[int], None]) -> dict[str, int]:
    """Writes all files; `tell` hears of each visit. Returns the rows of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(sizes)
    counts: dict[str, int] = {}
    for name, (header, rows) in world.files().items():
        with _opened(folder, name) as file:
            counts[name] = _written(file, header, rows())
    return counts | _visits(world, folder, tell)


def _visits(world: World, folder: Path, tell: Callable[[int], None]) -> dict[str, int]:
    sizes, pool = world.sizes, world.sizes.pool
    times = times_of(sizes.first.year, sizes.first.month)
    headers = {
        "visits": (
            "identity_number,pool,caregiver_identity_number,start_time,end_time,latitude,"
            "longitude,items,confirmed_by"
        ),
        "evidence": (
            "identity_number,caregiver_identity_number,start_time,device,accuracy_m,"
            "mocked,device_start_time,device_end_time,end_latitude,end_longitude,photos,sent_time,"
            "offline"
        ),
        "claims": "identity_number,pool,social_credit_code,start_time,items,amount_yuan",
        "truth": TRUTH,
    }
    counts = dict.fromkeys(headers, 0)
    with ExitStack() as stack:
        out = {name: csv.writer(stack.enter_context(_opened(folder, name))) for name in headers}
        for name, header in headers.items():
            out[name].writerow(header.split(","))
        for line, visit in enumerate(month(sizes), start=2):
            who, whose = person_number(pool, visit.person), carer_number(pool, visit.carer)
            start = times.text(visit.start)
            told = {
                "visits": _visit_row(visit, who, pool, whose, start, times.text(visit.end)),
                "evidence": (who, whose, start, *_evidence_cells(visit, times.text)),
                "claims": (who, pool, credit_code(pool, visit.provider), start, *_claim(visit)),
            }
            for name, row in told.items():
                out[name].writerow(row)
                counts[name] += 1
            for kind, planted in visit.labels:
                day = sizes.day(visit.day)
                out["truth"].writerow(
                    (kind, int(planted), "visit", visit.visit_id, who, start, day, line)
                )
                counts["truth"] += 1
            tell(1)
        for kind, subject_kind, subject in world.bodies():
            out["truth"].writerow((kind, 1, subject_kind, subject, "", "", "", ""))
            counts["truth"] += 1
    return counts


def _visit_row(
    visit: Visit, who: str, pool: str, whose: str, start: str, end: str
) -> tuple[object, ...]:
    confirmed = "family" if visit.by_family else "person"
    return who, pool, whose, start, end, *degrees(visit.here), ";".join(visit.items), confirmed


def _evidence_cells(visit: Visit, text: Callable[[int], str]) -> tuple[object, ...]:
    photos = ";".join(f"{sha256.hex()}:{look:016x}" for sha256, look in visit.photos)
    end = degrees(visit.there) if visit.there else ("", "")
    return (
        visit.device,
        visit.accuracy_m,
        "yes" if visit.mocked else "no",
        text(visit.start + visit.skew),
        text(visit.end + visit.skew) if visit.there else "",
        *end,
        photos,
        text(visit.sent + visit.skew),
        "yes" if visit.offline else "no",
    )


def claimed_fen(visit: Visit, item: str) -> int:
    """What is claimed for an item: its list price, and more where somebody overcharges."""
    return ITEMS[item].fen * (100 + visit.overcharged) // 100


def _claim(visit: Visit) -> tuple[str, str]:
    fen = {item: claimed_fen(visit, item) for item in visit.items}
    told = ";".join(f"{item}={_yuan(amount)}" for item, amount in fen.items())
    return told, _yuan(sum(fen.values()))


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def degrees(place: Point) -> tuple[str, str]:
    """Latitude and longitude with six places, as the files have them."""
    return tuple(f"{value // 1_000_000}.{value % 1_000_000:06d}" for value in place)  # type: ignore[return-value]  # a pair gives a pair


def certificate_of(pool: str, carer: int) -> str:
    return f"CZ{pool}{carer:06d}"


def _opened(folder: Path, name: str) -> TextIO:
    return (folder / f"{name}.csv").open("w", encoding="utf-8", newline="")


def _written(file: TextIO, header: str, rows: Iterable[tuple[object, ...]]) -> int:
    writer = csv.writer(file)
    writer.writerow(header.split(","))
    count = 0
    for row in rows:
        writer.writerow(row)
        count += 1
    return count
