"""A contest as arrays over its documents: sums of scores and numbers of draws of both sides. Decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from evolve.contest import Contest, Scores, Trial


@dataclass(frozen=True)
class Tables:
    """child, parent: shape (n, 3), count, sum and sum of squares of the valid scores, the parent's record included.

    child_asked, parent_asked: shape (n,), draws made, missing ones included. rival: shape (n, 3), of that record; None
    without one.
    """

    child: np.ndarray
    parent: np.ndarray
    child_asked: np.ndarray
    parent_asked: np.ndarray
    rival: np.ndarray | None


def tables(contest: Contest) -> Tables:
    """The arrays, in the order of the contest's documents."""
    place = {key: at for at, key in enumerate(contest.documents)}
    child, child_asked = drawn(contest.child, place)
    parent, parent_asked = drawn(contest.parent, place)
    before = recorded(contest.record.scores, place)
    rival = None if contest.rival is None else recorded(contest.rival.scores, place)
    return Tables(child, parent + before, child_asked, parent_asked + before[:, 0], rival)


def drawn(trials: Sequence[Trial], place: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the valid scores, and how many draws there were."""
    at = np.array([place[one.document] for one in trials], dtype=int)
    scores = np.array([one.score for one in trials], dtype=float)  # a missing one is NaN
    asked, valid = np.bincount(at, minlength=len(place)).astype(float), ~np.isnan(scores)
    at, scores = at[valid], scores[valid]
    powers = (None, scores, scores**2)
    return np.stack([np.bincount(at, one, len(place)) for one in powers], axis=1), asked


def recorded(record: Scores, place: dict[str, int]) -> np.ndarray:
    """The record's sums; of documents that are not in the contest nothing."""
    found = np.zeros((len(place), 3))
    there = [key for key in record if key in place]
    if there:
        sums = np.fromiter(chain.from_iterable(record[key] for key in there), float)
        found[[place[key] for key in there]] = sums.reshape(-1, 3)
    return found
