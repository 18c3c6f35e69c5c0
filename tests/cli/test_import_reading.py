"""Reading a file alone: no service runs, and every bad row says where and why."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cli.imports.faults import Fault, FaultFile, shown
from cli.imports.items import Item, Items, canonical
from cli.imports.kinds import CONTRIBUTIONS, KINDS, PERSONS, VISITS, Bulk, Kind
from cli.imports.patience import SILENCE, passing
from cli.imports.table import CsvTable, Row
from cli.output import BAD_INPUT, Failure, Language, Output, language, money
from kernel.ids import derive
from tests.support.people import person, wrong_check_digit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WANG = person(1)
CONTRIBUTION = {
    "identity_number": WANG.identity_number,
    "pool": "320400",
    "source": "person",
    "amount_yuan": "30.00",
    "year": "2024",
    "paid_date": "2024-01-02",
}
VISIT = {
    "identity_number": WANG.identity_number,
    "pool": "320400",
    "caregiver_identity_number": person(2).identity_number,
    "start_time": "2024-03-01T09:00:00+08:00",
    "end_time": "2024-03-01T10:00:00+08:00",
    "latitude": "31.811000",
    "longitude": "119.974000",
    "items": "L01;L02",
    "confirmed_by": "family",
}


def written(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(kind: Kind, path: Path) -> tuple[list[Item], list[Fault]]:
    good: list[Item] = []
    bad: list[Fault] = []
    with CsvTable(path, kind.required, kind.optional) as table, Items(kind, None) as items:
        for row in table.rows():
            item = items.item(row) if isinstance(row, Row) else row
            if isinstance(item, Item):
                good.append(item)
            else:
                bad.extend(item)
    return good, bad


def read_bytes(kind: Kind, folder: Path, content: bytes) -> tuple[list[Item], list[Fault]]:
    path = folder / "file.csv"
    path.write_bytes(content)
    return read(kind, path)


def header_failure(folder: Path, content: bytes) -> Failure:
    with pytest.raises(Failure) as caught:
        read_bytes(CONTRIBUTIONS, folder, content)
    assert caught.value.code == BAD_INPUT
    return caught.value


def line_of(cells: dict[str, str]) -> bytes:
    return ",".join(cells.values()).encode()


HEADER = ",".join(CONTRIBUTION).encode()
GOOD = line_of(CONTRIBUTION)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_example_file_reads_without_a_fault(kind: Kind) -> None:
    good, bad = read(kind, EXAMPLES / f"{kind.name.replace('-', '_')}.csv")
    assert bad == []
    assert len({item.request_id for item in good}) == len(good) > 0


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("identity_number", wrong_check_digit(WANG.identity_number), "IDENTITY_CHECK_DIGIT"),
        ("identity_number", "1234", "IDENTITY_LENGTH"),
        ("identity_number", "", "REQUIRED"),
        ("pool", "32O400", "UNKNOWN_POOL"),
        ("source", "persno", "UNKNOWN_VALUE"),
        ("source", "PERSON", "UNKNOWN_VALUE"),
        ("amount_yuan", "-30.00", "NEGATIVE_AMOUNT"),
        ("amount_yuan", "30.001", "TOO_MANY_DECIMALS"),
        ("amount_yuan", "1,030.00", "NOT_AN_AMOUNT"),
        ("amount_yuan", "3e1", "NOT_AN_AMOUNT"),
        ("amount_yuan", "３０", "NOT_AN_AMOUNT"),
        ("amount_yuan", "NaN", "NOT_AN_AMOUNT"),
        ("amount_yuan", "0.00", "NOT_POSITIVE"),
        ("amount_yuan", "9" * 40, "OUT_OF_RANGE"),
        ("year", "2024.0", "NOT_A_WHOLE_NUMBER"),
        ("year", "1999", "OUT_OF_RANGE"),
        ("paid_date", "2024-02-30", "NOT_A_DATE"),
        ("paid_date", "2024/01/02", "NOT_A_DATE"),
    ],
)
def test_a_bad_cell_is_told_with_line_column_and_reason(
    tmp_path: Path, column: str, cell: str, reason: str
) -> None:
    rows = [CONTRIBUTION, {**CONTRIBUTION, column: cell}, CONTRIBUTION]
    good, bad = read(CONTRIBUTIONS, written(tmp_path / "file.csv", rows))
    assert [(fault.line, fault.column, fault.reason) for fault in bad] == [(3, column, reason)]
    assert bad[0].message
    assert bad[0].message_zh
    assert [item.line for item in good] == [2, 4]


@pytest.mark.parametrize(
    ("column", "cell", "fault_column", "reason"),
    [
        ("end_time", "2024-03-01T08:00:00+08:00", "end_time", "ENDS_BEFORE_START"),
        ("end_time", "2024-03-01T10:00:00", "end_time", "NOT_AN_INSTANT"),
        ("latitude", "31.8110001", "latitude", "TOO_MANY_DECIMALS"),
        ("latitude", "91.0", "latitude", "OUT_OF_RANGE"),
        ("longitude", "119,974", "longitude", "NOT_DEGREES"),
    ],
)
def test_a_bad_visit_is_told_by_its_column(
    tmp_path: Path, column: str, cell: str, fault_column: str, reason: str
) -> None:
    good, bad = read(VISITS, written(tmp_path / "file.csv", [{**VISIT, column: cell}]))
    assert good == []
    assert [(fault.column, fault.reason) for fault in bad] == [(fault_column, reason)]


def test_all_that_is_wrong_with_a_row_is_told_at_once(tmp_path: Path) -> None:
    row = {**CONTRIBUTION, "amount_yuan": "-1", "source": "nobody", "year": ""}
    _, bad = read(CONTRIBUTIONS, written(tmp_path / "file.csv", [row]))
    assert {fault.column for fault in bad} == {"source", "amount_yuan", "year"}


def test_amounts_become_fen_and_degrees_millionths_exactly(tmp_path: Path) -> None:
    amounts = {"0.01": 1, "0.1": 10, "12": 1200, "4503599627370.49": 450359962737049}
    rows = [{**CONTRIBUTION, "amount_yuan": text} for text in amounts]
    good, bad = read(CONTRIBUTIONS, written(tmp_path / "file.csv", rows))
    assert bad == []
    assert [item.values["amount_yuan"] for item in good] == list(amounts.values())
    places = {"31.811": 31_811_000, "-0.000001": -1, "31.811711": 31_811_711}
    rows = [{**VISIT, "latitude": text} for text in places]
    good, bad = read(VISITS, written(tmp_path / "places.csv", rows))
    assert bad == []
    assert [item.values["latitude"] for item in good] == list(places.values())


def test_a_quoted_line_break_keeps_the_line_numbers_right(tmp_path: Path) -> None:
    rows = [
        {**CONTRIBUTION, "source": "two\nlines"},
        {**CONTRIBUTION, "year": "x"},
    ]
    _, bad = read(CONTRIBUTIONS, written(tmp_path / "file.csv", rows))
    assert [(fault.line, fault.column) for fault in bad] == [(2, "source"), (4, "year")]


def test_a_row_with_too_few_or_many_cells_is_bad_and_the_next_is_read(tmp_path: Path) -> None:
    short = GOOD.rpartition(b",")[0]
    content = b"\n".join([HEADER, short, GOOD + b",more", b"", GOOD, b""])
    good, bad = read_bytes(CONTRIBUTIONS, tmp_path, content)
    assert [(fault.line, fault.column, fault.reason) for fault in bad] == [
        (2, "paid_date", "ROW_TOO_SHORT"),
        (3, "", "ROW_TOO_LONG"),
    ]
    assert [item.line for item in good] == [5]


def test_broken_utf8_names_the_byte_and_spoils_only_its_row(tmp_path: Path) -> None:
    content = b"\n".join([HEADER, b"\xff" + GOOD, GOOD, b""])
    good, bad = read_bytes(CONTRIBUTIONS, tmp_path, content)
    assert [(fault.line, fault.reason) for fault in bad] == [(2, "NOT_UTF8")]
    assert f"byte {len(HEADER) + 1} " in bad[0].message
    assert [item.line for item in good] == [3]


def test_a_gbk_file_gets_a_hint(tmp_path: Path) -> None:
    _, bad = read_bytes(
        PERSONS, tmp_path, (EXAMPLES / "persons.csv").read_text(encoding="utf-8").encode("gb18030")
    )
    assert {fault.reason for fault in bad} == {"NOT_UTF8"}
    assert all("GBK" in fault.message and "GBK" in fault.message_zh for fault in bad)


def test_a_byte_order_mark_and_windows_line_ends_are_welcome(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + b"\r\n".join([HEADER, GOOD, b""])
    good, bad = read_bytes(CONTRIBUTIONS, tmp_path, content)
    assert (len(good), bad) == (1, [])


def test_an_open_quote_is_told_with_the_lines_it_swallowed(tmp_path: Path) -> None:
    content = b"\n".join([HEADER, GOOD, b'"' + GOOD, GOOD, b""])
    good, bad = read_bytes(CONTRIBUTIONS, tmp_path, content)
    assert [item.line for item in good] == [2]
    assert [(fault.line, fault.reason) for fault in bad] == [(3, "QUOTES_BROKEN")]
    assert "lines 3 to 4" in bad[0].message


def test_a_line_without_end_is_a_bad_row_and_not_read_into_memory(tmp_path: Path) -> None:
    content = b"\n".join([HEADER, b"x" * 3_000_000, GOOD, b""])
    good, bad = read_bytes(CONTRIBUTIONS, tmp_path, content)
    assert [(fault.line, fault.reason) for fault in bad] == [(2, "LINE_TOO_LONG")]
    assert [item.line for item in good] == [3]


@pytest.mark.parametrize(
    ("content", "reason", "told"),
    [
        (b"", "EMPTY_FILE", "empty"),
        (HEADER.replace(b",amount_yuan", b"") + b"\n", "WRONG_HEADER", "missing: amount_yuan"),
        (HEADER.replace(b"source", b"sauce") + b"\n", "WRONG_HEADER", "unknown: sauce"),
        (HEADER + b",year\n", "WRONG_HEADER", "twice: year"),
        (HEADER.replace(b",", b";") + b"\n", "WRONG_HEADER", "missing"),
        (HEADER.decode().encode("utf-16"), "NOT_UTF8", "UTF-16"),
        (b"\xff" + HEADER, "NOT_UTF8", "byte 0"),
    ],
)
def test_a_file_whose_header_does_not_fit_is_not_read(
    tmp_path: Path, content: bytes, reason: str, told: str
) -> None:
    failure = header_failure(tmp_path, content)
    assert failure.reason == reason
    assert told in failure.en


def test_a_missing_file_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught, CsvTable(tmp_path / "none.csv", ["a"], []):
        pass
    assert caught.value.where.endswith("none.csv")


def test_the_same_content_has_the_same_request_id_however_it_is_written(tmp_path: Path) -> None:
    plain = written(tmp_path / "plain.csv", [CONTRIBUTION])
    turned = dict(reversed({**CONTRIBUTION, "amount_yuan": " 30 "}.items()))
    other = written(tmp_path / "other.csv", [turned])
    (one,), (two,) = read(CONTRIBUTIONS, plain)[0], read(CONTRIBUTIONS, other)[0]
    assert one.request_id == two.request_id


def test_two_rows_alike_are_two_facts(tmp_path: Path) -> None:
    good, _ = read(CONTRIBUTIONS, written(tmp_path / "file.csv", [CONTRIBUTION] * 3))
    assert len({item.request_id for item in good}) == 3
    again, _ = read(CONTRIBUTIONS, tmp_path / "file.csv")
    assert [item.request_id for item in again] == [item.request_id for item in good]


def test_a_fault_shows_no_personal_data(tmp_path: Path) -> None:
    number = wrong_check_digit(WANG.identity_number)
    moved = {**CONTRIBUTION, "identity_number": number, "source": WANG.identity_number}
    _, bad = read(CONTRIBUTIONS, written(tmp_path / "file.csv", [moved]))
    assert [fault.value for fault in bad] == ["*" * 14 + number[-4:], "***"]
    assert all(number[:14] not in str(fault) for fault in bad)
    assert shown("王小明", personal=True) == "***"


def test_the_report_file_is_a_csv_that_a_spreadsheet_does_not_compute(tmp_path: Path) -> None:
    row = {**CONTRIBUTION, "amount_yuan": "=1+1", "source": "-30.00"}
    source = written(tmp_path / "file.csv", [row])
    _, bad = read(CONTRIBUTIONS, source)
    with FaultFile(tmp_path / "bad.csv", Language.ZH, source=source) as report:
        for fault in bad:
            report(fault)
    with (tmp_path / "bad.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["line", "column", "value", "reason", "right"]
    assert [line[:4] for line in lines] == [
        ["2", "source", "-30.00", "UNKNOWN_VALUE"],
        ["2", "amount_yuan", "'=1+1", "NOT_AN_AMOUNT"],
    ]
    with pytest.raises(Failure), FaultFile(source, Language.ZH, source=source):
        pass


def test_a_row_that_comes_again_with_more_steps_keeps_the_names_of_the_first() -> None:
    kind = KINDS["applications"]
    good, _ = read(kind, EXAMPLES / "applications.csv")
    whole = next(item for item in good if len(item.steps) == 5)
    early = {name: cell for name, cell in whole.cells.items() if not name.startswith("confirm")}
    with Items(kind, None) as items:
        again = items.item(Row(2, early))
    assert isinstance(again, Item)
    assert [step.name for step in again.steps] == [step.name for step in whole.steps[:3]]
    for at in range(3):
        again.at = whole.at = at
        assert again.step_request_id() == whole.step_request_id()


def test_half_a_form_is_refused_with_what_is_missing() -> None:
    kind = KINDS["applications"]
    good, _ = read(kind, EXAMPLES / "applications.csv")
    with Items(kind, None) as items:
        found = items.item(Row(2, {**good[0].cells, "adl_stairs": "", "expert": ""}))
    assert isinstance(found, list)
    assert {(fault.column, fault.reason) for fault in found} == {
        ("adl_stairs", "REQUIRED"),
        ("expert", "REQUIRED"),
    }


def test_no_file_holds_a_column_that_no_message_takes() -> None:
    for kind in KINDS.values():
        assert isinstance(kind.delivery, Bulk) or kind.delivery.lane
        assert set(kind.renamed.values()) <= set(kind.names)
        assert set(kind.identity) <= set(kind.names)


def test_money_is_shown_in_yuan_with_separators() -> None:
    assert [money(fen) for fen in (0, 5, 123450, -123450, 100_000_000)] == [
        "0.00",
        "0.05",
        "1,234.50",
        "-1,234.50",
        "1,000,000.00",
    ]


def test_the_language_follows_the_environment() -> None:
    assert language({"LANG": "zh_CN.UTF-8"}) is Language.ZH
    assert language({"LANG": "zh_CN.UTF-8", "LTCI_LANG": "en"}) is Language.EN
    assert language({}) is Language.EN
    assert Output.of(Language.ZH).text("yes", "是") == "是"


def test_a_stream_cut_off_by_a_killed_server_is_tried_again() -> None:
    cut_off = replace(SILENCE, code="INTERNAL", message="Internal error from Core")

    assert passing(cut_off)
    assert not passing(replace(cut_off, domain="provider.ltci"))
    assert passing(replace(cut_off, code="UNAVAILABLE", domain="provider.ltci"))


def test_a_row_read_the_short_way_has_the_content_it_always_had() -> None:
    # The request ids of all that was ever imported stand on it.
    kind = KINDS["contributions"]
    cells = CONTRIBUTION | {"amount_yuan": "30.5"}
    other = cells | {"identity_number": person(2).identity_number, "amount_yuan": "30.50"}
    with Items(kind, None) as items:
        made = [items.item(Row(line, row)) for line, row in enumerate((cells, other, cells), 2)]
    for item in made:
        assert isinstance(item, Item)
        assert item.content == canonical(item.values, kind.names)
        told = derive("import", kind.name, item.content, str(item.occurrence))
        assert item.request_id == str(told)
    assert [item.occurrence for item in made if isinstance(item, Item)] == [0, 0, 1]
