"""Computes how every life of the demo must end, from the CSV files alone.

Independent of the product: it imports nothing of it, and states the two cities' rules in its own
plain words, so that it can disagree. All amounts in fen. Run it to write `expected.json` anew:

    python examples/compute_expected.py
"""

import csv
import json
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).parent
CHANGZHOU, CHENGDU = "320400", "510100"
LAST_MONTH = (2025, 12)

ADL_ITEMS, COGNITION_ITEMS, PERCEPTION_ITEMS = 10, 4, 3
TABLE = [[0, 0, 1, 1], [1, 1, 1, 2], [2, 2, 2, 3], [3, 3, 4, 5]]
ELIGIBLE = {CHANGZHOU: {2, 3, 4, 5}, CHENGDU: {3, 4, 5}}
CHANGZHOU_CAP = {2: 90_000, 3: 150_000, 4: 150_000, 5: 150_000}
CHANGZHOU_CARER = 60_000
CHENGDU_BASIC = {3: 107_700, 4: 143_700, 5: 179_600}
CHENGDU_PROFESSIONAL = {3: 30_000, 4: 40_000, 5: 50_000}
# A draft of the demo: the subsidy rises in the middle of a month.
CHANGED_FROM, CHANGED_TO = date(2025, 5, 16), 66_000
CHANGED_MONTHS = ((2025, 4), (2025, 5), (2025, 6))
METRES_PER_MICRODEGREE = 0.111
FARTHEST_METRES = 500


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def fen(yuan: str) -> int:
    whole, _, cents = yuan.partition(".")
    return int(whole) * 100 + int((cents + "00")[:2])


