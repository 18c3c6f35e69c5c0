"""The rules of pools, kept in the store before a decision names them."""

from kernel.eventstore.postgres import EventStore
from kernel.rules.library import PackLibrary
from kernel.rules.pack import Pack


class PackKeeper:
    """Gives a pool's rules and pins them."""

    def __init__(self, store: EventStore, packs: PackLibrary) -> None:
        self._store = store
        self._packs = packs
        self._kept: set[str] = set()

    async def pack_for(self, pool: str) -> Pack:
        """The pool's rules; before the first decision on them they are kept."""
        pack = self._packs.pack_for(pool)
        if pack.hash not in self._kept:
            await self._store.put_pack(pack.hash, pack.pool, pack.content)
            self._kept.add(pack.hash)
        return pack
