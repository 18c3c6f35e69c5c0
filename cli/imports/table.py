"""Reads a CSV file row by row, however large, and says where each row stands.

UTF-8, with or without a byte order mark; commas, double quotes, line breaks inside quotes. A
row that cannot be read becomes faults of its own and the reading goes on after it; only a
header that does not fit ends it (`Failure`, code 2).
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from cli.imports.faults import Fault
from cli.output import BAD_INPUT, Failure

if TYPE_CHECKING:
    from _csv import Reader

LONGEST_LINE = 1024 * 1024  # bytes; a line that is longer is no row of ours
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it begins on, from 1, and its cells by column, without outer spaces."""

    line: int
    cells: Mapping[str, str]


class CsvTable:
    """An open CSV file with these columns. Use as a context manager; read it as often as wanted."""

    def __init__(self, path: Path, required: Sequence[str], optional: Sequence[str]) -> None:
        self.path = path
        self._required = required
        self._known = {*required, *optional}
        self._file: BinaryIO
        self._offset = 0  # bytes read so far
        self._line = 0
        self._spoilt: dict[int, Fault] = {}  # what is wrong with lines that were just read

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("rb")
            self.size = self.path.stat().st_size
        except OSError as error:
            raise self._broken_off(error) from None
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def bytes_read(self) -> int:
        """How much of the file has been read, for a bar."""
        return self._offset

    def rows(self) -> Iterator[Row | list[Fault]]:
        """Every row from the first on, or the faults of one that cannot be read.

        Refuses a header that does not fit at the call, before any row is asked for.
        """
        self._rewind()
        reader = csv.reader(self._lines(), strict=True)
        return self._rows(reader, self._header(reader))

    def _rows(self, reader: "Reader", header: Sequence[str]) -> Iterator[Row | list[Fault]]:
        while True:
            first = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield [_broken(first, reader.line_num, str(error)), *self._spoilt_now()]
                continue
            if spoilt := self._spoilt_now():
                yield spoilt
            elif any(cell.strip() for cell in cells):
                yield _row(first, header, cells)

    def _header(self, reader: Iterator[list[str]]) -> list[str]:
        try:
            header = [name.strip() for name in next(reader)]
        except StopIteration:
            raise self._unreadable("EMPTY_FILE", "is empty", "是空文件") from None
        except csv.Error as error:
            raise self._unreadable(
                "WRONG_HEADER", f"has no readable header: {error}", "表头无法读取"
            ) from None
        if spoilt := self._spoilt_now():
            raise self._unreadable(spoilt[0].reason, spoilt[0].message, spoilt[0].message_zh)
        self._compare(header)
        return header

    def _compare(self, header: Sequence[str]) -> None:
        """Refuses a header with a column too few, too many, or twice."""
        found = {
            ("missing", "缺少列"): [name for name in self._required if name not in header],
            ("unknown", "未知列"): [name or '""' for name in header if name not in self._known],
            ("twice", "重复列"): sorted({name for name in header if header.count(name) > 1}),
        }
        wrong = {words: names for words, names in found.items() if names}
        if not wrong:
            return
        en = "; ".join(f"{words[0]}: {', '.join(names)}"[:400] for words, names in wrong.items())
        zh = "；".join(f"{words[1]}：{'、'.join(names)}"[:400] for words, names in wrong.items())
        raise self._unreadable(
            "WRONG_HEADER",
            f"the header does not fit; columns {en}",
            f"表头不符；{zh}",
            right=f"columns, separated by commas: {', '.join(self._required)}",
            right_zh=f"应有以下列,以逗号分隔：{','.join(self._required)}",
        )

    def _lines(self) -> Iterator[str]:
        """The file's lines; one that is no UTF-8 or too long is noted and still counted."""
        while raw := self._read_line():
            begins, self._offset = self._offset, self._offset + len(raw)
            self._line += 1
            if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                self._skip_line()
                self._spoilt[self._line] = _too_long(self._line)
                yield "\n"
                continue
            if begins == 0:
                self._refuse_utf16(raw)
            content = raw.removeprefix(_BOM) if begins == 0 else raw
            try:
                yield content.decode("utf-8")
            except UnicodeDecodeError as error:
                place = begins + len(raw) - len(content) + error.start
                self._spoilt[self._line] = _not_utf8(self._line, place, content)
                yield content.decode("utf-8", "replace")

    def _read_line(self) -> bytes:
        try:
            return self._file.readline(LONGEST_LINE)
        except OSError as error:
            raise self._broken_off(error) from None

    def _skip_line(self) -> None:
        while raw := self._read_line():
            self._offset += len(raw)
            if raw.endswith(b"\n"):
                return

    def _refuse_utf16(self, raw: bytes) -> None:
        if raw.startswith(_UTF16):
            raise self._unreadable(
                "NOT_UTF8",
                "is UTF-16, not UTF-8: save it as CSV UTF-8",
                "是UTF-16编码而非UTF-8,请另存为CSV UTF-8",
            )

    def _spoilt_now(self) -> list[Fault]:
        spoilt = list(self._spoilt.values())
        self._spoilt.clear()
        return spoilt

    def _rewind(self) -> None:
        self._spoilt.clear()
        self._line = 0
        if self._offset and not self._file.seekable():
            raise self._unreadable(
                "NOT_REWINDABLE",
                "cannot be read twice, as checking before recording needs: store it in a file",
                "无法重复读取,先检查后登记须使用普通文件",
            )
        if self._offset:
            self._file.seek(0)
            self._offset = 0

    def _broken_off(self, error: OSError) -> Failure:
        why = error.strerror or str(error)
        return self._unreadable("FILE_UNREADABLE", f"cannot be read: {why}", f"无法读取：{why}")

    def _unreadable(
        self, reason: str, en: str, zh: str, *, right: str = "", right_zh: str = ""
    ) -> Failure:
        return Failure(
            en,
            zh,
            where=str(self.path),
            right=right,
            right_zh=right_zh,
            reason=reason,
            code=BAD_INPUT,
        )


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> Row | list[Fault]:
    if len(cells) != len(header):
        short = len(cells) < len(header)
        return [
            Fault(
                line=line,
                column=header[len(cells)] if short else "",
                reason="ROW_TOO_SHORT" if short else "ROW_TOO_LONG",
                message=f"has {len(cells)} cells; the header has {len(header)} columns",
                message_zh=f"有{len(cells)}个单元格,表头有{len(header)}列",
            )
        ]
    return Row(line, {name: cell.strip() for name, cell in zip(header, cells, strict=True)})


