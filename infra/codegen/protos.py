"""Makes the protobuf code: `build/gen/ltci/...` from `protos/ltci/...`.

A hatchling build hook, so that `pip install -e .` makes it, and a program,
so that `make protos` remakes it. The generated code stays out of git.
"""

import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parents[2]


def generate(root: Path = ROOT) -> Path:
    """Runs protoc over every proto of ours; returns the folder of the result."""
    import grpc_tools
    from google.api import field_behavior_pb2
    from grpc_tools import protoc

    source, final = root / "protos", root / "build" / "gen"
    final.mkdir(parents=True, exist_ok=True)
    target = Path(tempfile.mkdtemp(dir=final.parent, prefix="gen-"))
    googleapis = Path(field_behavior_pb2.__file__).parents[2]  # `google` has no folder of its own
    well_known = Path(str(resources.files(grpc_tools))) / "_proto"
    files = sorted(str(path.relative_to(source)) for path in source.rglob("*.proto"))
    plugins = Path(sys.executable).parent
    arguments = [
        "protoc",
        f"--proto_path={source}",
        f"--proto_path={googleapis}",
        f"--proto_path={well_known}",
        f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}",
        "--include_source_info",
        f"--descriptor_set_out={target / 'ltci.binpb'}",
        *files,
    ]
    if protoc.main(arguments) != 0:  # type: ignore[no-untyped-call]
        shutil.rmtree(target)
        raise SystemExit("protoc refused the protos; its words stand above")
    for folder in [target / "ltci", *(p for p in (target / "ltci").rglob("*") if p.is_dir())]:
        (folder / "__init__.py").touch()
    (target / "ltci" / "py.typed").touch()
    # Programs that run meanwhile see the old code or the new, never half of it.
    if (final / "ltci").exists():
        (final / "ltci").rename(target / "old")
    (target / "ltci").rename(final / "ltci")
    (target / "ltci.binpb").replace(final / "ltci.binpb")
    shutil.rmtree(target)
    return final


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before it builds or links the package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        generate(Path(self.root))


if __name__ == "__main__":
    print(generate())
