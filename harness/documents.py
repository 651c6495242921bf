"""A folder, a file or the standard library -> Documents with stable ids, and their splits. Knows no domain.

Nothing here moves a document: its id comes from its text alone and its split from its id alone, so more
documents never change what was trained, validated or tested on.
"""

import asyncio
import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from harness import readers, standard_library
from harness.errors import UsageError
from harness.readers import Finding, Reading
from harness.types import Document, Split

SHORTEST = 200
LONGEST = 40_000
SHOWN = 20
TRAINING, VALIDATION = 0.35, 0.20
REMOVED: dict[int, str] = dict.fromkeys((*range(32), *range(127, 160), 0xFEFF), "")
CONTROLS = REMOVED | {9: "\t", 10: "\n", 12: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n\n"}


@dataclass(frozen=True)
class Collection:
    """Distinct documents in the order they were found. notices: one line for each thing left out or cut."""

    documents: tuple[Document, ...]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Splits:
    """Documents by split, each in the order of their hashes. notices: splits smaller than asked for."""

    training: tuple[Document, ...]
    validation: tuple[Document, ...]
    test: tuple[Document, ...]
    notices: tuple[str, ...] = ()


def load(path: Path | None) -> Collection:
    """Every document in a folder (all levels), in one file, or, for None, in Python's standard library.

    Files: .txt .md .rst .html .htm .jsonl, in UTF-8. Texts shorter than 200 characters are left out,
    longer than 40,000 cut at a paragraph.

    Raises:
        UsageError: `path` is not there, is of no known kind, or holds no usable document.
    """
    if path is None:
        readings: Iterable[Reading] = (readers.Found(name, text) for name, text in standard_library.modules())
    elif path.is_dir():
        readings = _folder(path)
    else:
        readings = readers.read(path, path.name, named=True)
    documents, findings = _distinct(readings)
    notices = _notices(findings)
    if not documents:
        raise UsageError("\n  ".join((f"no usable document in {str(path)!r}", *notices)))
    return Collection(tuple(documents.values()), notices)


async def load_async(path: Path | None) -> Collection:
    """`load` on a thread of its own, so that the event loop goes on meanwhile."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents") as door:
        return await asyncio.get_running_loop().run_in_executor(door, load, path)


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
        raise UsageError(_too_few(members, empty, asked))
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


def _too_few(members: dict[Split, list[Document]], empty: list[Split], asked: dict[Split, int]) -> str:
    total = sum(map(len, members.values()))
    counts = ", ".join(f"{split} {len(documents)}" for split, documents in members.items())
    other = 1 - TRAINING - VALIDATION
    needed = max(20, round(asked["validation"] / VALIDATION), round(asked["test"] / other))
    return (
        f"no document for {' and '.join(empty)}: a hash of each text decides its split, and the {total} "
        f"here fall as {counts}; add documents, about {needed} are needed for {asked['validation']} validation and "
        f"{asked['test']} test documents"
    )


def _folder(root: Path) -> Iterator[Reading]:
    """Everything in the files below `root` in the order of their paths; hidden ones are passed over."""
    seen: set[tuple[int, int]] = set()
    failures: list[OSError] = []
    paths: list[Path] = []
    for folder, folders, files in os.walk(root, onerror=failures.append, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths += [Path(folder, name) for name in files if not name.startswith(".")]
    for failure in failures:
        yield Finding("unreadable", f"skipped {str(failure.filename)!r}: {failure.strerror}")
    for path in sorted(paths):
        yield from readers.read(path, path.relative_to(root).as_posix(), named=False)


def _distinct(readings: Iterable[Reading]) -> tuple[dict[str, Document], list[Finding]]:
    """Documents by id, cleaned and cut, and what was found on the way."""
    documents: dict[str, Document] = {}
    findings: list[Finding] = []
    for one in readings:
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
    """One line a finding, the first twenty of a kind; then how many more there are."""
    lines: list[str] = []
    for kind, group in groupby(sorted(findings, key=lambda one: one.kind), key=lambda one: one.kind):
        members = [" ".join(one.line.split()) for one in group]
        lines += members[:SHOWN]
        if len(members) > SHOWN:
            lines.append(f"and {len(members) - SHOWN:,} more: {kind}")
    return tuple(lines)
