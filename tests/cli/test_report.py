"""The page of a provider's month: the right numbers, both languages, nobody's name."""

import pytest
from ltci.provider.v1 import monitoring_service_pb2 as pb

from cli.output import Language
from cli.report.command import figures_of
from cli.report.page import page
from services.provider.domain.quality import MonthCounts, rule_quality
from tests.provider.test_quality_rules import asked

CARER = "5b7b8d3e-0c5f-8d0a-9a51-3f1f6a1c2e10"
COUNTS = {
    ("visit", "delivered"): 90,
    ("visit", "rejected"): 10,
    ("reason", "TOO_FAR"): 10,
    ("day_delivered", "2024-03-04"): 90,
    ("day_rejected", "2024-03-05"): 10,
    ("minutes", "0090"): 100,
    ("cost_fen", "delivered"): 720_000,
    ("caregiver_minutes", CARER): 8100,
    ("flag", "impossible_travel/cleared"): 2,
}


def month() -> pb.ProviderMonth:
    ruling = rule_quality(asked(counts=MonthCounts(delivered_count=90, rejected_count=10)))
    return pb.ProviderMonth(
        provider_name="<b>安心</b>",
        social_credit_code="91350100M000100Y43",
        month="2024-03",
        counts=[pb.MonthCount(name=n, key=k, total=total) for (n, k), total in COUNTS.items()],
        score=pb.QualityScore(points=960, ruling=ruling.to_bytes()),
    )


def test_the_figures_are_those_counted() -> None:
    figures = figures_of(month())
    assert len(figures.days) == 31
    assert figures.days[3:5] == [(4, 90, 0), (5, 0, 10)]
    assert figures.hours == [135]
    assert figures.flags == [("impossible_travel", 0, 2, 0)]
    assert figures.points == 960


@pytest.mark.parametrize("lang", Language)
def test_the_page_says_them_and_names_nobody(lang: Language) -> None:
    written = page(figures_of(month()), lang)
    for number in ("960", "7,200.00", "TOO_FAR", "impossible_travel"):
        assert number in written
    assert written.count("<svg") == 3
    assert "<b>安心</b>" not in written
    assert CARER not in written
    assert written == page(figures_of(month()), lang)
    assert ("服务质量评分" in written) is (lang is Language.ZH)
