"""The rules that the settings name, with the terms that the settings give."""

import sys
from dataclasses import fields
from pathlib import Path

import pytest

from evolve.contest import Contest, Record, Survival, Terms
from evolve.rules import function_of, pressure_of, rules_of, terms_of
from evolve.selection import PARTS, Pressure, boltzmann, paired, sequential, strict
from evolve.settings import SearchSettings, Settings
from harness.errors import UsageError

MINE = """
from evolve.contest import Survival
def step(contest):
    return Survival(False, "never")
def record(documents, terms):
    return documents
"""


def settings(**search: object) -> Settings:
    return Settings.model_validate({"search": search})


def test_what_holds_by_default() -> None:
    """Boltzmann selection and the sequential rule; its record is as long as its effect and the documents ask for."""
    select, rule = rules_of(Settings(), 10)
    assert select is boltzmann.select
    assert (rule.name, rule.step, rule.record) == ("sequential", sequential.step, 1)
    assert rule.terms == Terms(contend=None)
    assert rules_of(settings(effect=0.05), 25)[1].record == 7


@pytest.mark.parametrize(("name", "module"), [("strict", strict), ("paired", paired)])
def test_other_rules_are_found_by_name(name: str, module: object) -> None:
    """They have no fresh record."""
    _, rule = rules_of(settings(survival=name), 10)
    assert (rule.name, rule.step, rule.record) == (name, module.step, 0)  # type: ignore[attr-defined]


def test_terms_and_pressure_are_the_settings_of_the_same_names() -> None:
    """Every field of the two has its setting, the defaults are equal but for contenders, and what is set arrives."""
    named = set(SearchSettings.model_fields)
    assert {one.name for kind in (Terms, Pressure) for one in fields(kind)} <= named
    assert (terms_of(Settings().search), pressure_of(Settings())) == (Terms(contend=None), Pressure())
    chosen = settings(error=0.2, most=70, temperature_unit="error", children_bonus=0.5)
    assert terms_of(chosen.search) == Terms(error=0.2, most=70, contend=None)
    assert terms_of(settings(contend=0).search) == Terms()
    assert pressure_of(chosen) == Pressure(temperature_unit="error", children_bonus=0.5)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sequental", "no rule 'sequental'.*did you mean 'sequential'"),
        ("mine.rule", "no rule 'mine.rule'.*dotted path to a module that Python finds"),
        ("boltzmann", "'boltzmann' has no function 'record'; see evolve/selection/ for how one looks"),
    ],
)
def test_what_is_no_survival_rule_is_refused(name: str, told: str) -> None:
    """By name, with the nearest one, or with what the module lacks."""
    with pytest.raises(UsageError, match=told):
        rules_of(settings(survival=name), 10)


def test_parts_of_rules_are_not_offered() -> None:
    """The list of what there is names rules alone."""
    with pytest.raises(UsageError) as refused:
        function_of("nothing", "step")
    offered = str(refused.value).partition(" has ")[2]
    assert {"sequential", "strict", "paired", "boltzmann"} <= set(offered.partition(";")[0].split(", "))
    assert not any(part in offered.partition(";")[0].split(", ") for part in PARTS)


def test_somebodys_own_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module with `step` and `record`, by its dotted path."""
    (tmp_path / "house_rules").mkdir()
    (tmp_path / "house_rules" / "never.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    _, rule = rules_of(settings(survival="house_rules.never"), 7)
    assert rule.step(Contest(1, ("a",), Record())) == Survival(False, "never")
    assert rule.record == 7
    for name in ("house_rules.never", "house_rules"):
        sys.modules.pop(name)
