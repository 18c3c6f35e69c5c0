"""What holds for every rule pack of the tree, and what makes a pack unusable."""

import json
import shutil
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from kernel.calendar import DayKind, Term
from kernel.money import Money, yuan
from kernel.refusal import NotFound, Refused
from kernel.rules.contribution import Base, Contributor, contributions_due
from kernel.rules.figure import Figure, FigureMisread, FigureUnknown
from kernel.rules.library import PackLibrary, UnknownPool
from kernel.rules.pack import REQUIRED, FormNotOffered, Pack
from kernel.rules.reading import PackInvalid
from kernel.rules.ruling import Trace, canonical
from kernel.rules.survey import FIELD_SHAPES, needs, offers, shapes_used

RULES = Path(__file__).parents[2] / "rules"
LIBRARY = PackLibrary(RULES)
PACKS = [LIBRARY.pack_for(pool) for pool in LIBRARY.pools()]
CHANGZHOU, CHENGDU = LIBRARY.pack_for("320400"), LIBRARY.pack_for("510100")
DAY = date(2024, 3, 1)

every_pack = pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.pool)


def every_figure() -> list[Figure]:
    keys = [(pack, key) for pack in PACKS for key in pack.keys()]  # noqa: SIM118 - a method
    return [figure for pack, key in keys for figure in pack.history(key)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the two pools' rules to spoil."""
    for name in ("320400_changzhou", "510100_chengdu", "national", "standards"):
        shutil.copytree(RULES / name, tmp_path / "rules" / name)
    return tmp_path / "rules"


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))


# --- every pack -------------------------------------------------------------------------------


def test_every_figure_has_its_text_its_source_and_its_unit() -> None:
    for figure in every_figure():
        assert figure.citation, figure.key
        assert figure.source, figure.key
        assert figure.unit, figure.key


def test_only_what_was_read_is_verified() -> None:
    for figure in every_figure():
        if figure.verified:
            assert figure.source in {"F", "S0", "S1", "S2", "S3", "S4"}, figure.key


def test_a_design_reading_says_so() -> None:
    assert all(figure.note for figure in every_figure() if figure.source == "D")


@every_pack
def test_a_pack_says_or_leaves_open_whatever_the_services_ask(pack: Pack) -> None:
    assert set(REQUIRED) <= set(pack.keys())


@every_pack
def test_a_pack_comes_back_from_its_content_without_the_folder(pack: Pack) -> None:
    again = Pack.parse(pack.content)

    assert again == pack
    assert again.content == pack.content
    assert list(offers(again)) == list(offers(pack))
    assert again.standard() == pack.standard()


@every_pack
def test_the_hash_is_the_same_however_often_the_folder_is_read(pack: Pack) -> None:
    again = Pack.load(RULES / f"{pack.pool}_{pack.name}")

    assert again.pin == pack.pin == f"{pack.pool}@{pack.hash}"


@settings(max_examples=60)
@for_all(data=st.data())
def test_a_changed_byte_is_another_pack_or_none(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(CHENGDU.content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != CHENGDU.content[place]))
    changed = CHENGDU.content[:place] + bytes([byte]) + CHENGDU.content[place + 1 :]

    with suppress(PackInvalid):
        assert Pack.parse(changed).hash != CHENGDU.hash


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("510100_chengdu/payment.toml", "3 = 107700", "3 = 107701"),
        ("national/assessment.toml", "Validity", "validity"),
        ("standards/nhsa-2021-37.toml", "[0, 0, 1, 1]", "[0, 1, 1, 1]"),
    ],
)
def test_the_hash_covers_figures_notes_and_the_base(
    folder: Path, file: str, old: str, new: str
) -> None:
    spoil(folder, file, old, new)

    assert CHENGDU.hash != PackLibrary(folder).pack_for("510100").hash


