"""Writes the input files of the demo: forty-nine fictitious people in two cities, two years.

Independent of the product: it imports nothing of it. Everybody and everything here is made up;
the identity numbers are well-formed and belong to nobody. Run it to make the CSV files anew:

    python examples/make_examples.py
"""

import csv
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).parent
CHANGZHOU, CHENGDU = "320400", "510100"
DIVISION = {CHANGZHOU: "320402", CHENGDU: "510104"}
HOME = {CHANGZHOU: (31_811_000, 119_974_000), CHENGDU: (30_657_000, 104_066_000)}
LAST_DAY = date(2025, 12, 31)

ITEMS = [
    "adl_feeding", "adl_dressing", "adl_face_oral", "adl_bowel", "adl_bladder", "adl_toilet",
    "adl_walking", "adl_transfer", "adl_stairs", "adl_bathing", "cog_time", "cog_person",
    "cog_space", "cog_memory", "per_vision", "per_hearing", "per_communication",
]  # fmt: skip
ADL = {
    "intact": [10, 10, 5, 10, 10, 10, 15, 15, 10, 5],
    "mild": [10, 10, 5, 10, 10, 10, 10, 10, 5, 0],
    "moderate": [10, 5, 0, 10, 5, 5, 10, 10, 0, 0],
    "severe": [5, 0, 0, 5, 5, 0, 5, 5, 0, 0],
}
COGNITION = {
    "intact": [4, 4, 4, 4],
    "mild": [2, 3, 3, 2],
    "moderate": [1, 1, 1, 0],
    "severe": [0, 1, 0, 0],
}
PERCEPTION = {"intact": [4, 4, 4], "mild": [3, 3, 3], "moderate": [1, 1, 1]}
# One form for each grade that the demo needs.
FORMS = {
    1: ADL["mild"] + COGNITION["intact"] + PERCEPTION["intact"],
    2: ADL["moderate"] + COGNITION["mild"] + PERCEPTION["mild"],
    3: ADL["severe"] + COGNITION["mild"] + PERCEPTION["intact"],
    4: ADL["severe"] + COGNITION["moderate"] + PERCEPTION["mild"],
    5: ADL["severe"] + COGNITION["severe"] + PERCEPTION["mild"],
}
PRICES = [  # item, name, price in yuan, minutes
    ("L01", "头面部清洁梳理", "15.00", 10),
    ("L02", "洗发", "25.00", 20),
    ("L05", "温水擦浴", "45.50", 30),
    ("I01", "机构护理日", "98.00", 480),
]
VISIT_ITEMS = ["L01", "L02", "L05"]  # 60 minutes, 85.50 yuan
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏"
GIVEN = [
    "玉兰",
    "建国",
    "秀英",
    "德明",
    "桂芳",
    "志强",
    "淑贞",
    "文华",
    "凤英",
    "永福",
    "春梅",
    "国栋",
]


@dataclass
class Assessed:
    """One application with its days."""

    kind: str
    on: date
    grade: int = 0  # 0: never assessed
    on_site_after: int = 9
    confirmed_after: int = 14
    missing_papers: str = ""
    withdrawn: date | None = None
    key: str = ""


@dataclass
class Objection:
    """A neighbour objects in publicity, and the office decides."""

    filed: date
    decided: date
    outcome: str
    grounds: str
    reasons: str


@dataclass
class Review:
    """The applicant asks for a second round by other people."""

    requested: date
    assessed: date
    confirmed: date
    grade: int


@dataclass
class Appeal:
    """An appeal to a panel, which establishes a grade where it upholds it."""

    filed: date
    decided: date
    outcome: str
    grade: int
    effective: date
    grounds: str
    reasons: str


@dataclass
class Life:
    """One person's story, as the files will tell it."""

    pool: str
    group: str
    born: date
    story: str
    form: str = ""
    weekdays: tuple[int, ...] = ()  # of visits, Monday is 0
    assessed: list[Assessed] = field(default_factory=list)
    events: list[tuple[str, date, str]] = field(default_factory=list)  # kind, day, source
    covered_since: date = date(2020, 1, 1)
    contributes: bool = True
    care_until: date = LAST_DAY
    care_from: date | None = None
    account: str = "normal"  # normal, closed, silent
    spoilt: dict[int, str] = field(default_factory=dict)  # number of a visit → what is wrong
    dispute: Objection | Review | Appeal | None = None
    twin_until: date | None = None  # registered twice, and merged on this day
    moves: tuple[str, date] | None = None  # to which pool, and the last day in the old one
    handed_over: date | None = None  # the day on which another provider takes the plan over
    beside: date | None = None  # a visit told in the name of a caregiver who was elsewhere
    twin: str = ""  # the other number
    number: str = ""
    name: str = ""


def first(on: date, grade: int, **more: object) -> list[Assessed]:
    return [Assessed("first", on, grade, **more)]  # type: ignore[arg-type]