def half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def month_after(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def grade_of(application: dict[str, str]) -> int:
    columns = list(application)
    begin = columns.index("adl_feeding")
    scores = [int(application[column]) for column in columns[begin : begin + 17]]
    adl = sum(scores[:10])
    cognition, perception = sum(scores[10:14]), sum(scores[14:])
    adl_level = 0 if adl == 100 else 1 if adl >= 65 else 2 if adl >= 45 else 3
    cognition_level = 0 if cognition == 16 else 1 if cognition >= 4 else 2 if cognition >= 2 else 3
    perception_level = (
        0 if perception == 12 else 1 if perception >= 4 else 2 if perception >= 2 else 3
    )
    return TABLE[adl_level][max(cognition_level, perception_level)]


def refusal(application: dict[str, str], person: dict[str, str], paid: set[tuple[str, int]]) -> str:
    on = date.fromisoformat(application["application_date"])
    since = date.fromisoformat(person["coverage_start_date"])
    months = (on.year - since.year) * 12 + on.month - since.month - (on.day < since.day)
    if application["pool"] == CHENGDU and months < 24:
        return "COVERAGE_TOO_SHORT"
    if (person["identity_number"], on.year) not in paid:
        return "NOT_PAID_UP"
    return ""


def why_rejected(visit: dict[str, str], plan: dict[str, str], minutes_of: dict[str, int]) -> str:
    minutes = lasted(visit)
    micro = [
        abs(int(visit[axis].replace(".", "")) - int(plan[axis].replace(".", "")))
        for axis in ("latitude", "longitude")
    ]
    if sum(micro) * METRES_PER_MICRODEGREE > FARTHEST_METRES:
        return "TOO_FAR"
    if minutes < sum(minutes_of[item] for item in visit["items"].split(";")):
        return "TOO_SHORT"
    if not visit["confirmed_by"]:
        return "NOT_CONFIRMED"
    return ""


def flags_of(visits: list[dict[str, str]], minutes_of: dict[str, int]) -> dict[str, dict[str, int]]:
    """What detectors must find in the visits by person, and what the files say became of it.

    Care in a ward, two visits of one caregiver at the same time in two homes, and visits of less
    than four fifths of the time their items take.
    """
    plans = {row["identity_number"]: row for row in rows("plans.csv")}
    stays: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows("life_events.csv"):
        stays[row["identity_number"]][row["kind"]] = row["event_date"]
    decided = {
        row["caregiver_identity_number"]: row["verdict"]
        for row in rows("inspections.csv")
        if not row["opened_date"]
    }
    by_carer: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def flag(visit: dict[str, str]) -> None:
        word = decided.get(visit["caregiver_identity_number"], "open")
        found[visit["identity_number"]][word] += 1

    for visit in visits:
        number, day = visit["identity_number"], visit["start_time"][:10]
        stay = stays[number]
        if stay.get("admission", "9") < day < stay.get("discharge", "0"):
            flag(visit)
        needed = sum(minutes_of[item] for item in visit["items"].split(";"))
        if lasted(visit) * 100 < needed * 80:
            found[number]["open"] += 1
        if plans[number]["form"] == "institution":
            continue
        same = by_carer[visit["caregiver_identity_number"], day]
        for other in same:
            if max(other["start_time"], visit["start_time"]) < min(
                other["end_time"], visit["end_time"]
            ):
                flag(visit)
                flag(other)
        same.append(visit)
    return {number: dict(sorted(words.items())) for number, words in found.items()}


def lasted(visit: dict[str, str]) -> int:
    return (int(visit["end_time"][11:13]) - int(visit["start_time"][11:13])) * 60 + (
        int(visit["end_time"][14:16]) - int(visit["start_time"][14:16])
    )


def grade_on(day: date, conclusions: list[tuple[date, int]], events: dict[str, date]) -> int:
    """The grade that is paid on a day; 0 where nothing is."""
    if "death" in events and day > events["death"]:
        return 0
    if "admission" in events and events["admission"] <= day <= events.get("discharge", date.max):
        return 0
    in_force = [grade for effective, grade in conclusions if effective <= day]
    return in_force[-1] if in_force else 0


def month_of_benefit(pool: str, form: str, grade: int, days: int, length: int, cost: int) -> int:
    """What the fund pays for one person, form and month."""

    def part(monthly: int) -> int:
        return half_up(monthly * days, length)

    if pool == CHANGZHOU:
        return part(CHANGZHOU_CARER) if form == "family_carer" else min(cost, CHANGZHOU_CAP[grade])
    basic = part(CHENGDU_BASIC[grade])
    if form == "family_carer":
        return basic + min(cost, CHENGDU_PROFESSIONAL[grade])
    return basic + part(CHENGDU_PROFESSIONAL[grade])


def paid_months(
    pool: str,
    plan: dict[str, str] | None,
    conclusions: list[tuple[date, int]],
    events: dict[str, date],
    costs: dict[date, int],
) -> tuple[dict[str, int], dict[tuple[int, int, int], list[date]]]:
    """What the fund pays a life, by month of care; and its days by year, month and grade."""
    months: dict[str, int] = {}
    entitled: dict[tuple[int, int, int], list[date]] = defaultdict(list)
    if plan is None:
        return months, entitled
    day = date.fromisoformat(plan["start_date"])
    while (day.year, day.month) <= LAST_MONTH:
        if grade := grade_on(day, conclusions, events):
            entitled[day.year, day.month, grade].append(day)
        day += timedelta(days=1)
    for (year, month, grade), days in entitled.items():
        length = (month_after(date(year, month, 1)) - date(year, month, 1)).days
        cost = sum(costs[day] for day in days)
        amount = month_of_benefit(pool, plan["form"], grade, len(days), length, cost)
        if amount:
            months[f"{year}-{month:02d}"] = months.get(f"{year}-{month:02d}", 0) + amount
    return months, entitled


def dispute_of(
    number: str, applications: list[dict[str, str]]
) -> tuple[dict[str, object], date, int] | None:
    """What somebody disputed and how it ended, with the first day and the grade of that end.

    A review says what was right from the first conclusion's first day; a panel names its day.
    """
    before = grade_of(applications[-1]) if applications and applications[-1]["assessed_date"] else 0
    first_day = before and month_after(date.fromisoformat(applications[-1]["confirmed_date"]))
    for row in rows("objections.csv"):
        if row["identity_number"] == number and row["outcome"] == "dismissed":
            told = {"kind": "objection", "outcome": "dismissed", "grade": before}
            return {**told, "grade_before": before}, first_day, before
    for row in rows("reviews.csv"):
        if row["identity_number"] == number:
            grade = grade_of(row)
            outcome = "same" if grade == before else "other"
            told = {"kind": "review", "outcome": outcome, "grade": grade}
            return {**told, "grade_before": before}, first_day, grade
    for row in rows("appeals.csv"):
        if row["identity_number"] == number and row["outcome"] == "upheld":
            grade = int(row["grade"])
            told = {"kind": "appeal", "outcome": "upheld", "grade": grade}
            return (
                {**told, "grade_before": before},
                date.fromisoformat(row["effective_date"]),
                grade,
            )
    return None


def main() -> None:
    persons = {row["identity_number"]: row for row in rows("persons.csv")}
    contributions = rows("contributions.csv")
    paid = {
        (row["identity_number"], int(row["year"]))
        for row in contributions
        if row["source"] in ("person", "employer")
    }
    merges = {row["duplicate_identity_number"]: row for row in rows("merges.csv")}
    # What was paid under either number was paid for the one person.
    paid |= {(merges[number]["identity_number"], year) for number, year in paid if number in merges}
    moves = {row["identity_number"]: row for row in rows("moves.csv")}
    plans = {row["identity_number"]: row for row in rows("plans.csv")}
    prices = {
        (row["social_credit_code"], row["item"]): fen(row["price_yuan"])
        for row in rows("prices.csv")
    }
    minutes_of = {row["item"]: int(row["minutes"]) for row in rows("prices.csv")}
    accounts = {row["account_number"]: row["behaviour"] for row in rows("bank_accounts.csv")}
    behaviour: dict[str, str] = {}
    for row in rows("payees.csv"):
        if row["identity_number"] and row["account_number"] in accounts:
            behaviour[row["identity_number"]] = accounts[row["account_number"]]
    events: dict[str, dict[str, date]] = defaultdict(dict)
    for row in rows("life_events.csv"):
        events[row["identity_number"]][row["kind"]] = date.fromisoformat(row["event_date"])
    applications: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows("applications.csv"):
        applications[row["identity_number"]].append(row)
    costs: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    rejected: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    disputed = {
        (row["identity_number"], row["start_time"])
        for row in rows("disputed_visits.csv")
        if row["outcome"] != "not_upheld"
    }
    flagged = flags_of(rows("visits.csv"), minutes_of)
    # The corrections name another caregiver of the same provider: that changes no end.
    for visit in rows("visits.csv"):
        number = visit["identity_number"]
        plan = plans[number]
        reason = why_rejected(visit, plan, minutes_of)
        if not reason and (number, visit["start_time"]) in disputed:
            reason = "DISPUTED"
        if reason:
            rejected[number][reason] += 1
        else:
            price = sum(
                prices[plan["social_credit_code"], item] for item in visit["items"].split(";")
            )
            costs[number][date.fromisoformat(visit["start_time"][:10])] += price

    changed: dict[str, int] = {f"{year}-{month:02d}": 0 for year, month in CHANGED_MONTHS}
    people: dict[str, object] = {}
    benefits_of_pool: dict[str, int] = defaultdict(int)
    for number, person in persons.items():
        if number in merges:
            continue  # told with the one it belongs to
        pool = person["pool"]
        state, conclusions = "insured", []
        for application in applications[number]:
            if application["withdrawn_date"] or application["missing_papers"]:
                state = "withdrawn"
            elif reason := refusal(application, person, paid):
                state = f"refused:{reason}"
            else:
                grade = grade_of(application)
                effective = month_after(date.fromisoformat(application["confirmed_date"]))
                eligible = grade in ELIGIBLE[pool]
                if eligible:
                    state = f"entitled:{grade}"
                else:
                    state = "ended:RECOVERED" if conclusions else f"not_eligible:{grade}"
                conclusions.append((effective, grade if eligible else 0))
        plan = plans.get(number)
        disputed = dispute_of(number, applications[number])
        undisputed = list(conclusions)
        if disputed:
            _, first_day, grade = disputed
            eligible = grade in ELIGIBLE[pool]
            conclusions.append((first_day, grade if eligible else 0))
            state = f"entitled:{grade}" if eligible else f"not_eligible:{grade}"
        if "death" in events[number]:
            state = "ended:DEATH"
        if number in moves:
            # The last day in the old city is the last one that it pays.
            last = date.fromisoformat(moves[number]["last_date"])
            conclusions.append((last + timedelta(days=1), 0))
            state = "ended:COVERAGE_ENDED"
        months, entitled = paid_months(pool, plan, conclusions, events[number], costs[number])
        for (year, month, _), days in entitled.items():
            if (
                pool == CHANGZHOU
                and plan["form"] == "family_carer"  # type: ignore[index]
                and (year, month) in CHANGED_MONTHS
            ):
                # Each day counts by the subsidy of its own day.
                length = (month_after(date(year, month, 1)) - date(year, month, 1)).days
                late = sum(day >= CHANGED_FROM for day in days)
                parts = ((CHANGZHOU_CARER, len(days) - late), (CHANGED_TO, late))
                drafted = sum(half_up(monthly * count, length) for monthly, count in parts)
                changed[f"{year}-{month:02d}"] += drafted - half_up(
                    CHANGZHOU_CARER * len(days), length
                )
        benefits_of_pool[pool] += sum(months.values())
        told: dict[str, object] = {
            "pool": pool,
            "state": state,
            "benefits_fen": dict(sorted(months.items())),
        }
        if disputed:
            without, _ = paid_months(pool, plan, undisputed, events[number], costs[number])
            added = sum(months.values()) - sum(without.values())
            told["disputes"] = [{**disputed[0], "added_fen": added}]
        for row in merges.values():
            if row["identity_number"] == number:
                told["merged_from"] = row["merged_date"]
        if number in moves:
            first = date.fromisoformat(moves[number]["last_date"]) + timedelta(days=1)
            # No city is known to take a grade over: it is assessed anew.
            told["moved_to"] = {
                "pool": moves[number]["to_pool"],
                "from": str(first),
                "grade": "GRADE_REOPENED",
            }
        if number in flagged:
            told["flags"] = flagged[number]
        for row in rows("sanctions.csv"):
            if plan and row["social_credit_code"] == plan["social_credit_code"]:
                first = max(row["handover_date"], plan["start_date"])
                told["handed_over"] = {"from": first, "to": row["receivers"]}
        if rejected[number]:
            told["rejected_visits"] = dict(sorted(rejected[number].items()))
        if "admission" in events[number]:
            told["paused_from"] = str(events[number]["admission"])
            told["resumed_from"] = str(events[number]["discharge"] + timedelta(days=1))
        if behaviour.get(number) == "closed":
            told["payment_returned_then_paid"] = True
        if behaviour.get(number) == "silent_once":
            told["payment_unknown_then_paid"] = True
        people[number] = told

    pools = {}
    for pool in (CHANGZHOU, CHENGDU):
        income = sum(fen(row["amount_yuan"]) for row in contributions if row["pool"] == pool)
        reserve = sum(
            fen(row["amount_yuan"]) for row in rows("transfers.csv") if row["pool"] == pool
        )
        pools[pool] = {
            "contributions_fen": income,
            "transfers_fen": reserve,
            "benefits_fen": benefits_of_pool[pool],
            "cash_fen": income + reserve - benefits_of_pool[pool],
            "payable_fen": 0,
        }
    draft = {"from": str(CHANGED_FROM), "subsidy_fen": CHANGED_TO, "difference_fen": changed}
    told_all = {"pools": pools, "mid_month_change": draft, "people": people}
    text = json.dumps(told_all, ensure_ascii=False, indent=1)
    (HERE / "expected.json").write_text(text + "\n", encoding="utf-8")
    print(json.dumps(pools, indent=1))


if __name__ == "__main__":
    main()
