"""A letter as a page that needs nothing else: for a screen, and for A4 paper (文书版式)."""

from collections.abc import Mapping, Sequence
from typing import Any

import jinja2

from kernel.letters.phrases import phrases


def page_of(letter: Mapping[str, Any], digest: str, langs: Sequence[str], name: str) -> bytes:
    """The page in these languages, one sheet each; without a name there is a line to fill in."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cli.letters", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sentence"] = sentence
    page = environment.get_template("letter.html.j2").render(
        it=letter,
        digest=digest,
        langs=langs,
        labels={lang: phrases().labels(lang) for lang in langs},
        name=name,
    )
    return page.encode()


def sentence(text: str) -> str:
    """With a capital letter at its beginning, where it has one."""
    return text[:1].upper() + text[1:]
