"""`python -m benchmarks NAME` runs benchmarks/NAME.py; each prints a table and writes JSON."""

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    names = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem[0] != "_")
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        raise SystemExit(f"usage: python -m benchmarks {{{','.join(names)}}}")
    import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:])


if __name__ == "__main__":
    main()
