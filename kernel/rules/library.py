"""The current rule packs of all pools, read from the rules folder once at the start."""

from pathlib import Path

from kernel.refusal import NotFound
from kernel.rules.pack import Pack
from kernel.rules.reading import NoBase, PackInvalid, Problem, figures_of, read_base


class UnknownPool(NotFound, KeyError):  # noqa: N818 - named as the answer it is
    """No pack for the pool: its code is in `pool`. Callers are told NOT_FOUND."""

    def __init__(self, pool: str) -> None:
        self.pool = pool
        super().__init__("rule pack of pool", pool)

    def __str__(self) -> str:
        return f"no rule pack for pool {self.pool}"  # KeyError would print a bare code


def pack_folders(root: Path) -> tuple[Path, ...]:
    """The folders of packs, and of the bases they may extend."""
    found = {path.parent for name in ("pool", "base") for path in root.glob(f"*/{name}.toml")}
    return tuple(sorted(found))


def check_base(folder: Path) -> None:
    """Reads a base that packs extend; PackInvalid where its files or figures cannot be."""
    try:
        files = read_base(folder)
    except NoBase as error:
        raise PackInvalid([Problem(f"{folder.name}/base.toml", "extends", str(error))]) from error
    _, problems = figures_of(files, folder.name)
    problems = [one for one in problems if one.reason != "missing"]  # a base may be a part
    if problems:
        raise PackInvalid(problems)


class PackLibrary:
    """Every pack of a folder, valid or not at all.

    A folder with a `pool.toml` is a pack; others are bases that packs extend.
    PackInvalid lists what is wrong in all of them, with file, key and reason.
    """

    def __init__(self, folder: Path) -> None:
        self._packs: dict[str, Pack] = {}
        problems: list[Problem] = []
        for path in sorted(folder.glob("*/pool.toml")):
            try:
                self._add(Pack.load(path.parent))
            except PackInvalid as invalid:
                problems.extend(invalid.problems)
        if not self._packs and not problems:
            problems.append(Problem(str(folder), "", "no rule packs in this folder"))
        if problems:
            raise PackInvalid(problems)

    def pools(self) -> tuple[str, ...]:
        """The codes of all pools, sorted."""
        return tuple(sorted(self._packs))

    def pack_for(self, pool: str) -> Pack:
        """The pool's current pack; UnknownPool where there is none."""
        try:
            return self._packs[pool]
        except KeyError:
            raise UnknownPool(pool) from None

    def _add(self, pack: Pack) -> None:
        if pack.pool in self._packs:
            where = f"{pack.pool}_{pack.name}"
            raise PackInvalid([Problem(where, "code", "another folder has this pool already")])
        self._packs[pack.pool] = pack
