"""Reading traces: what happened in a rollout or an edit, word for word. They are written by the run, once."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from evolve.iteration import Exchange
from evolve.report.store import Store
from harness.errors import StorageError, UsageError
from harness.trajectory import Rollout
from harness.types import Side

T = TypeVar("T")
ROLLOUTS = TypeAdapter(Rollout)
EXCHANGES = TypeAdapter(Exchange)


def path(store: Store, file: str) -> Path:
    """Where a recorded trace lies.

    Raises:
        StorageError: the name leads out of the run's folder.
    """
    place = (store.folder / file).resolve()
    if not place.is_relative_to(store.folder.resolve()):
        raise StorageError(
            f"trace {file!r} lies outside of {str(store.folder)!r}; the database was tampered with"
        )
    return place


def rollouts(store: Store, iteration: int, side: Side) -> tuple[Rollout, ...]:
    """The rollouts of one measurement in their order, with all their steps.

    Raises:
        UsageError: that side was not run. StorageError: its trace is missing or damaged.
    """
    return tuple(read_rollouts(_recorded(store, iteration, side)))


def exchanges(store: Store, iteration: int) -> tuple[Exchange, ...]:
    """What analyzer and implementer were asked in an iteration and what they answered; none if there was no edit."""
    try:
        place = _recorded(store, iteration, "edit")
    except UsageError:
        return ()
    return tuple(read_exchanges(place))


def read_rollouts(place: Path) -> Iterator[Rollout]:
    """The rollouts in a trace file.

    Raises:
        StorageError: it is missing or damaged.
    """
    return _read(place, ROLLOUTS)


def read_exchanges(place: Path) -> Iterator[Exchange]:
    """The exchanges in a trace file.

    Raises:
        StorageError: it is missing or damaged.
    """
    return _read(place, EXCHANGES)


def _read(place: Path, kind: TypeAdapter[T]) -> Iterator[T]:
    for number, line in _lines(place):
        try:
            yield kind.validate_json(line)
        except ValidationError as error:
            raise _damaged(place, number, error) from None


def _recorded(store: Store, iteration: int, side: Side) -> Path:
    query = "SELECT file FROM traces WHERE run = :run AND iteration = :iteration AND side = :side"
    found = store.rows(query, iteration=iteration, side=side)
    if not found:
        raise UsageError(f"iteration {iteration} of run {store.run.run!r} has no {side} trace")
    return path(store, found[0]["file"])


def _lines(place: Path) -> Iterator[tuple[int, str]]:
    try:
        with place.open(encoding="utf-8", newline="\n") as stream:
            yield from enumerate(stream, 1)
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"trace {str(place)!r} cannot be read: {error}; see `evolve verify`") from None


def _damaged(place: Path, number: int, error: ValidationError) -> StorageError:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return StorageError(
        f"trace {str(place)!r} line {number} is damaged: {where} {first['msg']}; see `evolve verify`"
    )
