"""How to choose: one file a rule. A rule is found by its name, or by a dotted path to a module of somebody's own."""

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
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
        ours = [one.name for one in iter_modules(__path__)]
        near = get_close_matches(name, ours, 1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise UsageError(
            f"no rule {name!r}: {error}; {meant}evolve/selection/ has {', '.join(ours)}; for one of your own give the "
            "dotted path to a module that Python finds"
        ) from None
