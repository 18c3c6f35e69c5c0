"""The catalogues of events and errors say what the protos say."""

import pytest

from cli.catalogue import PAGES, Unclear, parse_refusals, read_protos, refusals


def test_the_catalogues_are_up_to_date() -> None:
    protos = read_protos()
    behind = [
        path.name
        for path, page in PAGES.items()
        if not path.exists() or path.read_text(encoding="utf-8") != page(protos)
    ]
    assert behind == [], "python -m cli.catalogue"


def test_every_promise_to_refuse_is_in_the_catalogue() -> None:
    protos = read_protos()
    promised = sum(
        place.leading_comments.count("Refuses with")
        for file in protos.file
        for place in file.source_code_info.location
        if len(place.path) == 4 and (place.path[0], place.path[2]) == (6, 2)
    )
    methods = {(refusal.service, refusal.method) for refusal in refusals(protos)}
    assert promised == len(methods)


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("Returns a person. Refuses with NOT_FOUND.", [("NOT_FOUND", "", "")]),
        (
            "Refuses with FAILED_PRECONDITION, reasons `A`, `B_2`.",
            [("FAILED_PRECONDITION", "A", ""), ("FAILED_PRECONDITION", "B_2", "")],
        ),
        (
            "Refuses with NOT_FOUND, or FAILED_PRECONDITION,\n reason `A` where it differs. Safe.",
            [("NOT_FOUND", "", ""), ("FAILED_PRECONDITION", "A", "where it differs")],
        ),
        (
            "Refuses with ABORTED, reason `A`; or INVALID_ARGUMENT, reason `B` (field `x`).",
            [("ABORTED", "A", ""), ("INVALID_ARGUMENT", "B", "")],
        ),
        (
            "Refuses with UNAVAILABLE, reason `A`, until the feeds in `known` have been read.",
            [("UNAVAILABLE", "A", "until the feeds in `known` have been read")],
        ),
        ("Refuses an application for reasons found outside.", []),
    ],
)
def test_refusals_are_read_from_the_words_of_a_comment(
    comment: str, found: list[tuple[str, str, str]]
) -> None:
    assert list(parse_refusals(comment)) == found


@pytest.mark.parametrize(
    "comment",
    [
        "Refuses with anger.",
        "Refuses with NOT_GOOD, reason `A`.",
        "Refuses with NOT_FOUND, reason unknown.",
    ],
)
def test_words_that_cannot_be_read_are_told(comment: str) -> None:
    with pytest.raises(Unclear):
        list(parse_refusals(comment))
