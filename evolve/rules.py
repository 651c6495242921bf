"""The rules that the settings name, ready for use: who becomes a parent, who survives, how tasks are given out.

What a rule of the user's own raises, or returns that cannot be used, is an error of theirs, told in words. In one of ours it
would be a fault of the program, so these stay as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from math import isfinite
from reprlib import repr as short
from typing import Any

import numpy as np

from evolve.contest import Contest, Look, Measure, Survival, Terms
from evolve.iteration import Choice
from evolve.population import Standing
from evolve.race import Rule
from evolve.selection import Pressure, Select, Survives, named_function, ours, rule, told
from evolve.settings import SearchSettings, Settings
from harness.errors import EvolveError, UsageError

SETTING = {"step": "search.survival", "record": "search.survival", "select": "search.selection"}


def rules_of(settings: Settings, documents: int) -> tuple[Select, Rule]:
    """The rules that choose parents and keep children. documents: how many validation documents there are.

    Raises:
        UsageError: there is no such rule, or its `record` fails.
    """
    search = settings.search
    terms = terms_of(search)
    record = function_of(search.survival, "record")(documents, terms)
    step: Survives = function_of(search.survival, "step")
    return function_of(search.selection, "select"), Rule(search.survival, step, record, terms)


def terms_of(search: SearchSettings) -> Terms:
    """What a contest is held to."""
    return Terms(**{one.name: getattr(search, one.name) for one in fields(Terms)})


def pressure_of(settings: Settings) -> Pressure:
    """How hard selection presses."""
    return Pressure(**{one.name: getattr(settings.search, one.name) for one in fields(Pressure)})


def function_of(name: str, wanted: str) -> Any:
    """The function of a rule's module, as `evolve/selection/__init__.py` describes it.

    wanted: step, record or select. One of the user's own raises nothing but an EvolveError.

    Raises:
        UsageError: there is no such module, it does not load, or it has no such function.
    """
    function = named_function(rule(name, wanted), wanted, name)
    return Own(name, wanted, function) if "." in name else function


@dataclass(frozen=True)
class Own:
    """A function of a rule of the user's own, by the dotted path of the rule; it is called as the bare one is."""

    rule: str
    name: str
    function: Callable[..., Any]

    def __call__(self, *given: Any) -> Any:
        """What the function returns.

        Raises:
            UsageError: it raises something that is none of our errors, or what it returns cannot be used.
        """
        try:
            answer = self.function(*given)
        except EvolveError:
            raise
        except Exception as error:
            raise self.refusal(given[0], f"raises {told(error, self.rule)}") from error
        if problem := PROBLEMS[self.name](answer, given[0]):
            raise self.refusal(given[0], problem)
        return answer

    def refusal(self, first: object, said: str) -> UsageError:
        """The error. first: what the function was given first; said: what it does."""
        where = f" in iteration {first.number}" if isinstance(first, Contest) else ""
        setting = SETTING[self.name]
        there = ", ".join(ours("evolve.selection", self.name))
        return UsageError(
            f"the rule {self.rule!r} cannot be used: its `{self.name}`{where} {said}; mend it, or set {setting} to one of "
            f"ours: {there}"
        )


def step_problem(answer: object, contest: Contest) -> str:
    """Why this is no answer of a survival rule; "" if it is one."""
    if isinstance(answer, Measure):
        return look_problem(answer.look) or asked_problem(answer, contest)
    if not isinstance(answer, Survival):
        return f"returns {short(answer)}, which is neither a Measure nor a Survival"
    for name in ("survived", "contender"):
        if not isinstance(value := getattr(answer, name), bool | np.bool_):
            return f"returns a Survival with {name} = {short(value)}, which is neither True nor False"
    if not isinstance(answer.reason, str):
        return f"returns a Survival with reason = {short(answer.reason)}, which is no text"
    if answer.error is not None and not number(answer.error):
        return f"returns a Survival with error = {short(answer.error)}, which is no finite int or float"
    return look_problem(answer.look)


def asked_problem(answer: Measure, contest: Contest) -> str:
    """What a Measure names that cannot be drawn; one that names nothing at all is for `refuse_idle`."""
    known = frozenset(contest.documents)
    for side in ("parent", "child"):
        if not isinstance(named := getattr(answer, side), tuple | list):
            return f"returns a Measure with {side} = {short(named)}, which is no tuple of documents"
        for one in named:
            if not isinstance(one, str) or one not in known:
                return f"returns a Measure that names {short(one)}, which is none of contest.documents"
    return ""


def look_problem(look: object) -> str:
    """Why this cannot be recorded as a look; "" if it can, or there is none."""
    if look is None:
        return ""
    if not isinstance(look, Look):
        return f"returns {short(look)} as its look, which is no Look"
    for one in fields(Look):
        value = getattr(look, one.name)
        if not number(value) and (value is not None or one.default is MISSING):
            return f"returns a Look with {one.name} = {short(value)}, which is no finite int or float"
    return ""


def record_problem(answer: object, documents: int) -> str:
    """Why this is no number of trials a document; "" if it is one."""
    if isinstance(answer, int) and not isinstance(answer, bool) and answer >= 0:
        return ""
    return f"returns {short(answer)}, which is no int of 0 or more"


def select_problem(answer: object, standings: Sequence[Standing]) -> str:
    """Why this is no choice of a parent; "" if it is one."""
    if not isinstance(answer, Choice):
        return f"returns {short(answer)}, which is no Choice"
    if all(one.candidate != answer.parent for one in standings):
        return f"returns a Choice of {short(answer.parent)}, which is the candidate of none of the standings"
    chances = answer.probabilities
    if not isinstance(chances, Mapping) or not all(
        isinstance(key, str) and number(one) for key, one in chances.items()
    ):
        return f"returns a Choice with probabilities = {short(chances)}, which is no finite float by candidate id"
    return ""


def number(value: object) -> bool:
    """Whether this can be recorded as a number: numpy's integers and whatever is not finite cannot."""
    return isinstance(value, int) or (isinstance(value, float) and isfinite(value))


PROBLEMS: Mapping[str, Callable[[Any, Any], str]] = {
    "step": step_problem,
    "record": record_problem,
    "select": select_problem,
}