def lives() -> list[Life]:
    """The cast. Order is identity: numbers, names and accounts follow from it."""
    c, d, day = CHANGZHOU, CHENGDU, date
    daily, mwf, tue_fri, weekly = (0, 1, 2, 3, 4, 5, 6), (0, 2, 4), (1, 4), (2,)
    return [
        # Changzhou
        Life(c, "retiree", day(1941, 3, 5), "home visits, severe I", "home_visits", tue_fri, first(day(2024, 2, 5), 3)),
        Life(c, "retiree", day(1938, 7, 19), "home visits above the cap, severe II", "home_visits", (0, 1, 2, 3, 4), first(day(2024, 2, 6), 4), care_until=day(2024, 12, 31)),
        Life(c, "resident", day(1936, 11, 2), "home visits, severe III", "home_visits", mwf, first(day(2024, 2, 19), 5)),
        Life(c, "resident", day(1949, 5, 23), "home visits above the lower cap, moderate", "home_visits", mwf, first(day(2024, 2, 26), 2)),
        Life(c, "employee", day(1966, 9, 14), "home visits, moderate", "home_visits", tue_fri, first(day(2024, 3, 4), 2)),
        Life(c, "flexible", day(1962, 1, 30), "home visits, severe I", "home_visits", weekly, first(day(2024, 3, 11), 3)),
        Life(c, "retiree", day(1934, 4, 8), "institution, severe II", "institution", daily, first(day(2024, 3, 18), 4), care_from=day(2025, 7, 1)),
        Life(c, "resident", day(1940, 12, 27), "institution, moderate", "institution", daily, first(day(2024, 4, 8), 2), care_from=day(2025, 9, 1)),
        Life(c, "resident", day(1945, 6, 16), "carer's subsidy, severe I", "family_carer", (), first(day(2024, 2, 7), 3)),
        Life(c, "resident", day(1943, 8, 3), "carer's subsidy, moderate", "family_carer", (), first(day(2024, 4, 15), 2)),
        Life(c, "flexible", day(1958, 10, 11), "carer's subsidy, severe III", "family_carer", (), first(day(2024, 5, 13), 5)),
        Life(c, "resident", day(1951, 2, 28), "refused for the grade", "", (), first(day(2024, 2, 5), 1)),
        Life(c, "retiree", day(1947, 3, 17), "withdrawn by the family", "", (), first(day(2024, 3, 6), 0, withdrawn=day(2024, 3, 15))),
        Life(c, "resident", day(1950, 7, 7), "papers never came: taken as withdrawn", "", (), first(day(2024, 4, 10), 0, missing_papers="medical_records;guardian_paper")),
        Life(c, "retiree", day(1942, 1, 9), "in hospital for a while", "family_carer", (), first(day(2024, 2, 21), 4), events=[("admission", day(2024, 9, 10), "hospital"), ("discharge", day(2024, 9, 24), "hospital")]),
        Life(c, "resident", day(1944, 5, 5), "reassessed from moderate to severe", "home_visits", (0, 1, 2, 3, 4), [Assessed("first", day(2024, 3, 20), 2), Assessed("change_of_state", day(2025, 2, 10), 4)], care_until=day(2025, 8, 31)),
        Life(c, "employee", day(1971, 11, 21), "recovered", "home_visits", tue_fri, [Assessed("first", day(2024, 2, 28), 3), Assessed("change_of_state", day(2025, 3, 12), 1)]),
        Life(c, "resident", day(1933, 9, 30), "died in mid-month", "family_carer", (), first(day(2024, 3, 27), 5), events=[("death", day(2025, 5, 17), "register")]),
        Life(c, "retiree", day(1939, 12, 12), "a visit too far from home", "home_visits", weekly, first(day(2024, 5, 20), 3), spoilt={3: "too_far", 9: "too_short"}, beside=BESIDE),
        Life(c, "resident", day(1946, 4, 18), "payment returned, then paid", "family_carer", (), first(day(2024, 6, 3), 3), account="closed"),
        Life(c, "resident", day(1948, 8, 26), "payment left unknown, found paid", "family_carer", (), first(day(2024, 6, 12), 4), account="silent"),
        Life(c, "flexible", day(1960, 6, 1), "not paid up: not taken", "", (), first(day(2024, 5, 8), 0), contributes=False),
        # Chengdu
        Life(d, "resident", day(1942, 2, 14), "family carer, severe I", "family_carer", weekly, first(day(2024, 2, 5), 3)),
        Life(d, "resident", day(1937, 6, 25), "family carer, severe II", "family_carer", weekly, first(day(2024, 2, 8), 4)),
        Life(d, "retiree", day(1935, 10, 6), "family carer, severe III", "family_carer", tue_fri, first(day(2024, 2, 6), 5)),
        Life(d, "employee", day(1969, 3, 29), "family carer, severe I", "family_carer", (), first(day(2024, 2, 27), 3)),
        Life(d, "retiree", day(1940, 9, 9), "agency at home, severe I", "home_agency", weekly, first(day(2024, 3, 5), 3)),
        Life(d, "resident", day(1944, 12, 1), "agency at home, severe III", "home_agency", weekly, first(day(2024, 3, 19), 5)),
        Life(d, "retiree", day(1932, 5, 15), "institution, severe III", "institution", daily, first(day(2024, 4, 9), 5), care_from=day(2025, 7, 1)),
        Life(d, "resident", day(1941, 1, 20), "institution, severe I", "institution", daily, first(day(2024, 4, 16), 3), care_from=day(2025, 10, 1)),
        Life(d, "resident", day(1952, 7, 31), "moderate: refused for the grade", "", (), first(day(2024, 3, 13), 2)),
        Life(d, "resident", day(1963, 4, 4), "insured too short: not taken", "", (), first(day(2024, 4, 23), 0), covered_since=day(2023, 1, 1)),
        Life(d, "retiree", day(1938, 8, 22), "in hospital for a while", "family_carer", weekly, first(day(2024, 2, 20), 4), events=[("admission", day(2024, 10, 28), "hospital"), ("discharge", day(2024, 11, 12), "hospital")]),
        Life(d, "resident", day(1943, 11, 11), "reassessed from severe I to III", "home_agency", weekly, [Assessed("first", day(2024, 4, 2), 3), Assessed("change_of_state", day(2025, 1, 14), 5)]),
        Life(d, "employee", day(1973, 2, 2), "recovered", "family_carer", weekly, [Assessed("first", day(2024, 3, 12), 3), Assessed("change_of_state", day(2024, 12, 9), 1)]),
        Life(d, "retiree", day(1931, 3, 3), "died in mid-month", "family_carer", weekly, first(day(2024, 2, 29), 3), events=[("death", day(2024, 11, 10), "register")]),
        Life(d, "resident", day(1947, 10, 17), "visits too short and not confirmed", "family_carer", weekly, first(day(2024, 5, 7), 4), spoilt={5: "too_short", 12: "not_confirmed"}),
        Life(d, "resident", day(1945, 1, 26), "payment returned, then paid", "family_carer", (), first(day(2024, 5, 21), 3), account="closed"),
        Life(d, "resident", day(1949, 9, 19), "payment left unknown, found paid", "family_carer", (), first(day(2024, 6, 4), 5), account="silent"),
        Life(d, "retiree", day(1946, 6, 8), "withdrawn by the family", "", (), first(day(2024, 6, 18), 0, withdrawn=day(2024, 6, 25))),
        Life(d, "employee", day(1975, 5, 27), "insured, never applied"),
        Life(d, "resident", day(1955, 12, 5), "insured, never applied"),
        # Disputed conclusions, in both cities
        Life(c, "resident", day(1946, 3, 12), "a neighbour's objection, dismissed", "family_carer", (), first(day(2024, 7, 1), 3),
             dispute=Objection(day(2024, 7, 19), day(2024, 7, 24), "dismissed", "看见他自己下楼散步", "走访邻里并复核现场影像，与评估结论一致")),
        Life(c, "retiree", day(1942, 10, 23), "moderate, severe after a review", "home_visits", mwf, first(day(2024, 7, 3), 2), care_until=day(2024, 12, 31),
             dispute=Review(day(2024, 7, 29), day(2024, 7, 31), day(2024, 8, 2), 3)),
        Life(d, "resident", day(1944, 2, 8), "refused for the grade, won the appeal", "family_carer", (), first(day(2024, 7, 2), 2),
             dispute=Appeal(day(2024, 7, 26), day(2024, 8, 20), "upheld", 3, day(2024, 8, 1), "评估当日状态较好，平时卧床", "补充的住院记录与照护日志证明重度一级")),
        # Registered twice, and a move from one city to the other
        Life(c, "resident", day(1943, 4, 6), "registered twice, paid under the other number", "family_carer", (), first(day(2024, 3, 11), 3), contributes=False, twin_until=day(2024, 2, 1)),
        Life(c, "resident", day(1941, 9, 27), "moves to Chengdu", "family_carer", (), first(day(2024, 4, 8), 4), moves=(CHENGDU, day(2025, 3, 31))),
        # A station that is suspended
        Life(c, "retiree", day(1940, 6, 2), "handed over to another provider", "home_visits", tue_fri, first(day(2024, 3, 5), 3), care_from=day(2024, 9, 1), handed_over=SUSPENDED_FROM),
        Life(c, "resident", day(1945, 3, 21), "handed over to another provider, too", "home_visits", mwf, first(day(2024, 4, 1), 5), care_from=day(2024, 12, 1), care_until=day(2025, 6, 30), handed_over=SUSPENDED_FROM),
    ]  # fmt: skip