def _broken(first: int, last: int, why: str) -> Fault:
    lines = f"line {first}" if first == last else f"lines {first} to {last}"
    return Fault(
        line=first,
        column="",
        reason="QUOTES_BROKEN",
        message=f"{lines} cannot be read as CSV, a quote is probably missing: {why}",
        message_zh=f"第{first}至{last}行无法按CSV解析,可能缺少引号",
    )


def _too_long(line: int) -> Fault:
    return Fault(
        line=line,
        column="",
        reason="LINE_TOO_LONG",
        message=f"a line must be at most {LONGEST_LINE} bytes and end with LF or CRLF",
        message_zh=f"每行不得超过{LONGEST_LINE}字节,并以LF或CRLF结尾",
    )


def _not_utf8(line: int, place: int, content: bytes) -> Fault:
    hint, hint_zh = "", ""
    if _looks_gbk(content):
        hint = "; it looks like GBK (GB 18030): save the file as CSV UTF-8"
        hint_zh = ";疑似GBK(GB 18030)编码,请另存为CSV UTF-8"
    return Fault(
        line=line,
        column="",
        reason="NOT_UTF8",
        message=f"is not UTF-8 at byte {place} of the file (line {line}){hint}",
        message_zh=f"文件第{place}字节处(第{line}行)不是UTF-8编码{hint_zh}",
    )


def _looks_gbk(content: bytes) -> bool:
    """Whether the bytes read as Chinese in GB 18030."""
    try:
        told = content.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return any("\u4e00" <= character <= "\u9fff" for character in told)
