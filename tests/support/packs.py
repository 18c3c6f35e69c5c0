"""The real rule packs, loaded once."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from kernel.config import ROOT
from kernel.rules.library import PackLibrary
from kernel.rules.pack import Pack
from kernel.rules.ruling import canonical

CHANGZHOU = "320400"  # no waiting time; moderate and severe grades
CHENGDU = "510100"  # 24 months' continuous participation; severe grades


@cache
def library() -> PackLibrary:
    return PackLibrary(ROOT / "rules")


def pack(pool: str) -> Pack:
    return library().pack_for(pool)


def changed(pool: str, concern: str, figures: Mapping[str, tuple[Any, str]]) -> Pack:
    """The pool's pack with other values of some figures, each from a first day on."""
    told = json.loads(pack(pool).content)
    for name, (value, effective_from) in figures.items():
        told["files"][concern][name] = {
            "title": f"{name} (试验)",
            "unit": "as tested",
            "values": [
                {
                    "effective_from": effective_from,
                    "value": value,
                    "source": "D",
                    "verified": False,
                    "citation": {"document": "test", "article": "", "published": ""},
                    "note": "a test's own",
                }
            ],
        }
    return Pack.parse(canonical(told))
