"""A folder, a file or the standard library -> Documents with stable ids, and their splits. Knows no domain.

Nothing here moves a document: its id comes from its text alone and its split from its id alone, so more
documents never change what was trained, validated or tested on.
"""

import asyncio
import hashlib
import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from harness import readers, standard_library
from harness.errors import UsageError
from harness.readers import Finding, Reader, Reading
from harness.types import Document, Split

SHORTEST = 200
LONGEST = 40_000
SHOWN = 5
SUFFIXES_SHOWN = 8
TRAINING, VALIDATION = 0.35, 0.20
REMOVED: dict[int, str] = dict.fromkeys((*range(32), *range(127, 160), 0xFEFF), "")
CONTROLS = REMOVED | {9: "\t", 10: "\n", 12: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n\n"}


@dataclass(frozen=True)
class Collection:
    """Distinct documents in the order they were found. notices: one line for each thing left out or cut.

    source: where they are from, for people.
    """

    documents: tuple[Document, ...]
    notices: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Splits:
    """Documents by split, each in the order of their hashes. notices: splits smaller than asked for."""

    training: tuple[Document, ...]
    validation: tuple[Document, ...]
    test: tuple[Document, ...]
    notices: tuple[str, ...] = ()


class Stopped(Exception):
    """Loading was given up because nobody waits for it any more."""


def load(path: Path | None, stop: threading.Event | None = None) -> Collection:
    """Every document in a folder (all levels), in one file, or, for None, in Python's standard library.

    Files: .txt .md .rst .html .htm .jsonl .csv .tsv, and with their extras .pdf .docx. Texts shorter than 200
    characters are left out, longer than 40,000 cut at a paragraph. Set `stop` to have it given up after a text.

    Raises:
        UsageError: `path` is not there, is of no known kind, or holds no usable document.
        Stopped: `stop` was set.
    """
    source = "the text of this Python installation" if path is None else repr(str(path))
    with Reader() as reader:
        documents, findings = _distinct(_readings(path, reader), stop or threading.Event())
    notices = _notices(findings)
    if not documents:
        why = notices or ("there is no file in it; hidden ones do not count",)
        raise UsageError("\n  ".join((f"no usable document in {source}", *why)))
    return Collection(tuple(documents.values()), notices, source)


async def load_async(path: Path | None) -> Collection:
    """`load` on a thread of its own, so that the event loop goes on meanwhile; cancelled, it ends after a text."""
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents") as door:
        try:
            return await asyncio.get_running_loop().run_in_executor(door, load, path, stop)
        finally:
            stop.set()


def document(name: str, text: str) -> Document:
    """A document of that text as it is, with the id that its text has."""
    return Document(hashlib.sha256(text.encode()).hexdigest()[:16], name, text)


def clean(text: str) -> str:
    """The text with "\\n" line ends and without control characters, byte order marks and lone surrogates."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n").translate(CONTROLS)
    return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()


def shortened(text: str, limit: int) -> str:
    """The text cut to at most `limit` characters, where a paragraph ends in its second half; else a line, a
    sentence or a word."""
    if len(text) <= limit:
        return text
    for end in ("\n\n", "\n", ". ", " "):
        place = text.rfind(end, limit // 2, limit)
        if place >= 0:
            return text[: place + (end == ". ")].rstrip()
    return text[:limit]


def split_of(document_id: str) -> Split:
    """The split of a document for ever, by hash of its id: training, validation, test as 35 : 20 : 45."""
    share = int(_rank(document_id)[:13], 16) / 16**13
    if share < TRAINING:
        return "training"
    return "validation" if share < TRAINING + VALIDATION else "test"


def divide(collection: Collection, validation: int, test: int) -> Splits:
    """All training documents, and the first `validation` and `test` of those splits in order of their hashes.

    Raises:
        UsageError: a split of which documents were asked for is empty.
    """
    members: dict[Split, list[Document]] = {"training": [], "validation": [], "test": []}
    for one in sorted(collection.documents, key=lambda one: _rank(one.id)):
        members[split_of(one.id)].append(one)
    asked: dict[Split, int] = {"training": 1, "validation": validation, "test": test}
    empty = [split for split, number in asked.items() if number and not members[split]]
    if empty:
        raise UsageError(_too_few(members, empty, asked, collection.source))
    notices = tuple(
        f"{len(members[split])} {split} documents instead of the {number} asked for: intervals will be wider"
        for split, number in asked.items()
        if len(members[split]) < number
    )
    return Splits(
        tuple(members["training"]),
        tuple(members["validation"][:validation]),
        tuple(members["test"][:test]),
        notices,
    )


def _rank(document_id: str) -> str:
    """Decides split and order; salted, since the id is a hash already and others may sort by it."""
    return hashlib.sha256(f"evolve split 1 {document_id}".encode()).hexdigest()


def _too_few(
    members: dict[Split, list[Document]], empty: list[Split], asked: dict[Split, int], source: str
) -> str:
    total = sum(map(len, members.values()))
    counts = ", ".join(f"{split} {len(documents)}" for split, documents in members.items())
    other = 1 - TRAINING - VALIDATION
    needed = max(20, round(asked["validation"] / VALIDATION), round(asked["test"] / other))
    where = f"in {source}" if source else "here"
    return (
        f"no document for {' and '.join(empty)}: a hash of each text decides its split, and the {total} "
        f"{where} fall as {counts}; add documents, about {needed} are needed for {asked['validation']} validation and "
        f"{asked['test']} test documents"
    )


def _readings(path: Path | None, reader: Reader) -> Iterator[Reading]:
    """What is in a file, a folder or the standard library."""
    if path is None:
        yield from (readers.Found(name, text) for name, text in standard_library.modules())
    elif path.is_dir():
        yield from _folder(path, reader)
    else:
        yield from reader.read(path, path.name, named=True)


def _folder(root: Path, reader: Reader) -> Iterator[Reading]:
    """Everything in the files below `root` in the order of their paths; those of no use are counted by suffix."""
    failures: list[OSError] = []
    paths = sorted(_files(root, failures))
    for failure in failures:
        yield Finding("unreadable", f"skipped {str(failure.filename)!r}: {failure.strerror}")
    suffixes = Counter(path.suffix.lower() for path in paths)
    why = {suffix: readers.lacking(suffix) for suffix in suffixes}
    for path in paths:
        if not why[path.suffix.lower()]:
            yield from reader.read(path, path.relative_to(root).as_posix(), named=False)
    unknown = Counter({one: number for one, number in suffixes.items() if one not in readers.KINDS})
    if unknown:
        yield Finding("unread", f"skipped {_by_suffix(unknown)}: {why[next(iter(unknown))]}")
    for suffix in sorted(why.keys() - unknown.keys()):
        if why[suffix]:
            yield Finding(
                "unread", f"skipped {_by_suffix(Counter({suffix: suffixes[suffix]}))}: {why[suffix]}"
            )


def _files(root: Path, failures: list[OSError]) -> Iterator[Path]:
    """Every file below a folder, each folder once; hidden ones are passed over."""
    seen: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(root, onerror=failures.append, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in files if not name.startswith("."))


def _by_suffix(numbers: Counter[str]) -> str:
    """How many files of which suffix, the most frequent first."""
    ranked = sorted(numbers.items(), key=lambda one: (-one[1], one[0]))
    shown = [
        f"{number:,} {f'{suffix} ' if suffix else ''}file{'s' * (number > 1)}{'' if suffix else ' without a suffix'}"
        for suffix, number in ranked[:SUFFIXES_SHOWN]
    ]
    if rest := ranked[SUFFIXES_SHOWN:]:
        shown.append(f"{sum(number for _, number in rest):,} files with {len(rest)} other suffixes")
    return ", ".join(shown)


def _distinct(
    readings: Iterable[Reading], stop: threading.Event
) -> tuple[dict[str, Document], list[Finding]]:
    """Documents by id, cleaned and cut, and what was found on the way."""
    documents: dict[str, Document] = {}
    findings: list[Finding] = []
    for one in readings:
        if stop.is_set():
            raise Stopped
        if isinstance(one, Finding):
            findings.append(one)
            continue
        name = " ".join(clean(one.name).split())[:200] or "unnamed"
        whole = clean(one.text)
        text = shortened(whole, LONGEST)
        candidate = document(name, text)
        if len(text) < SHORTEST:
            why = f"{len(text)} characters of text, {SHORTEST} are needed"
            findings.append(Finding("short", f"skipped {name!r}: {why}"))
        elif candidate.id in documents:
            findings.append(
                Finding("duplicate", f"dropped {name!r}: same text as {documents[candidate.id].name!r}")
            )
        else:
            documents[candidate.id] = candidate
            if len(text) < len(whole) or one.more:
                findings.append(Finding("cut", f"cut {name!r}: its first {len(text):,} characters are used"))
    return documents, findings


def _notices(findings: list[Finding]) -> tuple[str, ...]:
    """One line a finding, the first five of a kind; then how many more there are."""
    lines: list[str] = []
    for kind, group in groupby(sorted(findings, key=lambda one: one.kind), key=lambda one: one.kind):
        members = [" ".join(one.line.split()) for one in group]
        lines += members[:SHOWN]
        if len(members) > SHOWN:
            lines.append(f"and {len(members) - SHOWN:,} more: {kind}")
    return tuple(lines)
