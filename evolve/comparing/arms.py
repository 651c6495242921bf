"""The arms that a command names, and their scaffolds as folders that the sandbox can run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from evolve.comparing.values import Arm
from evolve.iteration import Candidate
from evolve.layout import Layout, baseline_folder, scaffold_files
from evolve.repository import Repository
from harness.arms import cot_files
from harness.domains import Domain
from harness.errors import UsageError

CANDIDATE = "candidate"
PLAIN = ("cot", "agentic")


@dataclass(frozen=True)
class Named:
    """What the command line says: `cot`, `agentic`, or the name of a candidate of a run, such as c12 or best."""

    plain: tuple[str, ...]
    candidates: tuple[str, ...]


def named(text: str) -> Named:
    """The arms in `cot,agentic,candidate:c12`, each once.

    Raises:
        UsageError: a word that is no arm, or none at all.
    """
    words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    candidates = []
    for word in words:
        kind, _, name = word.partition(":")
        if kind == CANDIDATE and name:
            candidates.append(name)
        elif word not in PLAIN:
            raise UsageError(
                f"there is no arm {word!r}; give some of cot, agentic and candidate:ID (candidate:c12, candidate:best)"
            )
    if not words:
        raise UsageError("--arms names none; give some of cot, agentic and candidate:ID, such as cot,agentic")
    return Named(tuple(word for word in words if word in PLAIN), tuple(candidates))


@dataclass(frozen=True)
class Entrant:
    """An arm and the folder with its scaffold, which nothing else changes."""

    arm: Arm
    scaffold: Path


def plain(name: str, folder: Path, domain: tuple[str, Domain], into: Path) -> Entrant:
    """The arm `cot` or `agentic`. folder: where a baseline_repo of the user may be. domain: as it is named, and itself.

    Raises:
        UsageError: the domain has no such arm, or the scaffold is none.
    """
    if name == "cot":
        source, files = "one prompt a document, no feedback", cot_files(domain[1])
    else:
        found, words = baseline_folder(folder, domain[0])
        source, files = words.removeprefix("scaffold: "), scaffold_files(found)
    for path, content in files.items():
        place = into / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return Entrant(Arm(name, "cot" if name == "cot" else "agentic", source, tree_of(files)), into / name)


async def recorded(candidates: Sequence[Candidate], layout: Layout, into: Path) -> tuple[Entrant, ...]:
    """The arms of a run's candidates, each checked out from its commit.

    Raises:
        StorageError: the repository of the run cannot be read.
    """
    if not candidates:
        return ()
    repository = Repository(layout.candidates)
    try:
        for one in candidates:
            await repository.checkout(one.commit, into / one.id)
    finally:
        repository.close()
    return tuple(candidate(one, layout.run, into / one.id) for one in candidates)


def candidate(one: Candidate, run: str, folder: Path) -> Entrant:
    """The arm of a candidate that is checked out in a folder."""
    source = f"{one.id} ({one.commit[:8]}) of {run}"
    return Entrant(Arm(one.id, "candidate", source, tree_of(scaffold_files(folder))), folder)


def tree_of(files: Mapping[str, bytes]) -> str:
    """First 16 hex digits of the SHA-256 over paths and contents."""
    digest = sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return digest.hexdigest()[:16]
