"""How to choose: one file a rule. A rule is found by its name, or by a dotted path to a module of somebody's own."""

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Protocol

import numpy as np

from evolve.population import Choice, Evaluation, Population
from harness.errors import UsageError


@dataclass(frozen=True)
class Survival:
    """Whether a child is kept, and the reason in words with the figures it rests on."""

    survived: bool
    reason: str


class Select(Protocol):
    """Chooses a parent."""

    def __call__(self, population: Population, temperature: float, rng: np.random.Generator) -> Choice:
        """Draw one standing of a population that has at least one; every standing has a validation score."""
        ...


class Survives(Protocol):
    """Decides whether a child is kept, from parent and child measured at the same time on the same documents."""

    def __call__(self, parent: Evaluation, child: Evaluation, missing_bound: int) -> Survival:
        """`missing_bound`: how many more missing documents than its parent a child may have."""
        ...


def rule(name: str) -> ModuleType:
    """The module of a rule: `boltzmann` is evolve.selection.boltzmann, `mine.rule` is the user's.

    Raises:
        UsageError: there is no such module.
    """
    path = name if "." in name else f"evolve.selection.{name}"
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"no rule {name!r}: {error}; see evolve/selection/ for those that come with the tool"
        ) from None
