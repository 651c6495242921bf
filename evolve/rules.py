"""The rules that the settings name, ready for use: who becomes a parent, who survives, how tasks are given out."""

from dataclasses import fields
from typing import Any

from evolve.contest import Terms
from evolve.race import Rule
from evolve.selection import Pressure, Select, Survives, named_function, rule
from evolve.settings import SearchSettings, Settings


def rules_of(settings: Settings, documents: int) -> tuple[Select, Rule]:
    """The rules that choose parents and keep children. documents: how many validation documents there are.

    Raises:
        UsageError: there is no such rule.
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

    Raises:
        UsageError: there is no such module, or it has no such function.
    """
    return named_function(rule(name), wanted, name)
