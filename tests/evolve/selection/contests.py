"""Contests held to their end over scores that a function gives, for tests of the default rule."""

import random
from collections.abc import Callable, Mapping

from evolve.contest import Contest, Measure, Record, Scores, Sums, Survival, Terms, Trial
from evolve.race import numbered
from evolve.selection.sequential import step

Score = float | None
Scoring = Callable[[str, str, int], Score]
DOCUMENTS = tuple(f"v{n}" for n in range(10))
TERMS = Terms(effect=0.3, block=5)


def held(
    scoring: Scoring,
    terms: Terms = TERMS,
    record: Scores | Record | None = None,
    number: int = 1,
    rival: Record | None = None,
) -> tuple[Survival, Contest, list[Measure]]:
    """A contest to its end. scoring: side, document, trial -> score."""
    known = record if isinstance(record, Record) else Record(record or {})
    contest, asked = Contest(number, DOCUMENTS, known, terms, rival=rival), []

    def drawn(side: str, draws: list[tuple[str, int]]) -> list[Trial]:
        scored = [(*one, scoring(side, *one)) for one in draws]
        return [Trial(document, trial, score, score, score is None) for document, trial, score in scored]

    while isinstance(found := step(contest), Measure):
        asked.append(found)
        assert len(asked) < 1000
        parent = drawn("parent", numbered(found.parent, contest.parent))
        contest = contest.drawn(parent, drawn("child", numbered(found.child, contest.child)))
    return found, contest, asked


def luck(rates: Mapping[str, float], seed: int = 0) -> Scoring:
    """Scores 0 and 1, drawn with the rate of the side."""
    return lambda side, document, trial: float(
        random.Random(f"{seed} {side} {document} {trial}").random() < rates[side]
    )


def always(parent: Score, child: Score) -> Scoring:
    return lambda side, _, __: parent if side == "parent" else child


def half(side: str, document: str, trial: int) -> Score:
    """Both sides pass every other draw."""
    return float(trial % 2 == int(document[1:]) % 2)


def passes(hits: int, trials: int) -> Record:
    """A record with so many passes of so many draws of each document."""
    return Record({key: Sums(trials, float(hits), float(hits)) for key in DOCUMENTS})
