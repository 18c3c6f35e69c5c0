"""The demo's files are what their scripts make, and the expected ends are computed apart."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = ("make_examples.py", "compute_expected.py")


@pytest.fixture(scope="module")
def made_anew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    for script in SCRIPTS:
        (folder / script).write_text((EXAMPLES / script).read_text(encoding="utf-8"), "utf-8")
        subprocess.run([sys.executable, folder / script], check=True, capture_output=True)
    return folder


def test_the_files_are_what_their_scripts_make(made_anew: Path) -> None:
    made = {path.name: path.read_bytes() for path in made_anew.iterdir() if path.is_file()}
    kept = {path.name: path.read_bytes() for path in EXAMPLES.iterdir() if path.is_file()}

    assert kept == made


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_expected_ends_know_nothing_of_the_product(script: str) -> None:
    tree = ast.parse((EXAMPLES / script).read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
    }

    assert imported <= set(sys.stdlib_module_names)
