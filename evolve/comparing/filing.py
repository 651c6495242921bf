"""Where a comparison is kept: in a folder with its journal and traces, and at its end as rows in population.db."""

import json
from collections.abc import Mapping
from pathlib import Path

from evolve.comparing.stored import QUERIES, Compared, Facts, compared, entry
from evolve.database import reading
from evolve.disk import remedy
from evolve.history import History
from evolve.opening import query, unfilled
from evolve.settings import Settings
from harness.errors import StorageError
from harness.trajectory import Rollout, Step

FOLDER = "comparisons"
CALLS = "calls.db"
FACTS = "comparison.json"
TRACES = "traces"


def find(database: Path, folder: Path, fingerprint: str, *, new: bool) -> tuple[str, Compared | None]:
    """The newest comparison of that fingerprint: its name, and its result if it was finished; else a name that is free.

    new: a free name in any case.

    Raises:
        StorageError: the database cannot be read.
    """
    stored, begun = recorded(database), started(folder)
    same = [name for name, key in {**begun, **stored}.items() if key == fingerprint]
    if new or not same:
        return unused({*stored, *begun}), None
    name = max(same, key=number)
    return name, read(database, name) if name in stored else None


def recorded(database: Path) -> dict[str, str]:
    """Name -> fingerprint of the comparisons in the database; none if there is no database."""
    if not database.exists() or unfilled(database):
        return {}
    with reading(database) as connection:
        rows = query(connection, "SELECT comparison, fingerprint FROM comparisons")
    return {row["comparison"]: row["fingerprint"] for row in rows}


def read(database: Path, name: str) -> Compared:
    """A stored comparison."""
    with reading(database) as connection:
        found = {table: [dict(row) for row in query(connection, sql, name)] for table, sql in QUERIES.items()}
    return compared(found)


def started(folder: Path) -> dict[str, str]:
    """Name -> fingerprint of the comparisons that have a folder."""
    found = {}
    for place in sorted(folder.glob(f"*/{FACTS}")):
        try:
            found[place.parent.name] = str(json.loads(place.read_text("utf-8"))["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError):
            found[place.parent.name] = ""  # cut off while it was written, before anything was paid for
    return found


def number(name: str) -> int:
    """The number in a name."""
    digits = name.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0


def unused(names: set[str]) -> str:
    """`compare-` and the number after the largest there is."""
    return f"compare-{max(map(number, names), default=0) + 1:03d}"


def begin(home: Path, facts: Facts) -> None:
    """Write down what is compared, before anything is paid for; nothing happens if it is there.

    Raises:
        StorageError: it cannot be written.
    """
    if (home / FACTS).exists():
        return
    arms = [{"arm": one.name, "source": one.source, "tree": one.tree} for one in facts.arms]
    told = {
        "fingerprint": facts.fingerprint,
        "instrument": facts.instrument,
        "preset": facts.preset,
        "arms": arms,
    }
    told |= {"source": facts.source, "documents": list(facts.documents)}
    write(home / FACTS, json.dumps(told, indent=2) + "\n")


def write(place: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        StorageError: the disk refuses.
    """
    scratch = place.with_name(place.name + ".part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(text, "utf-8")
        scratch.replace(place)
    except OSError as error:
        raise StorageError(f"cannot write {str(place)!r}: {error.strerror}. {remedy(error)}") from None


def write_traces(
    home: Path,
    rollouts: Mapping[tuple[str, str], Rollout],
    pool: Mapping[tuple[str, int], Rollout],
    again: Mapping[tuple[str, int], Step | None],
) -> None:
    """Every exchange, a rollout a line: a file for each arm, one for the generations of best of k, one for the chosen.

    Raises:
        StorageError: they cannot be written.
    """
    lines: dict[str, list[str]] = {}
    for (arm, _), rollout in sorted(rollouts.items()):
        lines.setdefault(arm, []).append(rollout.model_dump_json())
    for _, rollout in sorted(pool.items()):
        lines.setdefault("best-of-k", []).append(rollout.model_dump_json())
    for (document, trial), step in sorted(again.items(), key=lambda one: one[0]):
        told = {"document": document, "trial": trial, "step": step.model_dump(mode="json") if step else None}
        lines.setdefault("best-of-k-chosen", []).append(json.dumps(told, ensure_ascii=False))
    for name, each in lines.items():
        write(home / TRACES / f"{name}.jsonl", "\n".join(each) + "\n")


async def store(database: Path, one: Compared, begun: tuple[str, Settings]) -> None:
    """Put a finished comparison into the database, in one transaction. begun: version of the program, and settings.

    Raises:
        StorageError: another process writes there, or the disk refuses.
    """
    version, settings = begun
    rows = entry(one, version, settings.model_dump_json(), f"{FOLDER}/{one.name}")
    history = await History.open(database)
    try:
        await history.record_comparison(one.name, rows)
    finally:
        await history.close()
