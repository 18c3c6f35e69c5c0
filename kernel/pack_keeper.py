"""Keeps the rule packs that rulings name: readable for as long as the rulings."""

from kernel.eventstore.postgres import EventStore
from kernel.rules.library import PackLibrary
from kernel.rules.pack import Pack


class PackKeeper:
    """The pools' current packs, each put in the store before its first use."""

    def __init__(self, packs: PackLibrary, store: EventStore) -> None:
        self._packs = packs
        self._store = store
        self._kept: set[str] = set()

    async def pack_for(self, pool: str) -> Pack:
        """The pool's pack, kept. Refuses UnknownPool."""
        pack = self._packs.pack_for(pool)
        if pack.hash not in self._kept:
            await self._store.put_pack(pack.hash, pack.pool, pack.content)
            self._kept.add(pack.hash)
        return pack
