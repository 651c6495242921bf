"""How to choose: one file a rule. A rule is found by its name, or by a dotted path to a module of somebody's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Literal, Protocol

import numpy as np

from evolve.contest import Contest, Measure, Survival
from evolve.iteration import Choice
from evolve.population import Standing
from harness.errors import UsageError

PARTS = frozenset({"tables", "tilting", "once", "shrinkage", "missing"})  # what rules are made of


@dataclass(frozen=True)
class Pressure:
    """How hard selection presses; the settings `search.*` of the same names explain each."""

    temperature: float = 0.05
    temperature_unit: Literal["score", "error"] = "score"
    shrink: bool = True
    children_bonus: float = 0.0


class Select(Protocol):
    """Chooses a parent."""

    def __call__(
        self,
        standings: Sequence[Standing],
        children: Mapping[str, int],
        pressure: Pressure,
        rng: np.random.Generator,
    ) -> Choice:
        """Draw one of at least one standing; every one has a validation score. children: by candidate, how many it had."""
        ...


class Survives(Protocol):
    """Decides what to measure of a child and its parent, and in the end whether the child is kept.

    Such a module also has `record(documents: int, terms: Terms) -> int`: how many trials a document the fresh record of
    the baseline and of a survivor takes; 0 if the scores by which a child won are to be its first.
    """

    def __call__(self, contest: Contest) -> Measure | Survival:
        """Pure. It is asked again after each Measure, with the draws it wanted."""
        ...


def rule(name: str) -> ModuleType:
    """The module of a rule: `boltzmann` is evolve.selection.boltzmann, `mine.rule` is the user's.

    Raises:
        UsageError: there is no such module.
    """
    return found(name, __name__, "rule")


def found(name: str, package: str, what: str) -> ModuleType:
    """The module of an alternative: a plain name is looked up in the package, a dotted path is the user's.

    Raises:
        UsageError: there is no such module.
    """
    try:
        return import_module(name if "." in name else f"{package}.{name}")
    except ModuleNotFoundError as error:
        folder = import_module(package)
        ours = [one.name for one in iter_modules(folder.__path__) if one.name not in PARTS]
        near = get_close_matches(name, ours, 1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise UsageError(
            f"no {what} {name!r}: {error}; {meant}{package.replace('.', '/')}/ has {', '.join(ours)}; for one of your own "
            "give the dotted path to a module that Python finds"
        ) from None


def named_function(module: ModuleType, wanted: str, name: str) -> Any:
    """The function that such a module has to have.

    Raises:
        UsageError: it has none.
    """
    if not callable(function := getattr(module, wanted, None)):
        package = module.__name__.rpartition(".")[0].replace(".", "/")
        raise UsageError(
            f"{name!r} has no function {wanted!r}; see {package or 'evolve/selection'}/ for how one looks"
        )
    return function
