"""Makes every decision of this dossier again: `python -m ltci_dossier`, or `python FILE.zip`.

Needs Python 3.11 and the packages protobuf and chinesecalendar; no database, no network.
Ends with 0 where every ruling comes out to the same bytes, 1 where one differs, 2 where the
dossier cannot be read here.
"""

import io
import sys

DIFFERS, UNABLE = 1, 2
NEEDED = (3, 11)


def main() -> int:
    """Checks what is needed first, so that what is missing is said and not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console of another encoding must not stop it
            stream.reconfigure(encoding="utf-8", errors="replace")
    if sys.version_info < NEEDED:
        return _unable("Python 3.11 or newer is needed", "需要 Python 3.11 或更高版本")
    try:
        from .runner import run
    except ImportError as error:
        package = {"google": "protobuf", "chinese_calendar": "chinesecalendar"}.get(
            (error.name or "").partition(".")[0], error.name or str(error)
        )
        return _unable(
            f"the package {package} is missing: python -m pip install protobuf chinesecalendar",
            f"缺少软件包 {package}：python -m pip install protobuf chinesecalendar",
        )
    except Exception as error:
        if "protobuf" not in type(error).__module__:
            raise
        return _unable(f"protobuf is too old: {error}", f"protobuf 版本过旧：{error}")
    try:
        same = run(__file__, sys.stdout)
    except BrokenPipeError:
        return UNABLE  # whoever read the report has gone
    except (OSError, ValueError, KeyError) as error:
        told = f"{type(error).__name__}: {error}"
        return _unable(f"this dossier cannot be read: {told}", f"卷宗无法读取：{told}")
    return 0 if same else DIFFERS


def _unable(en: str, zh: str) -> int:
    sys.stderr.write(f"{zh}\n{en}\n")
    return UNABLE


if __name__ == "__main__":
    sys.exit(main())