def identity_number(division: str, born: date, sequence: int) -> str:
    """Eighteen places by GB 11643."""
    body = f"{division}{born:%Y%m%d}{sequence:03d}"
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


def credit_code(division: str, organisation: str, kind: str = "52") -> str:
    """Eighteen places by GB 32100."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"{kind}{division}{organisation}"
    weights = [3**i % 31 for i in range(17)]
    total = sum(alphabet.index(ch) * weight for ch, weight in zip(body, weights, strict=True))
    return body + alphabet[-total % 31]


PROVIDERS = {
    CHANGZHOU: [("常州市示例护理服务中心", credit_code("320402", "MA1EXAMP1")), ("常州市示例养老院", credit_code("320402", "MA1EXAMP2")), ("常州市示例上门服务站", credit_code("320402", "MA1EXAMP3"))],
    CHENGDU: [("成都市示例居家照护中心", credit_code("510104", "MA6EXAMP1")), ("成都市示例养老护理院", credit_code("510104", "MA6EXAMP2"))],
}  # fmt: skip


EMPLOYERS = {
    CHANGZHOU: ("常州市示例纺织厂", credit_code("320402", "MA1EXAMP8", "91")),
    CHENGDU: ("成都市示例机械厂", credit_code("510104", "MA6EXAMP8", "91")),
}


# A Tuesday on which a visit is told in the name of somebody who cares elsewhere at that hour.
BESIDE = date(2024, 10, 15)
ELSEWHERE = 0  # group of caregivers
# The station of Changzhou that is suspended, and hands its people over to the centre.
SUSPENDED_FROM, SUSPENDED_UNTIL = date(2025, 2, 17), date(2025, 8, 16)
CENTRE, HOME_FOR_OLD, STATION = 0, 1, 2  # places in PROVIDERS
PEOPLE_A_CARER = 3  # one after the other in a morning


def body_of(life: Life, day: date = date.min) -> int:
    if life.form == "institution":
        return HOME_FOR_OLD
    return STATION if life.handed_over and day < life.handed_over else CENTRE


def provider_of(life: Life) -> str:
    return PROVIDERS[life.pool][body_of(life)][1]


def carer_of(life: Life, index: int, day: date) -> str:
    return carer(life.pool, body_of(life, day), index // PEOPLE_A_CARER)


def carer(pool: str, place: int, group: int) -> str:
    born = date(1985, 4, 1) + timedelta(days=place * 40 + group)
    return identity_number(DIVISION[pool], born, 501 + place)


def carers(people: list[Life]) -> dict[str, tuple[str, str]]:
    """Caregivers by identity number: name and employer."""
    found: dict[str, tuple[str, str]] = {}
    for pool, bodies in PROVIDERS.items():
        for place, (_, code) in enumerate(bodies):
            groups = sorted({
                index // PEOPLE_A_CARER for index, life in enumerate(people)
                if life.pool == pool and life.weekdays and place in (body_of(life), body_of(life, date.max))
            })  # fmt: skip
            for group in groups:
                name = f"{SURNAMES[(place * 3 + group + 20) % len(SURNAMES)]}护工{group + 1}"
                found[carer(pool, place, group)] = (name, code)
    return found


def account(index: int, corrected: bool = False) -> str:
    return f"62220000{'9' if corrected else '1'}{index:07d}"


def month_after(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def care_begins(life: Life) -> date:
    """First day of the plan: when the first conclusion takes effect, or later."""
    conclusion = life.assessed[0].on + timedelta(days=life.assessed[0].confirmed_after)
    return max(month_after(conclusion), life.care_from or date.min)


def in_hospital(life: Life, day: date) -> bool:
    days = {kind: on for kind, on, _ in life.events}
    return "admission" in days and days["admission"] <= day <= days["discharge"]


def care_ends(life: Life) -> date:
    death = [on for kind, on, _ in life.events if kind == "death"]
    recovered = [
        month_after(a.on + timedelta(days=a.confirmed_after)) - timedelta(days=1)
        for a in life.assessed[1:]
        if a.grade < 2
    ]
    return min([life.care_until, *death, *recovered])


def visits_of(life: Life, index: int) -> list[list[str]]:
    """The visits of one life; a few are spoilt on purpose."""
    rows: list[list[str]] = []
    latitude, longitude = HOME[life.pool][0] + index * 700, HOME[life.pool][1] + index * 500
    day, until = care_begins(life), care_ends(life)
    hospital_visit_done = False
    while day <= until and life.weekdays:
        wanted = day.weekday() in life.weekdays or day == life.beside
        if wanted and in_hospital(life, day) and life.form == "family_carer":
            # One visit happened in the ward: real, and not payable on a hospital day.
            wanted, hospital_visit_done = not hospital_visit_done, True
        if wanted:
            wrong = life.spoilt.get(len(rows) + 1, "")
            institution = life.form == "institution"
            who = carer_of(life, index, day)
            beside = day == life.beside
            if beside:
                who = carer(life.pool, body_of(life, day), ELSEWHERE)
            start, end = (
                ("08:00", "20:00") if institution else (f"{8 + index % 3:02d}:{index % 6}0", "")
            )
            if beside:
                start = "07:50"
            if not institution:
                hour, minute = (int(part) for part in start.split(":"))
                length = 25 if wrong == "too_short" else 65
                end = f"{hour + (minute + length) // 60:02d}:{(minute + length) % 60:02d}"
            away = (
                40_000 if wrong == "too_far" else day.day * 11
            )  # microdegrees; 40 000 are over 4 km
            rows.append([
                life.number, life.pool, who,
                f"{day}T{start}:00+08:00", f"{day}T{end}:00+08:00",
                degrees(latitude + away), degrees(longitude),
                "I01" if institution else ";".join(VISIT_ITEMS),
                "" if wrong == "not_confirmed" else ("person" if institution else "family"),
            ])  # fmt: skip
        day += timedelta(days=1)
    return rows


def write_claims(people: list[Life]) -> None:
    """What two providers claim for May 2024: one line a visit, a few of them wrong on purpose."""
    cost = {code: int(price.replace(".", "")) for code, _, price, _ in PRICES}
    visits = sorted(
        (row[3][:10], life.number, life, row[7].split(";"))
        for index, life in enumerate(people)
        if life.form
        for row in visits_of(life, index)
        if row[3].startswith("2024-05") and life.form != "institution"
    )
    rows = []
    for place, (day, number, life, done) in enumerate(visits):
        items = list(done)
        asked = sum(cost[item] for item in done)
        if place % 40 == 7:  # above the list
            asked += 500
        if place % 40 == 19:  # an item that was not done
            items.append("I01")
            asked += cost["I01"]
        yuan = f"{asked // 100}.{asked % 100:02d}"
        row = [provider_of(life), life.pool, "2024-05", number, day, ";".join(items), yuan]
        rows.append(row)
        if place % 40 == 31:  # the same visit once more
            rows.append(row)
    write(
        "claims.csv",
        [
            "social_credit_code",
            "pool",
            "month",
            "identity_number",
            "start_date",
            "items",
            "amount_yuan",
        ],
        rows,
    )


def degrees(microdegrees: int) -> str:
    return f"{microdegrees // 1_000_000}.{microdegrees % 1_000_000:06d}"


def write(name: str, header: list[str], rows: list[list[str]]) -> None:
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_disputes(people: list[Life]) -> None:
    """The files of objections, reviews and appeals; other people decide than assessed."""
    objections, reviews, appeals = [], [], []
    for p in people:
        match p.dispute:
            case Objection() as o:
                objections.append([
                    p.number, p.pool, str(o.filed), "许邻居", "13911110000", o.grounds,
                    str(o.decided), o.outcome, f"{p.pool}-clerk-1", o.reasons,
                ])  # fmt: skip
            case Review() as r:
                others = [
                    f"{p.pool}-{kind}"
                    for kind in ("assessor-5", "expert-5", "expert-6", "expert-7")
                ]
                reviews.append([
                    p.number, p.pool, str(r.requested), str(r.assessed), "home", *others[:2],
                    *(str(score) for score in FORMS[r.grade]), *others[2:], str(r.confirmed),
                ])  # fmt: skip
            case Appeal() as a:
                appeals.append([
                    p.number, p.pool, "conclusion", str(a.filed), a.grounds, str(a.decided),
                    f"{p.pool}-panel-1;{p.pool}-panel-2", a.outcome, str(a.grade), str(a.effective), a.reasons,
                ])  # fmt: skip
    write("objections.csv",
        ["identity_number", "pool", "filed_date", "objector_name", "objector_contact", "grounds",
         "decided_date", "outcome", "decided_by", "reasons"], objections)  # fmt: skip
    write("reviews.csv",
        ["identity_number", "pool", "requested_date", "assessed_date", "place", "assessor", "expert", *ITEMS,
         "confirming_expert_1", "confirming_expert_2", "confirmed_date"], reviews)  # fmt: skip
    write("appeals.csv",
        ["identity_number", "pool", "against", "filed_date", "grounds", "decided_date", "panel", "outcome",
         "grade", "effective_date", "reasons"], appeals)  # fmt: skip


def write_visit_disputes(people: list[Life]) -> None:
    """Files about visits afterwards: one that the family denies, one that named the wrong caregiver.

    Neither moves money: the first fell on a day in hospital, the second was too short and stays so.
    """
    disputed, corrected = [], []
    for index, p in enumerate(people):
        rows = visits_of(p, index) if p.form else []
        ward = [row for row in rows if in_hospital(p, date.fromisoformat(row[3][:10]))]
        for row in ward[:1]:
            said = date.fromisoformat(row[3][:10]) + timedelta(days=1)
            disputed.append([
                p.number, p.pool, row[3], "NOBODY_CAME", "老人当时住院，家中无人", "family", str(said),
                "upheld", "RECORDS_CHECKED", f"{p.pool}-clerk-1", str(said + timedelta(days=7)),
            ])  # fmt: skip
        for place, wrong in p.spoilt.items():
            if wrong == "too_short" and p.form == "home_visits":
                row = rows[place - 1]
                others = [
                    number for number, (_, code) in carers(people).items() if code == provider_of(p)
                ]
                right = next(number for number in others if number != row[2])
                said = date.fromisoformat(row[3][:10]) + timedelta(days=2)
                corrected.append([
                    p.number, p.pool, row[3], "WRONG_CAREGIVER", "当日由同机构另一名护理员上门", "", "", "",
                    right, f"{p.pool}-clerk-1", f"{p.pool}-clerk-2", str(said),
                ])  # fmt: skip
    write("disputed_visits.csv",
        ["identity_number", "pool", "start_time", "reason", "statement", "disputed_by", "disputed_date",
         "outcome", "found_by", "settled_by", "settled_date"], disputed)  # fmt: skip
    write("visit_corrections.csv",
        ["identity_number", "pool", "start_time", "reason", "explanation", "right_start_time", "right_end_time",
         "items", "caregiver_identity_number", "corrected_by", "approved_by", "corrected_date"], corrected)  # fmt: skip


BODIES = {
    CHANGZHOU: ("常州市示例失能评估中心", credit_code("320402", "MA1CENTR1")),
    CHENGDU: ("成都市示例失能评估中心", credit_code("510104", "MA6CENTR1")),
}


def write_assessors() -> None:
    """An assessment body in each city, and the people of its database who assess in the demo's files."""
    write("assessment_bodies.csv",
        ["pool", "social_credit_code", "body_name", "operating_since_date", "agreement_start_date", "agreement_end_date", "division"],
        [[pool, code, name, "2020-01-01", "2024-01-01", "2026-12-31", DIVISION[pool]] for pool, (name, code) in BODIES.items()])  # fmt: skip
    people = []
    for pool, (_, code) in BODIES.items():
        for kind, numbers in (("assessor", range(1, 6)), ("expert", range(1, 10))):
            for n in numbers:
                expert = kind == "expert"
                number = identity_number(
                    DIVISION[pool], date(1980, 1 + n, 3 if expert else 17), 701 + n
                )
                people.append([
                    pool, f"{pool}-{kind}-{n}", number, f"{SURNAMES[n + (20 if expert else 5)]}评{n}", kind, code,
                    "senior" if expert else "none", "2010-01-01", "2023-03-01", "2023-04-01", DIVISION[pool], "2024-01-02",
                ])  # fmt: skip
    write("assessors.csv",
        ["pool", "assessor", "identity_number", "full_name", "assessor_kind", "social_credit_code", "title",
         "practice_since_date", "trained_date", "examined_date", "division", "registered_date"], people)  # fmt: skip


