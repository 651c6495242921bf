"""One file -> the texts in it. One module a format; what cannot be read is a finding with its name."""

import stat
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType, TracebackType

from harness.errors import UsageError
from harness.readers import html, jsonl, plain, table
from harness.readers.apart import Apart
from harness.readers.html import visible_text
from harness.readers.reading import Finding, Found, Reading
from harness.readers.wire import Kind

__all__ = ["KINDS", "Finding", "Found", "Reader", "Reading", "lacking", "visible_text"]

HTML = frozenset({".html", ".htm"})
TABLES = frozenset({".csv", ".tsv"})
APART: Mapping[str, tuple[Kind, str]] = MappingProxyType(
    {".pdf": ("pdf", "pypdfium2"), ".docx": ("docx", "docx")}
)
KINDS = (".txt", ".md", ".rst", ".html", ".htm", ".jsonl", ".csv", ".tsv", ".pdf", ".docx")


def lacking(suffix: str) -> str:
    """Why files with that suffix (small letters) cannot be read in this installation; empty if they can."""
    if suffix not in KINDS:
        return f"not one of {' '.join(KINDS)}"
    if suffix in APART and find_spec(APART[suffix][1]) is None:
        return f'reading {suffix} needs an extra: pip install "evolve-scaffold[{suffix[1:]}]"'
    return ""


class Reader:
    """Reads file after file; PDF and .docx in a process of their own, which ends with the block."""

    def __init__(self) -> None:
        self._apart = Apart()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._apart.close()

    def read(self, path: Path, name: str, *, named: bool) -> Iterator[Reading]:
        """The texts of one file. `named`: the user named this very file, so failing to read it is an error.

        Raises:
            UsageError: a file the user named is not there, is unreadable or of no known kind.
        """
        suffix = path.suffix.lower()
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                yield _refused(name, "not a regular file", named)
            elif why := lacking(suffix):
                yield _refused(name, why, named)
            elif suffix in APART:
                yield self._extracted(path, name)
            elif suffix == ".jsonl":
                yield from jsonl.read(path, name)
            elif suffix in TABLES:
                yield from table.read(path, name)
            else:
                yield html.read(path, name) if suffix in HTML else plain.read(path, name)
        except OSError as error:
            yield _refused(name, error.strerror or "unreadable", named)

    def _extracted(self, path: Path, name: str) -> Reading:
        kind, _ = APART[path.suffix.lower()]
        found = self._apart.extract(kind, path)
        if found.problem:
            return Finding("unreadable", f"skipped {name!r}: {found.problem}")
        return Found(name, found.text, found.more)


def _refused(name: str, why: str, named: bool) -> Finding:
    if named:
        raise UsageError(f"cannot read documents from {name!r}: {why}")
    return Finding("unreadable", f"skipped {name!r}: {why}")
