"""The seal on a run's test split: for whom it may be opened, and how much looking at several flatters. Pure.

It is opened through one door, `evolve.testing.open_split`; what was opened is a row in the database before anything is
measured, see seal_log.py.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean
from typing import Literal

from evolve.iteration import Candidate
from harness.errors import UsageError
from harness.types import Document, Side, Split

Purpose = Literal["report", "selection"]
BASELINE = "c0"
STEPS = (
    2000  # of the midpoint rule; the expected maximum is then right to three decimals for up to 50 candidates
)


@dataclass(frozen=True, slots=True)
class Unsealed:
    """One candidate for whom the split is opened: a row of the log, and the permit without which nothing is measured.

    number: from 1 in a run. opened_at: ISO 8601, UTC; equal for all that were opened together. documents: how many.
    compared: how many candidates other than the baseline have been opened by then, this one included.
    """

    run: str
    number: int
    opened_at: str
    candidate: str
    purpose: Purpose
    documents: int
    instrument: str
    compared: int


@dataclass(frozen=True, slots=True)
class Request:
    """What an opening is for, on how many documents, with which instrument (its hash)."""

    purpose: Purpose
    documents: int
    instrument: str


@dataclass(frozen=True)
class Log:
    """What is known of the openings of a run. measured: candidates whose measurement is recorded, the oldest first.

    A database that is older than the log holds measurements without a row: they count as opened, for nobody knows what.
    """

    run: str
    rows: tuple[Unsealed, ...] = ()
    measured: tuple[str, ...] = ()

    @property
    def unlogged(self) -> tuple[str, ...]:
        """Those that were measured before there was a log."""
        logged = {one.candidate for one in self.rows}
        return tuple(one for one in self.measured if one not in logged)

    @property
    def opened(self) -> tuple[str, ...]:
        """Everybody for whom the split was opened, in that order."""
        return (*self.unlogged, *(one.candidate for one in self.rows))

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Those that were opened and whose measurement is not recorded: it was killed, or goes on."""
        return tuple(one.candidate for one in self.rows if one.candidate not in self.measured)

    @property
    def compared(self) -> int:
        """For how many candidates other than the baseline the split was opened; what intervals are corrected for.

        One that was opened and never measured counts: some of its scores may have been seen.
        """
        return sum(one != BASELINE for one in self.opened)

    @property
    def choice(self) -> tuple[Unsealed, ...]:
        """The one opening for selection, if there was one."""
        return tuple(one for one in self.rows if one.purpose == "selection")


def additions(
    log: Log, candidates: Sequence[Candidate], request: Request, opened_at: str
) -> tuple[Unsealed, ...]:
    """The rows that must be written before those candidates are measured; none for who was opened before.

    So a killed opening is gone on with, and counts once.

    Raises:
        UsageError: it would be a second opening for selection.
        ValueError: a report of two candidates of one arm would be a selection.
    """
    known = set(log.opened)
    fresh = [one for one in {one.id: one for one in candidates}.values() if one.id not in known]
    others = [one for one in fresh if one.id != BASELINE]
    if request.purpose == "report" and len({one.arm for one in others}) < len(others):
        names = ", ".join(one.id for one in others)
        raise ValueError(f"a report takes one candidate of each arm; {names} is an opening for selection")
    if request.purpose == "selection" and others and log.choice:
        raise UsageError(second(log, [one.id for one in others]))
    rows, compared = [], log.compared
    for number, one in enumerate(fresh, len(log.rows) + 1):
        compared += one.id != BASELINE
        purpose = "report" if one.id == BASELINE else request.purpose
        terms = (request.documents, request.instrument, compared)
        rows.append(Unsealed(log.run, number, opened_at, one.id, purpose, *terms))
    return tuple(rows)


def second(log: Log, names: Sequence[str]) -> str:
    """Why the test split is not opened for selection again, and what can be done."""
    chosen = [one.candidate for one in log.choice]
    return (
        f"the test split of run {log.run!r} was opened for selection before ({', '.join(chosen)}, on "
        f"{log.choice[0].opened_at[:10]}) and is not opened again for {', '.join(names)}: one set of candidates named "
        "beforehand can be corrected for, a choice made after scores were seen cannot.\n"
        f"`evolve test {' '.join(chosen)}` shows what was measured. To choose among others use validation scores "
        "(`evolve lineage`). To test them take documents that no run has seen: `evolve compare --arms "
        f"{','.join(f'candidate:{one}' for one in names)} --docs FOLDER`, or a new run on such documents."
    )


def require(
    permit: Unsealed | None,
    candidate: str,
    side: Side,
    documents: Iterable[Document],
    sealed: Collection[str],
) -> None:
    """Refuse to measure on test documents without the row that says so; asked before every measurement of a run.

    sealed: the ids of the run's test documents.

    Raises:
        ValueError: a programming error: somebody went around `open_split`.
    """
    touched = [one.id for one in documents if one.id in sealed]
    if side != "final" and touched:
        raise ValueError(f"{len(touched)} test documents in a measurement of side {side!r}: they are sealed")
    if side == "final" and (permit is None or permit.candidate != candidate):
        raise ValueError(f"{candidate} has no opening of the test split; measure it through open_split")


def unsealed(
    documents: Sequence[Document], recorded: Mapping[str, tuple[Split, bool]]
) -> tuple[Document, ...]:
    """The documents without those that the run is tested on. recorded: id -> split, and whether it is measured on."""
    return tuple(one for one in documents if recorded.get(one.id) != ("test", True))


def flattery(candidates: int, error: float) -> float:
    """How much better than they are the best of several equally good candidates looks on average, in points of the score.

    error: standard error of one score. The expected maximum of so many independent normal variables (Tippett 1925,
    Biometrika 17:364-387), which is an upper bound for scores on the same documents.
    """
    if candidates < 2:
        return 0.0
    normal = NormalDist()
    places = ((place + 0.5) / STEPS for place in range(STEPS))
    return error * fmean(normal.inv_cdf(place ** (1 / candidates)) for place in places)