def write_inspections(people: list[Life]) -> None:
    """Two cases: a sample that was confirmed and whose appeal failed, a complaint that was cleared."""
    carer = {code: number for number, (_, code) in reversed(carers(people).items())}
    sampled, complained = PROVIDERS[CHANGZHOU][0][1], PROVIDERS[CHENGDU][0][1]
    header = [
        "pool", "social_credit_code", "caregiver_identity_number", "opened_date", "cause", "opened_by",
        "noticed_date", "officer", "answered_date", "statement", "hearing_wanted",
        "held_date", "hearing_officers", "hearing_record",
        "decided_date", "verdict", "why", "decided_by", "reasons", "proposed_measure", "proposed_article",
        "appealed_date", "appeal_statement", "appeal_decided_date", "appeal_outcome", "appeal_decided_by", "appeal_reasons",
    ]  # fmt: skip
    # What detectors flag opens cases by itself: these rows go on with them.
    ward = next(
        carer_of(life, index, date(2024, 10, 30))
        for index, life in enumerate(people)
        if life.pool == CHENGDU
        and life.weekdays
        and life.events
        and life.events[0][0] == "admission"
    )
    nothing = [""] * 8
    write("inspections.csv", header, [
        [CHANGZHOU, sampled, carer_of(people[0], 0, BESIDE), "", "", "",
         "2024-10-21", "supervision-2", "2024-10-23", "当日由同事代班，上传时误填了护理员编号", "no",
         "", "", "",
         "2024-10-28", "cleared", "a colleague cared; the number was entered wrongly", "office-1;office-2", "排班表与家属证言一致",
         *nothing],
        [CHENGDU, complained, ward, "", "", "",
         "2024-11-07", "supervision-2", "", "", "",
         "", "", "",
         "2024-11-27", "confirmed", "the person was in hospital that day", "office-1;office-2", "医院记录显示当日在院",
         *nothing],
        [CHANGZHOU, sampled, carer[sampled], "2024-05-06", "sample", "supervision-1",
         "2024-05-09", "supervision-2", "2024-05-15", "当日家属临时外出，时间较短", "yes",
         "2024-05-28", "supervision-3", "双方到场，护理人员确认提前离开",
         "2024-06-03", "confirmed", "the call-back found a visit shorter than recorded", "office-1;office-2", "回访记录与上传时长不符",
         "talk", "医保办发〔2024〕21号, sanction ladder",
         "2024-06-12", "请求复核", "2024-07-05", "dismissed", "board-1;board-2", "没有新的材料，维持原决定"],
        [CHENGDU, complained, "", "2024-07-08", "complaint", "hotline-1",
         "2024-07-10", "supervision-2", "2024-07-15", "已提供服务照片和签字", "no",
         "", "", "",
         "2024-07-29", "cleared", "photos and signatures agree with the record", "office-1;office-2", "投诉事项不属实",
         "", "", "", "", "", "", "", ""],
    ])  # fmt: skip


