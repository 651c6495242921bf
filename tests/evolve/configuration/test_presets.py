"""Presets of the search: what they set, in every domain, and what stands above them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from run_facts import query

from evolve.cli import cli
from evolve.configuration.fields import nested
from evolve.configuration.presets import PAPER, PRESETS, PROVEN
from evolve.settings import validate


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_they_are_settings(preset: Mapping[str, Any]) -> None:
    """Every key is known and every value may be."""
    chosen = validate(nested(preset), "preset").model_dump()
    for key, value in preset.items():
        section, name = key.split(".")
        assert chosen[section][name] == value


def test_the_paper_is_strict_and_proven_has_no_contenders() -> None:
    """What each is there for."""
    paper, proven = (validate(nested(one), "preset").search for one in (PAPER, PROVEN))
    assert (paper.survival, paper.temperature, paper.control, paper.shrink) == ("strict", 0.1, 0.0, False)
    assert (proven.survival, proven.effect, proven.contend) == ("sequential", 0.1, 0)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("domain", ["cs", "legal", "math", "passage"])
def test_a_run_of_any_domain_takes_them(preset: str, domain: str, tmp_path: Path) -> None:
    """They say nothing about what measures, which differs between domains; the run records what it was given."""
    database = tmp_path / "population.db"
    words = [
        "run",
        "--iterations",
        "1",
        "--domain",
        domain,
        "--preset",
        preset,
        "--budget-calls",
        "1",
        "--db",
    ]
    done = CliRunner().invoke(cli, [*words, str(database)])
    assert done.exit_code == 4, done.output
    ((settings,),) = query(database, "SELECT settings FROM runs")
    for key, value in nested(PRESETS[preset])["search"].items():
        assert json.loads(settings)["search"][key] == value