def test_comments_and_order_in_the_files_do_not_change_the_hash(folder: Path) -> None:
    path = folder / "510100_chengdu/payment.toml"
    path.write_text("# a remark\n" + path.read_text())

    assert CHENGDU.hash == PackLibrary(folder).pack_for("510100").hash


def test_there_is_no_pack_for_another_pool() -> None:
    with pytest.raises(UnknownPool, match="999999") as refused:
        LIBRARY.pack_for("999999")

    assert isinstance(refused.value, KeyError)
    assert isinstance(refused.value, NotFound)


def test_each_shape_of_the_field_is_used_by_a_pool() -> None:
    users = {
        number: [pack.pool for pack in PACKS if number in shapes_used(pack)]
        for number in FIELD_SHAPES
    }

    assert list(users) == list(range(1, 17))
    assert [number for number, pools in users.items() if not pools] == []


@every_pack
def test_what_a_pool_needs_to_go_live_is_stated_as_unknown_and_refused(pack: Pack) -> None:
    for key in needs(pack):
        assert pack.mentions(key)
        known = [figure for figure in pack.history(key) if "unknown" not in str(figure.value)]
        assert not pack.history(key) or len(known) < len(pack.history(key))


def test_the_two_pools_of_the_demo_lack_nothing() -> None:
    assert needs(CHANGZHOU) == needs(CHENGDU) == ()


@every_pack
def test_a_pack_that_a_store_keeps_is_not_asked_for_newer_keys(pack: Pack) -> None:
    told = json.loads(pack.content)
    told["files"]["payment"].pop("out_of_area")

    assert Pack.parse(canonical(told)).history("payment.out_of_area") == ()


def test_a_pack_as_it_was_kept_before_is_read_and_pays_alike() -> None:
    told = json.loads(CHANGZHOU.content)
    [standard] = told["files"].pop("standards").values()
    told["files"]["assessment_standard"] = standard
    for name in ("home_care", "institution_care"):
        [value] = told["files"]["payment"]["components"][name]["values"]
        cap = value["value"]["month_cap"]
        value["value"] = {"shape": "cost_up_to_month_cap", "amount": cap}
    told["files"]["enrollment"].pop("insured_groups")
    old = Pack.parse(canonical(told))

    def formulas(pack: Pack) -> list[object]:
        return [one.formula for form, parts in offers(pack) for one in parts]

    assert formulas(old) == formulas(CHANGZHOU)
    assert old.standard() == CHANGZHOU.standard()


# --- figures ----------------------------------------------------------------------------------


def test_a_figure_is_looked_up_by_the_day_of_care() -> None:
    before = CHANGZHOU.figure("assessment.conclusion_days", date(2023, 11, 30))
    after = CHANGZHOU.figure("assessment.conclusion_days", date(2023, 12, 1))

    assert (before.source, before.verified) == ("D", False)
    assert (after.source, after.verified) == ("F", True)
    assert after.term() == Term(days=30, kind=DayKind.WORKING)


def test_a_new_value_leaves_the_days_before_it_alone(folder: Path) -> None:
    path = folder / "510100_chengdu/payment.toml"
    raised = """
[[amounts.basic_care.values]]
effective_from = 2024-03-11
value = { 3 = 110000, 4 = 146700, 5 = 183300 }
source = "D"
verified = false
citation = { document = "an example", article = "", published = "" }
note = "made up"

[amounts.professional_fixed]"""
    path.write_text(path.read_text().replace("\n[amounts.professional_fixed]", raised))
    pack = PackLibrary(folder).pack_for("510100")

    key = "payment.amounts.basic_care"
    assert yuan("1077") == pack.figure(key, date(2024, 3, 10)).money_by_grade()[3]
    assert yuan("1100") == pack.figure(key, date(2024, 3, 11)).money_by_grade()[3]


