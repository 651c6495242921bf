"""The instrument's hash: changes with everything a score depends on, and with nothing else."""

from dataclasses import replace
from typing import Any

import pytest
from fakes import instrument, models

import harness.instrument
import harness.judge
from harness.domains import domain
from harness.instrument import MEASURING, Instrument
from harness.trajectory import Allowance
from harness.types import ROLES, Role, Sampling

BASE = instrument()


def changed(role: Role, **changes: Any) -> Instrument:
    """The instrument with one role's model changed."""
    all_models = models()
    return replace(BASE, models=all_models | {role: all_models[role].model_copy(update=changes)})


@pytest.mark.parametrize("role", MEASURING)
@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"sampling": Sampling(temperature=0.5)},
        {"sampling": Sampling(max_tokens=99)},
        {"sampling": Sampling(extra={"top_k": 5})},
        {"structured": "json_object"},
        {"simulated": True},
    ],
)
def test_models_count(role: Role, changes: dict[str, Any]) -> None:
    """Another model or sampling of any measuring role is another instrument."""
    assert changed(role, **changes).hash != BASE.hash


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "http://elsewhere.invalid/v1"},
        {"input_price": 3.0},
        {"key_variable": "KEY"},
        {"slots": 1},
        {"deadline": 1.0},
    ],
)
def test_prices_and_keys_do_not_count(changes: dict[str, Any]) -> None:
    """Where a model is served, what it costs, which key opens it and how many calls run at once changes no score."""
    assert changed("weak", **changes).hash == BASE.hash


@pytest.mark.parametrize("role", [role for role in ROLES if role not in MEASURING])
def test_outer_roles_do_not_count(role: Role) -> None:
    """Analyzer and implementer change scaffolds; they measure nothing."""
    assert changed(role, name="other").hash == BASE.hash


def test_preset_allowance_and_simulation_count() -> None:
    """Preset, every part of the allowance, and the simulated world are parts of the instrument."""
    kinds = [
        BASE,
        replace(BASE, preset="deployed"),
        replace(BASE, preset="prose"),
        replace(BASE, simulation="world 2"),
        replace(BASE, allowance=Allowance(submissions=4)),
        replace(BASE, allowance=Allowance(asks=9)),
        replace(BASE, allowance=Allowance(tokens=1)),
    ]
    assert len({one.hash for one in kinds}) == len(kinds)
    assert BASE.hash == instrument().hash and len(BASE.hash) == 12


def test_the_form_of_the_answers_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another schema of what verifier or judge return is another instrument."""

    class Judgement(harness.judge.Judgement):
        confidence: int

    before = BASE.hash
    monkeypatch.setattr(harness.instrument, "ANSWERS", (Judgement,))
    assert BASE.hash != before


def test_simulated_if_any_measuring_role_is() -> None:
    """One simulated measuring role makes all scores simulated."""
    assert not BASE.simulated
    assert changed("judge", simulated=True).simulated
    assert not changed("analyzer", simulated=True).simulated


def test_how_answers_are_compared_counts_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of the comparison is another instrument of maths, and the same one of research questions."""
    maths = replace(BASE, domain=domain("math"), source="math", preset="few")
    before = maths.hash, BASE.hash
    monkeypatch.setattr("harness.answers.VERSION", -1)
    assert maths.hash != before[0]
    assert BASE.hash == before[1]
