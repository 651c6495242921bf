"""What null runs and plans stand on: the settings that hold, pass rates, and rollouts that were paid for already."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from evolve.assembly import instrument_of
from evolve.configuration.foresight import foresee
from evolve.database import reading
from evolve.layout import baseline_folder, scaffold_files
from evolve.null import Scenario
from evolve.opening import Options, query, read_recorded, unfilled
from evolve.pass_rates import ASSUMED_SPREAD, Rates, assumed, fitted
from evolve.planning.guess import Guess, guesses
from evolve.planning.measuring import home_of, scaffold_of
from evolve.planning.reading import measured, recorded
from evolve.planning.values import Pilot
from evolve.rules import pressure_of, terms_of
from evolve.settings import Settings
from harness.instrument import MEASURING
from harness.types import Role

RUNS = "SELECT run FROM runs WHERE instrument = ? ORDER BY run = ? DESC, created_at DESC, run DESC"
DRAWS = """SELECT r.document, total(r.score), count(r.score) FROM rollouts AS r
    JOIN evaluations AS e ON (e.run, e.iteration, e.side) = (r.run, r.iteration, r.side)
    WHERE r.run = ? AND r.candidate = 'c0' AND e.split = 'validation' AND e.instrument = ? AND r.score IS NOT NULL
    GROUP BY r.document"""
NOT_SCORED = ("missing", "doc_not_suitable")


@dataclass(frozen=True)
class Ground:
    """settings: as `evolve run` would use them now. source: where they are from, in one line. run: the one that would go on.

    iterations: what that run was last started for. home: where a pilot of this instrument and scaffold is kept.
    """

    settings: Settings
    source: str
    run: str | None
    iterations: int | None
    instrument: str
    rates: Rates
    pilot: Pilot | None
    home: Path
    folder: Path

    @property
    def measured_by_simulation(self) -> bool:
        """Whether a pilot would ask simulated models only."""
        return set(MEASURING) <= set(self.settings.simulated)

    def scenario(self, survival: str, iterations: int) -> Scenario:
        """Null runs with these settings."""
        search, documents = self.settings.search, self.settings.documents
        return Scenario(
            survival,
            terms_of(search),
            documents.validation,
            iterations,
            self.rates,
            selection=search.selection,
            pressure=pressure_of(self.settings),
        )

    def expected(self, iterations: int, better: int) -> Scenario:
        """Runs as they may go: with minibatches, and with so many better children at even distances."""
        search, minibatch = self.settings.search, self.settings.documents.minibatch
        gains = {round(iterations * (at + 1) / (better + 1)) or 1: search.effect for at in range(better)}
        return replace(
            self.scenario(search.survival, iterations),
            better=gains,
            minibatch=minibatch,
            rerun=search.rerun,
            screen=search.screen,
            fruitless=self.pilot.fruitless if self.pilot is not None else 0.0,
        )


def ground(options: Options, pass_rate: float | None, *, own: bool = False) -> Ground:
    """Read what there is; asks no model. pass_rate: mean to assume in place of what is recorded.

    own: prefer the pilot to the rollouts of a recorded run.

    Raises:
        UsageError: settings, domain or scaffold cannot be used. StorageError: database or journal cannot be read.
    """
    found = foresee(options)
    settings, database = found.wanted.settings, options.database
    instrument = instrument_of(settings).hash
    with TemporaryDirectory(prefix="evolve-plan-") as scratch:
        tree = scaffold_of(settings, options.folder, Path(scratch)).arm.tree
    home = home_of(settings, options.folder, tree)
    made = measured(home, settings.simulated)
    run = recorded(database, instrument, found.run)
    pilot = (made or run) if own else (run or made)
    iterations = read_recorded(database, found.run).iterations if found.run else None
    rates = assumed(pass_rate) if pass_rate is not None else rates_of(database, instrument, found.run)
    rates = rates or (accepted(made) if made is not None else None) or unrecorded(found.run)
    return Ground(
        settings, found.source, found.run, iterations, instrument, rates, pilot, home, options.folder
    )


def rates_of(database: Path, instrument: str, named: str | None) -> Rates | None:
    """Fitted to the baseline's validation draws of a run with that instrument; None if there are none."""
    if not database.exists() or unfilled(database):
        return None
    with reading(database) as connection:
        for (run,) in query(connection, RUNS, instrument, named or ""):
            counts = [(float(row[1]), int(row[2])) for row in query(connection, DRAWS, run, instrument)]
            if counts:
                return fitted(counts, f"the baseline of {run}")
    return None


def accepted(pilot: Pilot) -> Rates | None:
    """From how the rollouts of a pilot ended; they are of training documents, a draw each."""
    scored = {name: number for name, number in pilot.outcomes if name not in NOT_SCORED}
    if not scored:
        return None
    hits, draws = scored.get("accepted", 0), sum(scored.values())
    mean = (hits + 1) / (draws + 2)
    told = f"from the pilot: {hits} of {draws} accepted, mean taken as {mean:.2f}; how far documents differ is assumed"
    return Rates(mean, ASSUMED_SPREAD, (), told)


def unrecorded(run: str | None) -> Rates:
    """Assumed, and why where there is a run."""
    rates = assumed(None)
    if run is None:
        return rates
    return replace(rates, source=f"{rates.source}; {run} has no baseline draws of this instrument")


def guesses_of(found: Ground, iterations: int) -> dict[Role, Guess]:
    """What analyzer and implementer will use, where the pilot does not tell.

    Raises:
        UsageError: there is no scaffold.
    """
    assert found.pilot is not None
    folder, _ = baseline_folder(found.folder, found.settings.measure.domain)
    files = {path: text.decode("utf-8", "replace") for path, text in scaffold_files(folder).items()}
    return guesses(files, found.settings.documents.minibatch, iterations, found.pilot)