def test_what_the_pack_does_not_know_is_refused_and_never_guessed() -> None:
    for pack, key, on in (
        (CHANGZHOU, "payment.deposit_share", DAY),  # stated as unknown
        (CHENGDU, "provider.item_minutes_min", DAY),  # stated as unknown
        (CHENGDU, "payment.amounts.basic_care", date(2021, 12, 31)),  # before its first day
        (CHENGDU, "payment.no_such_thing", DAY),
    ):
        with pytest.raises(FigureUnknown) as refused:
            pack.figure(key, on)
        assert refused.value.reason == "FIGURE_UNKNOWN"
        assert refused.value.facts == {"key": key, "pool": pack.pool, "on": on.isoformat()}


def test_a_figure_is_not_read_as_another_kind() -> None:
    with pytest.raises(FigureMisread, match="whole number"):
        CHENGDU.integer("assessment.conclusion_days", DAY)
    with pytest.raises(FigureMisread, match="whole number"):
        CHENGDU.integer("enrollment.arrears_suspend", DAY)


def test_the_pools_differ_where_their_texts_do() -> None:
    assert CHANGZHOU.integers("assessment.eligible_grades", DAY) == (2, 3, 4, 5)
    assert CHENGDU.integers("assessment.eligible_grades", DAY) == (3, 4, 5)
    assert CHENGDU.integer("enrollment.continuous_months", DAY) == 24
    assert CHANGZHOU.figure("enrollment.continuous_months", DAY).source == "D"
    assert CHANGZHOU.text("payment.benefit_start", DAY) == "month_after_conclusion"


def test_contributions_by_group() -> None:
    def owed(pack: Pack, person: Contributor) -> dict[str, Money]:
        lines = pack.contributions(person.group, DAY)
        return {due.source: due.amount for due in contributions_due(lines, person, Trace())}

    bases = {Base.MEDICAL_BASE: yuan("8000")}
    assert owed(CHENGDU, Contributor(group="resident")) == {
        "person": yuan("25"),
        "state": yuan("30"),
    }
    assert owed(CHANGZHOU, Contributor(group="employee")) == {"person": Money(3000)}
    young, old = (Contributor(group="employee", age=age, bases=bases) for age in (40, 41))
    assert owed(CHENGDU, young) == {"person": yuan("8"), "medical_fund": yuan("16")}
    assert owed(CHENGDU, old) == {"person": yuan("16"), "medical_fund": yuan("16")}
    with pytest.raises(Refused, match="BASE_MISSING"):
        owed(CHENGDU, Contributor(group="employee", age=40))
    with pytest.raises(FigureUnknown, match=r"enrollment\.contributions\.minor"):
        CHANGZHOU.contributions("minor", DAY)


def test_forms_of_care() -> None:
    assert CHANGZHOU.forms(DAY) == ("home_visits", "family_carer", "institution")
    assert CHENGDU.forms(DAY) == ("family_carer", "home_agency", "institution")
    assert CHENGDU.forms(date(2021, 12, 31)) == ()
    with pytest.raises(FormNotOffered):
        CHENGDU.components("home_visits", DAY)


