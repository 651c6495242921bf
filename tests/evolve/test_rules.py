"""The rules that the settings name, with the terms that the settings give."""

import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from evolve.contest import Contest, Look, Measure, Record, Survival, Terms
from evolve.iteration import Candidate, Choice
from evolve.population import Standing
from evolve.rules import PROBLEMS, SETTING, Own, function_of, pressure_of, rules_of, terms_of
from evolve.selection import Pressure, boltzmann, paired, sequential, strict
from evolve.settings import SearchSettings, Settings
from harness.errors import BudgetSpent, UsageError

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


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("step", "paired, sequential, strict"),
        ("record", "paired, sequential, strict"),
        ("select", "boltzmann"),
    ],
)
def test_rules_of_the_wanted_kind_are_offered(wanted: str, there: str) -> None:
    """The list of what there is names neither parts of rules nor rules for something else."""
    for name in ("nothing", "no.thing"):
        with pytest.raises(UsageError, match=f"evolve/selection/ has {there}; for one of your own"):
            function_of(name, wanted)


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


@pytest.mark.parametrize("name", ["house.", ".rule", "house..rule", "house_rules.half", "json.rule"])
def test_a_path_that_is_none_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever Python makes of it; a module without the function is pointed at ours."""
    (tmp_path / "house_rules").mkdir()
    (tmp_path / "house_rules" / "half.py").write_text("step = None")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        UsageError, match=r"no rule|does not load|no function 'step'; see evolve/selection/ for"
    ):
        function_of(name, "step")
    for one in ("house_rules.half", "house_rules"):
        sys.modules.pop(one, None)


CONTEST = Contest(4, ("a", "b"), Record())
LOOK = Look(1, 1, 1, 0.5, 0.0, 1.0)
STANDINGS = [Standing(Candidate(f"c{at}", at, None, "", "")) for at in range(2)]
CHOICE = Choice(STANDINGS[1].candidate, {"c1": 1.0})


def called(name: str, answer: object) -> object:
    """What comes of a rule of the user's own whose function gives that answer."""
    first = {"step": CONTEST, "record": 2, "select": STANDINGS}[name]
    return Own("mine.rule", name, lambda *_: answer)(first)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("step", Measure(("a", "a"), ())),
        ("step", Measure(["a"], ["b"], LOOK)),  # type: ignore[arg-type]  # no tuples
        ("step", Measure((), ())),
        ("step", Survival(np.bool_(True), "", replace(LOOK, low=np.float64(0.1)), 0.1)),  # type: ignore[arg-type]  # numpy
        ("step", Survival(False, "no", contender=True)),
        ("record", 0),
        ("record", 3),
        ("select", CHOICE),
        ("select", Choice(replace(STANDINGS[0].candidate), {})),
    ],
)
def test_what_can_be_used_comes_as_it_is(name: str, answer: object) -> None:
    """The wrapping changes nothing."""
    assert called(name, answer) is answer


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("step", None, "returns None, which is neither a Measure nor a Survival"),
        ("step", Measure(("a", "c"), ()), "names 'c', which is none of contest.documents"),
        ("step", Measure((), ("a", ["b"])), "which is none of contest.documents"),  # type: ignore[arg-type]
        ("step", Measure("a", ()), "with parent = 'a', which is no tuple of documents"),  # type: ignore[arg-type]
        ("step", Measure((), None), "with child = None, which is no tuple of documents"),  # type: ignore[arg-type]
        ("step", Measure((), ("a",), 0.5), "returns 0.5 as its look"),  # type: ignore[arg-type]
        ("step", Survival("yes", ""), "with survived = 'yes'"),  # type: ignore[arg-type]
        ("step", Survival(False, "", contender=None), "with contender = None"),  # type: ignore[arg-type]
        ("step", Survival(True, 0.7), "with reason = 0.7, which is no text"),  # type: ignore[arg-type]
        ("step", Survival(True, "", None, float("nan")), "with error = nan"),
        ("step", Survival(True, "", replace(LOOK, evidence=float("inf"))), "a Look with evidence = inf"),
        ("step", Survival(True, "", replace(LOOK, documents=np.int64(3))), "a Look with documents = "),  # type: ignore[arg-type]
        ("step", Survival(True, "", replace(LOOK, low=None)), "a Look with low = None"),  # type: ignore[arg-type]
        ("record", None, "returns None, which is no int of 0 or more"),
        ("record", -1, "returns -1"),
        ("record", True, "returns True"),
        ("record", 2.0, "returns 2.0"),
        ("select", STANDINGS[0], "which is no Choice"),
        ("select", Choice(STANDINGS[0], {}), "which is the candidate of none"),  # type: ignore[arg-type]
        ("select", Choice(Candidate("c1", 2, None, "", ""), {}), "which is the candidate of none"),
        ("select", replace(CHOICE, probabilities=None), "with probabilities = None"),  # type: ignore[arg-type]
        ("select", replace(CHOICE, probabilities={"c1": float("nan")}), "with probabilities = {'c1': nan}"),
        ("select", replace(CHOICE, probabilities={1: 1.0}), "with probabilities = {1: 1.0}"),  # type: ignore[dict-item]
    ],
)
def test_what_cannot_be_used_is_refused(name: str, answer: object, told: str) -> None:
    """With the rule, the function, the value and the setting."""
    with pytest.raises(UsageError) as refused:
        called(name, answer)
    where = " in iteration 4" if name == "step" else ""
    assert str(refused.value).startswith(f"the rule 'mine.rule' cannot be used: its `{name}`{where} returns ")
    assert told in str(refused.value)
    assert f"; mend it, or set {SETTING[name]} to one of ours: " in str(refused.value)


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_what_a_rule_raises_is_told(name: str) -> None:
    """Its type and text on one line, shortened, whatever is called wrongly; our own errors go through."""

    def failing(error: Exception) -> Own:
        def raising(first: object) -> object:
            raise error

        return Own("mine.rule", name, raising)

    with pytest.raises(
        UsageError, match=f"`{name}`.* raises ValueError: one two; mend it, or set"
    ) as refused:
        failing(ValueError("one\n\ntwo"))(CONTEST)
    assert isinstance(refused.value.__cause__, ValueError)
    with pytest.raises(UsageError, match=r"raises AssertionError; mend it"):
        failing(AssertionError())(CONTEST)
    with pytest.raises(UsageError, match=r"raises TypeError: .* takes 1 positional argument") as refused:
        failing(ValueError())(CONTEST, 2)
    assert "rules.py" not in str(refused.value)
    with pytest.raises(UsageError) as refused:
        failing(ValueError("x" * 5000))(CONTEST)
    assert len(str(refused.value)) < 600
    with pytest.raises(BudgetSpent, match="spent"):
        failing(BudgetSpent("spent"))(CONTEST)


def test_our_own_rules_stay_bare() -> None:
    """What goes wrong in them is a fault of the program, and no error of the user's."""
    assert function_of("strict", "step") is strict.step
    assert function_of("strict", "record") is strict.record
    assert function_of("boltzmann", "select") is boltzmann.select
