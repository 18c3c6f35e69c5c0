"""The tree keeps house: no leftovers, no dead links, no names that say nothing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("kernel", "services", "workflows", "cli", "infra")
NOT_OURS = {".git", ".venv", ".data", "build", "node_modules"}
# Written in parts, so that this file does not hold what it looks for.
INDEX_HOSTS = (
    "py" + "pi.org",
    "files.python" + "hosted",
    "registry.npm" + "js",
    "--index" + "-url",
)
LEFTOVERS = (
    "NotImplemented" + "Error",
    "TO" + "DO",
    "FIX" + "ME",
    "pytest.sk" + "ip",
    "x" + "fail",
)
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers", "misc"}
# Tests that must let real time pass, each with its reason.
# Tests that watch another process, which tells them nothing when it moves on.
SLEEPERS = {
    "tests/scenarios/running.py": "looks at the files and processes of a running stack",
    "tests/store/test_embedded_postgres.py": "looks whether a killed process is gone",
    "tests/cli/test_replay_all.py": "waits for a replay in another process to note how far it is",
}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")


def tree(*folders: str) -> Iterator[Path]:
    """The project's own files, below the folders or everywhere."""
    for start in [ROOT / folder for folder in folders] or [ROOT]:
        for path in sorted(start.rglob("*")):
            parts = path.relative_to(ROOT).parts
            hidden = any(p in NOT_OURS or p.endswith(("cache__", "_cache")) for p in parts)
            if path.is_file() and not hidden and not any(p.endswith(".egg-info") for p in parts):
                yield path


def told(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(path: Path) -> str:
    """The text of a file; empty where it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def lines_with(needles: tuple[str, ...], files: Iterator[Path]) -> list[str]:
    return [
        f"{told(path)}:{number}: {needle}"
        for path in files
        for number, line in enumerate(text_of(path).splitlines(), 1)
        for needle in needles
        if needle in line
    ]


def test_no_file_names_a_package_index() -> None:
    assert lines_with(INDEX_HOSTS, tree()) == []


def test_the_product_has_no_unfinished_places() -> None:
    code = (path for path in tree(*PRODUCT) if path.suffix in {".py", ".sql", ".sh"})
    assert lines_with(LEFTOVERS, code) == []


def test_no_test_waits_for_time_to_pass() -> None:
    needles = ("time." + "sleep(",)
    tests = (p for p in tree("tests") if p.suffix == ".py" and told(p) not in SLEEPERS)
    assert lines_with(needles, tests) == []


def test_every_module_says_what_it_understands() -> None:
    silent = [
        told(path)
        for path in tree(*PRODUCT)
        if path.suffix == ".py"
        and (source := text_of(path)).strip()  # an empty package needs no words
        and ast.get_docstring(ast.parse(source)) is None
    ]
    assert silent == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [told(path) for path in tree() if path.stem.lower() in EMPTY_NAMES] == []


def test_dependencies_are_locked_in_one_place() -> None:
    assert not (ROOT / "uv.lock").exists()
    assert (ROOT / "requirements.lock").exists()


def test_every_link_in_the_docs_leads_somewhere() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    dead = [
        f"{told(page)}: {link}"
        for page in pages
        if page.exists()
        for link in [*LINK.findall(text_of(page)), *PICTURE.findall(text_of(page))]
        if not link.startswith(("http://", "https://", "mailto:")) and not leads(page, link)
    ]
    assert dead == []


def leads(page: Path, link: str) -> bool:
    """Whether a relative link meets a file and, in a page of ours, a heading."""
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in anchors(text_of(target))


def anchors(page: str) -> set[str]:
    """The names that headings get on the usual forges."""
    headings = re.findall(r"^#+\s+(.+?)\s*$", page, flags=re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def test_a_link_to_a_missing_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Rules 规则: how\n", encoding="utf-8")

    assert leads(page, "#rules-规则-how")
    assert not leads(page, "#other")
    assert not leads(page, "missing.md")