# --- what makes a pack unusable ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("payment.toml", "3 = 107700", "3 = 1077.00", "payment.toml: write 1077.00 as a string"),
        ("payment.toml", "3 = 107700", '3 = "1077"', "payment.amounts.basic_care"),
        ("payment.toml", '"flat_per_month"', '"flat_per_moon"', "no such shape 'flat_per_moon'"),
        ("payment.toml", '"carer"', '"cat"', "'cat' is not a valid Payee"),
        ("payment.toml", 'amount = "basic_care"', 'amount = "basic"', "payment.amounts.basic on"),
        ("payment.toml", 'component = "basic_care"', 'component = "b"', "payment.components.b on"),
        ("payment.toml", "forms.institution", "forms.hotel", "no such form of care"),
        (
            "payment.toml",
            'source = "D"\nverified = false',
            'source = "D"\nverified = true',
            "never",
        ),
        ("payment.toml", 'source = "S4"', 'source = "S9"', "no such source 'S9'"),
        ("payment.toml", "note =", "nota =", "does not belong here: nota"),
        (
            "assessment.toml",
            'kind = "working"',
            'kind = "weekday"',
            "assessment.review_request_days",
        ),
        ("assessment.toml", "value = [3, 4, 5]", "value = 3", "a list of whole numbers"),
        ("enrollment.toml", "effective_from", "effective", "enrollment.continuous_months"),
        ("provider.toml", "unknown = true", "values = []", "write unknown = true"),
        ("pool.toml", 'code = "510100"', 'code = "510101"', "pool.toml: code: must be"),
        ("pool.toml", 'name_zh = "成都市"', "", "pool.toml: name_zh: missing"),
        ("pool.toml", 'extends = "national"', "", "assessment.toml: standard: names no standard"),
        ("pool.toml", 'extends = "national"', 'extends = "nation"', "there is no such base nation"),
        ("pool.toml", 'currency = "CNY"', 'currency = "CNY"\nstatus = "dead"', "status: is one of"),
        ("payment.toml", 'payee = "carer"', 'payer = "carer"', "component and payee or split"),
        ("enrollment.toml", '"minor"]', '"minors"]', "no such group 'minors'"),
        ("enrollment.toml", "contributions.minor", "contributions.pupil", "no such group"),
        ("enrollment.toml", 'base = "medical_base"', 'base = "mood"', "not a valid Base"),
        ("enrollment.toml", 'source = "state", shape', 'source = "town", shape', "no such source"),
        ("enrollment.toml", 'rate = "retiree_person"', 'rate = "r"', "enrollment.rates.r"),
        ("enrollment.toml", "0-40", "to_40", "no band of years"),
        ("pool.toml", "code =", "code", "510100_chengdu/pool.toml"),
    ],
)
def test_a_bad_pack_is_refused_with_file_key_and_reason(
    folder: Path, file: str, old: str, new: str, said: str
) -> None:
    spoil(folder, f"510100_chengdu/{file}", old, new)

    with pytest.raises(PackInvalid) as refused:
        PackLibrary(folder)

    assert said in str(refused.value)
    assert "510100_chengdu" in str(refused.value)


def test_overlapping_values_are_refused(folder: Path) -> None:
    spoil(
        folder, "national/assessment.toml", "effective_to = 2023-11-30", "effective_to = 2023-12-01"
    )

    with pytest.raises(PackInvalid, match="overlap"):
        PackLibrary(folder)


def test_a_standard_with_a_gap_in_its_bands_is_refused(folder: Path) -> None:
    spoil(folder, "standards/nhsa-2021-37.toml", "lowest = 65", "lowest = 70")

    with pytest.raises(PackInvalid, match="adl: 0 bands for the total 65"):
        PackLibrary(folder)


def test_two_folders_cannot_claim_one_pool(folder: Path) -> None:
    shutil.copytree(folder / "510100_chengdu", folder / "510100_zz")

    with pytest.raises(PackInvalid, match="another folder"):
        PackLibrary(folder)


def test_an_empty_folder_is_no_library(tmp_path: Path) -> None:
    with pytest.raises(PackInvalid, match="no rule packs"):
        PackLibrary(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b"null", b'{"pool":1.5}', b'{"files":{"pool":1}}']
)
def test_other_bytes_are_no_pack(content: bytes) -> None:
    with pytest.raises(PackInvalid):
        Pack.parse(content)


def test_another_spelling_of_the_content_is_no_pack() -> None:
    spelled = json.dumps(json.loads(CHENGDU.content), indent=1).encode()

    with pytest.raises(PackInvalid, match="canonical"):
        Pack.parse(spelled)
    with pytest.raises(PackInvalid):
        Pack.parse(canonical({"pool": "510100", "name": "chengdu", "files": {}}))
