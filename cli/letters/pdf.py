"""A letter as a PDF on A4 (文书PDF).

Chinese is set in STSong-Light, one of the fonts that every PDF reader brings for Chinese: no font
file is shipped or embedded. The same letter gives the same bytes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import (
    Flowable,
    HRFlowable,
    KeepTogether,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from cli.letters.page import sentence
from kernel.letters.phrases import phrases

CHINESE = "STSong-Light"
LATIN = "Times-Roman"
RED, SOFT, LINE = HexColor("#b5121b"), HexColor("#5a6066"), HexColor("#c9ced3")
WIDTH = A4[0] - 40 * mm
# What Times has no letter for is set in the Chinese font.
_OTHER_LETTERS = re.compile(r"[^\x00-\xff–—‘’“”…]+")


def pdf_of(letter: Mapping[str, Any], digest: str, langs: Sequence[str], name: str) -> bytes:
    """The letter in these languages, each beginning a page."""
    if CHINESE not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
    story: list[Flowable] = []
    for lang in langs:
        story += [PageBreak()] if story else []
        story += _Sheet(letter, digest, lang, name).flowables()
    made = BytesIO()
    template = SimpleDocTemplate(
        made,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
        title=f"{letter['number'][langs[0]]} {letter['title'][langs[0]]}",
        author=letter["office"][langs[0]],
        invariant=1,
    )
    template.build(story, onFirstPage=_numbered, onLaterPages=_numbered)
    return made.getvalue()


def _numbered(canvas: Any, _template: Any) -> None:
    canvas.setFont(LATIN, 8)
    canvas.setFillColor(SOFT)
    canvas.drawCentredString(A4[0] / 2, 10 * mm, f"— {canvas.getPageNumber()} —")


class _Sheet:
    """One language of a letter."""

    def __init__(self, letter: Mapping[str, Any], digest: str, lang: str, name: str) -> None:
        self._it = letter
        self._digest = digest
        self._lang = lang
        self._name = name
        self._w = phrases().labels(lang)
        self._colon = "：" if lang == "zh" else ": "
        self._stop = "；" if lang == "zh" else "; "

    def flowables(self) -> list[Flowable]:
        return [
            *self._head(),
            *self._decision(),
            *self._facts(),
            *self._grounds(),
            *self._changes(),
            Spacer(1, 4 * mm),
            self._remedies(),
            Spacer(1, 3 * mm),
            *(self._say(one, "body") for one in self._it["notes"]),
            KeepTogether(list(self._sign())),
            KeepTogether(list(self._foot())),
        ]

    def _head(self) -> Iterator[Flowable]:
        it = self._it
        yield self._text(self._w["scheme"], "scheme")
        yield self._text(sentence(it["office"][self._lang]), "office")
        yield HRFlowable(width="100%", thickness=2, color=RED, spaceBefore=2, spaceAfter=4)
        yield self._say(it["number"], "number")
        yield self._say(it["title"], "title")
        to = "person" if it["person"] else "provider"
        ids = f"{self._w[f'{to}_id']} {it[to]}"
        if it["application"]:
            ids += f"{self._stop}{self._w['application']} {it['application']}"
        before, _, after = map(self._mixed, it["to"][self._lang].partition("{name}"))
        name = self._mixed(self._name or self._w["name_blank"])
        small = f"<font size=7 color='#5a6066'>{self._mixed(ids)}</font>"
        yield Paragraph(f"{before}<u>{name}</u>{after} {small}", self._style("body"))
        yield self._say(it["opening"], "body")

    def _decision(self) -> Iterator[Flowable]:
        lines = [self._say(one, "outcome") for one in self._it["outcomes"]]
        if self._it["reasons"]:
            joined = self._stop.join(one[self._lang] for one in self._it["reasons"])
            lines.append(self._text(f"{self._w['reasons']}{self._colon}{joined}", "body"))
        box = Table([[lines]], colWidths=[WIDTH])
        box.setStyle(
            TableStyle(
                [
                    ("LINEBEFORE", (0, 0), (0, -1), 3, RED),
                    ("BACKGROUND", (0, 0), (-1, -1), HexColor("#faf6f5")),
                    ("LEFTPADDING", (0, 0), (-1, -1), 10),
                ]
            )
        )
        yield box

    def _facts(self) -> Iterator[Flowable]:
        yield self._text(self._w["facts"], "heading")
        rows: list[list[Any]] = [
            [self._text(self._w[one], "cell_head") for one in ("fact", "about", "known", "source")]
        ]
        for fact in self._it["facts"]:
            says = fact["says"][self._lang]
            first = [self._say(fact["title"], "cell")]
            first += [self._text(says, "cell_soft")] if says else []
            source = [self._say(fact["source"], "cell_soft"), self._say(fact["place"], "cell_soft")]
            about, known = self._say(fact["about"], "cell"), self._say(fact["known"], "cell")
            rows.append([first, about, known, source])
        widths = [WIDTH - 96 * mm, 28 * mm, 38 * mm, 30 * mm]
        table = Table(rows, colWidths=widths, repeatRows=1)
        table.setStyle(
            TableStyle(
                [
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LEFTPADDING", (0, 0), (-1, -1), 0),
                    ("LINEBELOW", (0, 0), (-1, 0), 0.8, HexColor("#1a1a1a")),
                    ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE),
                    ("TOPPADDING", (0, 0), (-1, -1), 2),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ]
            )
        )
        yield table

    def _grounds(self) -> Iterator[Flowable]:
        yield self._text(self._w["grounds"], "heading")
        for place, one in enumerate(self._it["grounds"], 1):
            cited = ", ".join(filter(None, (one["document"], one["article"], one["published"])))
            lines: list[Flowable] = [
                self._text(f"{place}. {sentence(one['text'][self._lang])}", "ground")
            ]
            if one["verdict"] == "computed" and one["sum"][self._lang]:
                told = f"{self._w['sum']}{self._colon}{one['sum'][self._lang]}"
                lines.append(self._text(told, "cited"))
            lines.append(self._text(f"{cited}{self._stop}{one['mark'][self._lang]}", "cited"))
            yield KeepTogether(lines)

    def _changes(self) -> Iterator[Flowable]:
        if not self._it["changes"]:
            return
        yield self._text(self._w["changes"], "heading")
        if self._it["all_of_them"]:
            yield self._text(self._w["all_of"], "body")
        for change in self._it["changes"]:
            yield self._text(f"— {change[self._lang]}", "ground")

    def _remedies(self) -> Flowable:
        lines: list[Flowable] = [self._text(self._w["remedies"], "box_heading")]
        for place, one in enumerate(self._it["remedies"], 1):
            told = sentence(one["text"][self._lang])
            lines.append(
                self._text(f"{place}. {one['title'][self._lang]}{self._colon}{told}", "box")
            )
            if one["basis"][self._lang]:
                lines.append(self._say(one["basis"], "cited"))
        lines.append(self._say(self._it["say"], "box"))
        box = Table([[lines]], colWidths=[WIDTH])
        box.setStyle(
            TableStyle(
                [("BOX", (0, 0), (-1, -1), 1.1, RED), ("BOTTOMPADDING", (0, 0), (-1, -1), 8)]
            )
        )
        return box

    def _sign(self) -> Iterator[Flowable]:
        it, w = self._it, self._w
        yield Spacer(1, 8 * mm)
        yield self._text(sentence(it["office"][self._lang]), "sign")
        if not it["office_known"]:
            open_, close = ("（", "）") if self._lang == "zh" else ("(", ")")
            yield self._text(f"{open_}{w['office_unknown']}{close}", "sign_soft")
        yield self._text(f"{w['officer']}{self._colon}{it['officer']}", "sign")
        yield self._say(it["day"], "sign")
        yield self._text(w["seal"], "sign_soft")

    def _foot(self) -> Iterator[Flowable]:
        w, decision = self._w, self._it["decision"]
        yield HRFlowable(width="100%", thickness=0.4, color=LINE, spaceBefore=8, spaceAfter=3)
        for told in (
            f"{w['proof']}{self._colon}{self._digest}",
            f"{w['ruling']}{self._colon}{' '.join(decision['rulings'])}",
            f"{w['pack']}{self._colon}{decision['pack']}",
            w["foot"],
        ):
            yield self._text(told, "foot")

    # -- type ------------------------------------------------------------------------------

    def _say(self, told: Mapping[str, str], style: str) -> Paragraph:
        return self._text(told[self._lang], style)

    def _text(self, text: str, style: str) -> Paragraph:
        return Paragraph(self._mixed(text), self._style(style))

    def _mixed(self, text: str) -> str:
        """Markup in which, among Latin text, other letters get the Chinese font."""
        safe = escape(text)
        if self._lang == "zh":
            return safe
        return _OTHER_LETTERS.sub(lambda run: f"<font name='{CHINESE}'>{run[0]}</font>", safe)

    def _style(self, name: str) -> ParagraphStyle:
        size, leading, more = _STYLES[name]
        chinese = self._lang == "zh"
        return ParagraphStyle(
            name,
            fontName=CHINESE if chinese else LATIN,
            fontSize=size,
            leading=leading,
            wordWrap="CJK" if chinese else None,
            **more,
        )


_STYLES: Mapping[str, tuple[float, float, Mapping[str, Any]]] = {
    "scheme": (11, 15, {"textColor": RED, "alignment": TA_CENTER}),
    "office": (20, 28, {"textColor": RED, "alignment": TA_CENTER}),
    "number": (10, 14, {"alignment": TA_RIGHT}),
    "title": (16, 22, {"alignment": TA_CENTER, "spaceBefore": 16, "spaceAfter": 12}),
    "body": (10.5, 16, {"spaceAfter": 4}),
    "outcome": (12, 18, {}),
    "heading": (11.5, 16, {"spaceBefore": 10, "spaceAfter": 3, "keepWithNext": 1}),
    "cell_head": (9, 12, {}),
    "cell": (9, 12.5, {}),
    "cell_soft": (8.5, 12, {"textColor": SOFT}),
    "ground": (10, 14.5, {"leftIndent": 12, "firstLineIndent": -12, "spaceBefore": 3}),
    "cited": (8.5, 12, {"leftIndent": 12, "textColor": SOFT}),
    "box_heading": (11.5, 17, {"textColor": RED}),
    "box": (10, 15, {"spaceBefore": 2}),
    "sign": (10.5, 15.5, {"alignment": TA_RIGHT}),
    "sign_soft": (9, 13, {"alignment": TA_RIGHT, "textColor": SOFT}),
    "foot": (7, 10, {"textColor": SOFT}),
}
