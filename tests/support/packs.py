"""The real rule packs, loaded once."""

from functools import cache

from kernel.config import ROOT
from kernel.rules.library import PackLibrary
from kernel.rules.pack import Pack

CHANGZHOU = "320400"  # no waiting time; moderate and severe grades
CHENGDU = "510100"  # 24 months' continuous participation; severe grades


@cache
def library() -> PackLibrary:
    return PackLibrary(ROOT / "rules")


def pack(pool: str) -> Pack:
    return library().pack_for(pool)
