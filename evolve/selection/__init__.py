"""How to choose: one file a rule. A rule is found by its name, or by a dotted path to a module of somebody's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from traceback import extract_tb
from types import ModuleType
from typing import Any, Literal, Protocol

import numpy as np

from evolve.contest import Contest, Measure, Survival
from evolve.iteration import Choice
from evolve.population import Standing
from evolve.quoting import line
from harness.errors import EvolveError, UsageError

SHOWN = 300  # characters of what a module of somebody's own raised


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


def rule(name: str, wanted: str = "") -> ModuleType:
    """The module of a rule: `boltzmann` is evolve.selection.boltzmann, `mine.rule` is the user's.

    wanted: the function that it is needed for; an error offers those of ours that have it.

    Raises:
        UsageError: there is no such module, or it does not load.
    """
    return found(name, __name__, "rule", wanted)


def found(name: str, package: str, what: str, wanted: str = "") -> ModuleType:
    """The module of an alternative: a plain name is looked up in the package, a dotted path is the user's.

    wanted: as of `ours`.

    Raises:
        UsageError: there is no such module, or the user's does not load.
    """
    own = "." in name
    try:
        return import_module(name if own else f"{package}.{name}")
    except EvolveError:
        raise
    except Exception as error:
        there = ours(package, wanted)
        if isinstance(error, ModuleNotFoundError) and (not own or f"{name}.".startswith(f"{error.name}.")):
            near = get_close_matches(name, there, 1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(
                f"no {what} {name!r}: {error}; {meant}{package.replace('.', '/')}/ has {', '.join(there)}; for one of your "
                "own give the dotted path to a module that Python finds"
            ) from None
        if not own:
            raise
        raise UsageError(
            f"the {what} {name!r} does not load: it raises {told(error, name)}; mend it, or take one of ours: "
            f"{', '.join(there)}"
        ) from error


def ours(package: str, wanted: str = "") -> list[str]:
    """The names of the modules in a package of ours; wanted: of those alone that have a function of that name."""
    names = [one.name for one in iter_modules(import_module(package).__path__)]
    if not wanted:
        return names
    return [one for one in names if callable(getattr(import_module(f"{package}.{one}"), wanted, None))]


def told(error: Exception, name: str) -> str:
    """What the user's module of that name raised, in words, and where in it."""
    file = f"{name.rpartition('.')[2]}.py"
    frames = extract_tb(error.__traceback__)[1:]  # without the line of ours that called it
    lines = [one.lineno for one in frames if Path(one.filename).name == file]
    text = line(f"{type(error).__name__}: {error}", SHOWN).rstrip(": ")
    return f"{text} ({file}, line {lines[-1]})" if lines else text


def refuse_idle(name: str, wanted: Measure) -> None:
    """Stop a rule that would be asked for ever.

    Raises:
        UsageError: it wants not one draw.
    """
    if not wanted.parent and not wanted.child:
        raise UsageError(
            f"the rule {name!r} neither decides nor names a document; mend its `step` (search.survival)"
        )


def named_function(module: ModuleType, wanted: str, name: str) -> Any:
    """The function that such a module has to have.

    Raises:
        UsageError: it has none.
    """
    if not callable(function := getattr(module, wanted, None)):
        folder = "evolve/executors" if wanted == "create" else "evolve/selection"
        raise UsageError(f"{name!r} has no function {wanted!r}; see {folder}/ for how one looks")
    return function
