"""The published trajectories, round by round, through the gate and through the whole inspection of a submission."""

import asyncio
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import DOCUMENT, DRAW, PlayedSandbox, ScriptedModels, criteria, example, instrument, judgement

from harness.gate import PRESETS, verdict, weak_verdict
from harness.inspection import inspect
from harness.place import Place, Subject
from harness.trajectory import Step
from harness.types import Request

ROUNDS = tomllib.loads(Path(__file__).with_name("published_traces.toml").read_text("utf-8"))["round"]
DEPLOYED = PRESETS["deployed"]


def named(one: dict[str, Any]) -> str:
    """Item and round."""
    return f"{one['item']}.{one['number']}"


def weak_of(one: dict[str, Any]) -> list[float]:
    """The weak scores in [0, 1]; three times the mean where the attempts were not published."""
    return [score / 100 for score in one.get("weak", [one["weak_mean"]] * 3)]


@pytest.mark.parametrize("one", ROUNDS, ids=named)
def test_the_gate_decides_as_published(one: dict[str, Any]) -> None:
    """Preset `deployed` gives the published outcome, from displayed means that the attempts round to."""
    weak = weak_of(one)
    assert sum(weak) / 3 * 100 == pytest.approx(
        one["weak_mean"], abs=0.7
    )  # attempts are displayed without decimals
    if "strong_mean" not in one:
        assert weak_verdict(DEPLOYED, weak).reasons == tuple(one["reasons"])
        return
    strong = one["strong_mean"] / 100
    assert one["strong_mean"] - one["weak_mean"] == pytest.approx(one["gap"], abs=0.05)
    assert verdict(DEPLOYED, weak, [strong] * 3).reasons == tuple(one["reasons"])


@pytest.mark.parametrize("one", ROUNDS, ids=named)
def test_the_inspection_ends_as_published(one: dict[str, Any]) -> None:
    """The same through verifier, solvers, judge and gate: stage and reasons, and no strong attempt where none was run."""
    step, models = inspected(weak_of(one), [one.get("strong_mean", 0) / 100] * 3)
    assert step.report is not None
    assert (step.report.stage, list(step.report.reasons)) == (one["stage"], one["reasons"])
    assert bool(models.of("strong")) == ("strong_mean" in one)


def inspected(weak: list[float], strong: list[float]) -> tuple[Step, ScriptedModels]:
    """A submission whose attempts are judged to score this, to the nearest per cent."""
    scores = [*weak, *strong]

    def judged(request: Request) -> str:
        left = round(scores[request.draw.attempt] * 100)
        hits = [left // 5 > n for n in range(19)] + [left % 5 > n for n in range(5)]
        return judgement(hits if left < 100 else [True] * 24)

    models = ScriptedModels(judge=judged)
    fine = example(rubric=criteria(*[5] * 19, *[1] * 5))
    free = replace(instrument().domain, problems=lambda _: ())  # so fine a rubric has too many criteria
    measuring = replace(instrument(), preset="deployed", domain=free)
    return asyncio.run(
        inspect(Place(models, PlayedSandbox(), measuring), Subject(DOCUMENT, fine), DRAW)
    ), models
