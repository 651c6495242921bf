"""The commands `plan` and `null`: what is asked, what is kept, what is said."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from run_facts import write_documents

from evolve.cli import cli

SETTINGS = """
[documents]
path = "documents"
minibatch = 2
validation = 3
test = 3
[search]
survival = "strict"
[measure.allowance]
submissions = 1
"""
REAL = """
[models.default]
name = "m"
base_url = "http://127.0.0.1:9/v1"
"""


def call(folder: Path, *command: str) -> Result:
    options = ["--db", str(folder / "population.db"), "--processes", "1", "--iterations", "4"]
    return CliRunner().invoke(cli, [*command, *options])


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def calls(folder: Path) -> int:
    (place,) = folder.glob("plans/*/calls.db")
    with closing(sqlite3.connect(place)) as journal:
        return int(journal.execute("SELECT count(*) FROM calls").fetchone()[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "evolve.toml").write_text(SETTINGS)
    write_documents(tmp_path / "documents")
    return tmp_path


def test_simulated_models_are_measured_at_once_and_only_once(folder: Path) -> None:
    """Without a run the pilot is made and kept; the same command asks nothing more and says the same."""
    first = told(call(folder, "plan", "--json"))
    paid = calls(folder)
    assert paid > 0
    assert told(call(folder, "plan", "--json")) == first
    assert told(call(folder, "plan", "--pilot", "3", "--json")) == first
    assert calls(folder) == paid
    assert first["pilot"]["rollouts"] == 3
    assert first["forecast"]["lines"][-1]["role"] == "all"
    assert first["shape"]["iterations"] == 4
    assert not (folder / "population.db").exists()


def test_a_larger_pilot_adds_to_the_smaller(folder: Path) -> None:
    """What was measured stays; only the documents that are new are paid for."""
    call(folder, "plan", "--pilot", "1")
    before = calls(folder)
    found = told(call(folder, "plan", "--pilot", "2", "--json"))
    assert found["pilot"]["rollouts"] == 2
    assert calls(folder) > before


def test_real_models_are_not_asked_without_a_word(folder: Path) -> None:
    """Rollouts are estimated, nothing is asked or written, and it is said how calls and money would be."""
    (folder / "evolve.toml").write_text(SETTINGS + REAL)
    result = call(folder, "plan")
    assert result.exit_code == 0, result.output
    assert "evolve plan --pilot 3" in " ".join(result.stdout.split())
    assert not (folder / "plans").exists()
    assert told(call(folder, "plan", "--json"))["forecast"] is None


def test_what_is_simulated_says_so(folder: Path) -> None:
    """The picture names simulated models, the smallness of the pilot and that edits are guessed."""
    words = " ".join(call(folder, "plan").stdout.split())
    assert "Simulated models" in words
    assert "A pilot of 3 documents is small" in words
    assert "estimated from the size of their prompts" in words


def test_a_budget_is_checked(folder: Path) -> None:
    """A limit of the settings is shown with how far it reaches."""
    (folder / "evolve.toml").write_text(SETTINGS + "[budget]\ncalls = 100000000\ncost = 0.5\n")
    limits = {one["name"]: one for one in told(call(folder, "plan", "--json"))["forecast"]["limits"]}
    assert limits["calls"]["whole"] == 1.0
    assert limits["calls"]["iterations"]["low"] == 4
    assert limits["cost"]["whole"] < 1.0
    words = " ".join(call(folder, "plan").stdout.split())
    assert "100,000,000 calls reaches 100% of the iterations" in words


def test_a_budget_that_ends_the_pilot_keeps_what_was_done(folder: Path) -> None:
    """Spent before one rollout is done it says so; with more the same command goes on from there."""
    (folder / "evolve.toml").write_text(SETTINGS + "[budget]\ncalls = 1\n")
    assert call(folder, "plan").exit_code == 4
    before = calls(folder)
    (folder / "evolve.toml").write_text(SETTINGS)
    assert told(call(folder, "plan", "--json"))["pilot"]["rollouts"] == 3
    assert calls(folder) > before == 1


def test_null_runs_need_no_model(folder: Path) -> None:
    """Rules are compared on assumed rates, the same seed says the same, and nothing is written."""
    (folder / "evolve.toml").write_text(SETTINGS + REAL)
    first = told(call(folder, "null", "--survival", "all", "--runs", "4", "--json"))
    assert [one["survival"] for one in first["rules"]] == ["strict", "paired", "sequential"]
    assert first == told(call(folder, "null", "--survival", "all", "--runs", "4", "--json"))
    assert first["rollout"] is None
    assert sorted(one.name for one in folder.iterdir()) == ["documents", "evolve.toml"]


def test_null_runs_say_what_they_assume(folder: Path) -> None:
    """A mean pass rate that is given is used and named; what a rollout costs is asked for where it is not known."""
    words = " ".join(call(folder, "null", "--runs", "4", "--pass-rate", "0.2").stdout.split())
    assert "Beta(0.4, 1.6)" in words
    assert "evolve plan --pilot 3" in words
    assert "false-win rate" in words


def test_null_runs_take_the_pilot(folder: Path) -> None:
    """After a plan they begin with its pass rate, and a decision has a price that is marked as notional."""
    call(folder, "plan")
    words = " ".join(call(folder, "null", "--runs", "4").stdout.split())
    assert "from the pilot" in words
    assert "simulated, notional price" in words


@pytest.mark.parametrize("rules", ["strikt", ","])
def test_rules_that_do_not_exist_are_named(folder: Path, rules: str) -> None:
    """A wrong name or none at all is a wrong argument."""
    result = call(folder, "null", "--survival", rules)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_recorded_run_is_the_pilot(finished: Path) -> None:
    """Its rollouts, edits and baseline draws are used, nothing is asked, and no pilot is made beside it."""
    found = told(call(finished, "plan", "--json"))
    assert found["pilot"]["source"] == "the recorded run run-001"
    assert found["forecast"]["edits_measured"]
    assert "recorded draws of 4 validation documents" in found["rates"]["source"]
    assert not (finished / "plans").exists()
