"""One self-contained HTML page of a what-if run, in Chinese or English, for screen and paper."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from cli.output import Language, money
from cli.whatif import plots
from cli.whatif.compare import Comparison
from cli.whatif.history import Range
from kernel.rules.pack import Pack

TEMPLATE = "page.html.j2"
NAMES = {
    "grade": ("By grade", "按失能等级"),
    "group": ("By group of insured", "按参保人群"),
    "setting": ("By setting", "按服务形式"),
}
WORDS = {
    "home_visits": ("home visits", "居家上门护理"),
    "family_carer": ("care by a relative", "居家亲情护理"),
    "home_agency": ("agency care at home", "居家机构护理"),
    "institution": ("institution", "机构护理"),
    "hospital": ("hospital", "医疗机构护理"),
    "community": ("community", "社区护理"),
    "carer_beside": ("relative beside a provider", "亲情护理（并行）"),
    "employee": ("employees", "职工"),
    "retiree": ("retirees", "退休人员"),
    "flexible": ("flexibly employed", "灵活就业人员"),
    "resident": ("residents", "城乡居民"),
    "minor": ("minors", "未成年人"),
    "unknown": ("unknown", "不详"),
    "eligibility": ("eligibility", "待遇资格"),
    "grade": ("grade", "失能等级"),
    "visit": ("visit", "服务认定"),
    "entitlement": ("entitlement", "待遇状态"),
    "benefit": ("benefit", "月度待遇"),
    "none": ("none", "无"),
    "due": ("due", "应付"),
    "nothing_due": ("nothing due", "无应付"),
    "delivered": ("counts as service", "服务有效"),
}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What the page is about."""

    draft: Pack
    within: Range
    lang: Language

    def text(self, en: str, zh: str) -> str:
        return zh if self.lang is Language.ZH else en

    def word(self, name: str) -> str:
        """A label in the reader's language; `3→4` and the like stay."""
        return "→".join(
            self.text(*WORDS[part]) if part in WORDS else part for part in name.split("→")
        )


def page(subject: Subject, found: Comparison) -> str:
    """The page; the same bytes for the same results."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    told: dict[str, Any] = {
        "lang": subject.lang.value,
        "t": subject.text,
        "word": subject.word,
        "yuan": money,
        "signed": signed,
        "pack": subject.draft,
        "within": subject.within,
        "found": found,
        "total": found.total(),
        "names": NAMES,
        # The drawings are made here, of numbers and of our own words: nothing in them is foreign.
        "plot_months": Markup(plots.months(found)),  # noqa: S704
        "plot_people": Markup(plots.people(found)),  # noqa: S704
        "plots": {name: Markup(plots.differences(found, name)) for name in NAMES},  # noqa: S704
    }
    return environment.get_template(TEMPLATE).render(told)


def signed(fen: int) -> str:
    """A difference with its sign, in yuan."""
    return f"+{money(fen)}" if fen > 0 else money(fen)