def write_moves(people: list[Life]) -> None:
    """The files of who turned out to be one person, and of who moves to the other city."""
    write("merges.csv", ["identity_number", "duplicate_identity_number", "merged_date", "cause"],
        [[p.number, p.twin, str(p.twin_until), "登记时号码录入有误 (a slip at the desk)"] for p in people if p.twin])  # fmt: skip
    write("moves.csv", ["identity_number", "pool", "to_pool", "last_date", "cause"],
        [[p.number, p.pool, p.moves[0], str(p.moves[1]), "随子女迁居 (moves in with the children)"] for p in people if p.moves])  # fmt: skip


def main() -> None:
    people = lives()
    for index, life in enumerate(people):
        life.number = identity_number(DIVISION[life.pool], life.born, 101 + index)
        life.name = SURNAMES[index % len(SURNAMES)] + GIVEN[index * 5 % len(GIVEN)]
        if life.twin_until:
            life.twin = identity_number(DIVISION[life.pool], life.born, 601 + index)

    write("persons.csv",
        ["identity_number", "full_name", "phone", "address", "pool", "group", "coverage_start_date", "registered_date"],
        [[number, p.name, f"1390000{i:04d}", f"示例路{i + 1}号", p.pool, p.group, str(p.covered_since), "2024-01-02"] for i, p in enumerate(people) for number in (p.number, p.twin) if number])  # fmt: skip

    contributions: list[list[str]] = []
    for p in people:
        person, others = (
            ("30.00", (("medical_fund", "60.00"), ("state", "40.00")))
            if p.pool == CHANGZHOU
            else ("25.00", (("state", "30.00"), ("medical_fund", "55.00")))
        )
        for year, paid in ((2024, "2024-01-02"), (2025, "2025-01-06")):
            if p.contributes or p.twin:
                contributions.append(
                    [p.twin or p.number, p.pool, "person", person, str(year), paid]
                )
            contributions.extend(
                [p.number, p.pool, source, amount, str(year), paid] for source, amount in others
            )
            if p.group == "employee":
                contributions.append([p.number, p.pool, "employer", "48.00", str(year), paid])
    contributions.append([people[0].number, CHANGZHOU, "donation", "500.00", "2024", "2024-01-02"])
    contributions.append([people[22].number, CHENGDU, "lottery", "800.00", "2024", "2024-01-02"])
    write(
        "contributions.csv",
        ["identity_number", "pool", "source", "amount_yuan", "year", "paid_date"],
        contributions,
    )

    write("employers.csv", ["social_credit_code", "employer_name", "pool", "registered_date"],
        [[code, name, pool, "2024-01-02"] for pool, (name, code) in EMPLOYERS.items()])  # fmt: skip
    write("staff.csv", ["social_credit_code", "identity_number", "pool", "month", "medical_base_yuan"],
        [[EMPLOYERS[p.pool][1], p.number, p.pool, month, "5000.00"] for p in people if p.group == "employee" for month in ("2024-01", "2024-02")])  # fmt: skip

    write("transfers.csv", ["pool", "amount_yuan", "date", "cause"], [
        [CHANGZHOU, "300000.00", "2024-01-02", "reserve carried over 历年结余"],
        [CHENGDU, "600000.00", "2024-01-02", "reserve carried over 历年结余"],
    ])  # fmt: skip
    write("providers.csv", ["pool", "provider_name", "social_credit_code", "agreement_start_date", "agreement_end_date"],
        [[pool, name, code, "2024-01-01", "2026-12-31"] for pool, bodies in PROVIDERS.items() for name, code in bodies])  # fmt: skip
    write("sanctions.csv",
        ["social_credit_code", "pool", "measure", "start_date", "end_date", "cause", "article", "handover_date", "receivers"],
        [[PROVIDERS[CHANGZHOU][STATION][1], CHANGZHOU, "suspend", str(SUSPENDED_FROM), str(SUSPENDED_UNTIL),
          "多次未按约定服务 (care not given as agreed)", "医保办发〔2024〕21号", str(SUSPENDED_FROM), PROVIDERS[CHANGZHOU][CENTRE][1]]])  # fmt: skip
    write("prices.csv", ["social_credit_code", "item", "item_name", "price_yuan", "effective_date", "minutes"],
        [[code, item, name, price, "2024-01-01", str(minutes)] for bodies in PROVIDERS.values() for _, code in bodies for item, name, price, minutes in PRICES])  # fmt: skip
    write("caregivers.csv", ["identity_number", "full_name", "social_credit_code", "certificate", "registered_date"],
        [[number, name, code, f"CHZ{i:06d}", "2024-01-02"] for i, (number, (name, code)) in enumerate(carers(people).items())])  # fmt: skip

    write("examination_results.csv", ["identity_number", "level", "passed", "certificate", "exam_date"],
        [[number, "five", "yes", f"CHZ{i:06d}", "2023-06-01"] for i, number in enumerate(carers(people))])  # fmt: skip

    payees, accounts = [], []
    for index, bodies in enumerate(PROVIDERS.values()):
        for place, (name, code) in enumerate(bodies):
            payees.append(["", code, name, account(900 + index * 10 + place), "2024-01-02"])
    for index, p in enumerate(people):
        if p.form != "family_carer":
            continue
        payees.append([p.number, "", p.name, account(index), "2024-01-02"])
        if p.account == "closed":
            accounts.append([account(index), "closed"])
            payees.append([p.number, "", p.name, account(index, corrected=True), "2024-11-20"])
        if p.account == "silent":
            accounts.append([account(index), "silent_once"])
    write(
        "payees.csv",
        [
            "identity_number",
            "social_credit_code",
            "holder_name",
            "account_number",
            "registered_date",
        ],
        payees,
    )
    write("bank_accounts.csv", ["account_number", "behaviour"], accounts)

    applications = []
    for index, p in enumerate(people):
        for a in p.assessed:
            on_site = str(a.on + timedelta(days=a.on_site_after)) if a.grade else ""
            confirmed = str(a.on + timedelta(days=a.confirmed_after)) if a.grade else ""
            scores = [str(score) for score in FORMS[a.grade]] if a.grade else [""] * len(ITEMS)
            staff = (
                [
                    f"{p.pool}-{kind}-{n}"
                    for kind, n in (
                        ("assessor", index % 4 + 1),
                        ("expert", index % 3 + 1),
                        ("expert", 8),
                        ("expert", 9),
                    )
                ]
                if a.grade
                else [""] * 4
            )
            applications.append([
                p.number, p.pool, a.kind, str(a.on), str(date(a.on.year - 1, a.on.month, 1)), a.missing_papers, "",
                str(a.withdrawn or ""), on_site, staff[0], staff[1], *scores, staff[2], staff[3], confirmed,
            ])  # fmt: skip
    write("applications.csv",
        ["identity_number", "pool", "kind", "application_date", "disabled_since_date", "missing_papers", "papers_supplied_date",
         "withdrawn_date", "assessed_date", "assessor", "expert", *ITEMS, "confirming_expert_1", "confirming_expert_2", "confirmed_date"], applications)  # fmt: skip

    write_disputes(people)
    write_visit_disputes(people)
    write_moves(people)
    write_inspections(people)
    write_assessors()

    plans = []
    for index, p in enumerate(people):
        if p.form:
            place = (HOME[p.pool][0] + index * 700, HOME[p.pool][1] + index * 500)
            plans.append(
                [
                    p.number,
                    p.pool,
                    provider_of(p),
                    p.form,
                    str(care_begins(p)),
                    degrees(place[0]),
                    degrees(place[1]),
                ]
            )
    write(
        "plans.csv",
        [
            "identity_number",
            "pool",
            "social_credit_code",
            "form",
            "start_date",
            "latitude",
            "longitude",
        ],
        plans,
    )

    write("life_events.csv", ["identity_number", "pool", "kind", "event_date", "source"],
        [[p.number, p.pool, kind, str(on), source] for p in people for kind, on, source in p.events])  # fmt: skip

    visits = [row for index, p in enumerate(people) if p.form for row in visits_of(p, index)]
    visits.sort(key=lambda row: (row[4], row[0]))
    write(
        "visits.csv",
        [
            "identity_number",
            "pool",
            "caregiver_identity_number",
            "start_time",
            "end_time",
            "latitude",
            "longitude",
            "items",
            "confirmed_by",
        ],
        visits,
    )
    write_claims(people)
    print(
        f"{len(people)} people, {len(contributions)} contributions, {len(applications)} applications, {len(visits)} visits"
    )


if __name__ == "__main__":
    main()
