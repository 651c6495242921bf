"""`evolve config`: what holds, where it is from, and that no key is ever shown."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from evolve.cli import cli
from evolve.commands.settings_view import lines, pictures
from evolve.configuration.fields import leaves
from evolve.configuration.foresight import foresee
from evolve.opening import Options
from evolve.settings import Settings

SECRET = "sk-Abcdefgh12345678ijklmnop"
REAL = """[models.default]
name = "big"
base_url = "https://gateway.example/v1"
key_variable = "GATEWAY_KEY"
[models.weak]
name = "small"
[search]
temperature = 0.3
"""


def config(folder: Path, *arguments: str, **variables: str) -> Result:
    where = () if arguments[0] == "--help" else ("--db", str(folder / "population.db"))
    return CliRunner().invoke(cli, ["config", *arguments, *where], env={"COLUMNS": "80", **variables})


def facts(folder: Path, *arguments: str, **variables: str) -> dict[str, Any]:
    result = config(folder, "show", "--json", *arguments, **variables)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_every_setting_is_shown_with_its_origin(tmp_path: Path) -> None:
    """In an empty folder all are defaults; nothing is made there."""
    found = facts(tmp_path)
    assert [one["key"] for one in found["settings"]] == [key for key, _ in leaves(Settings())]
    assert {one["origin"] for one in found["settings"]} == {"default"}
    assert (found["run"], found["keys"], found["refused"]) == (None, [], [])
    assert list(tmp_path.iterdir()) == []


def test_origins_are_named(tmp_path: Path) -> None:
    """File and line, .env, and variable; flags are not for here."""
    (tmp_path / "evolve.toml").write_text(REAL)
    (tmp_path / ".env").write_text(f"GATEWAY_KEY={SECRET}\nEVOLVE_SEARCH__LAG=3\n")
    found = facts(tmp_path, EVOLVE_BUDGET__COST="5")
    origins = {
        one["key"]: (one["value"], one["origin"], one["where"].rpartition("/")[2])
        for one in found["settings"]
    }
    assert origins["search.temperature"] == (0.3, "file", "evolve.toml:8")
    assert origins["search.lag"] == (3, ".env", ".env:2")
    assert origins["budget.cost"] == (5.0, "environment", "EVOLVE_BUDGET__COST")
    assert origins["models.weak.name"] == ("small", "file", "evolve.toml:6")
    assert origins["models.judge.name"] == ("big", "file", "evolve.toml:2")
    (key,) = found["keys"]
    assert (key["variable"], key["set"], len(key["roles"])) == ("GATEWAY_KEY", True, 7)
    assert SECRET not in json.dumps(found)


def test_people_see_it_in_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What all roles share is said once; what is missing stands out; no line is cut, no key is shown."""
    (tmp_path / "evolve.toml").write_text(REAL)
    monkeypatch.chdir(tmp_path)
    missing = config(tmp_path, "show", "models")
    assert missing.exit_code == 0, missing.output
    assert missing.output.count("https://gateway.example/v1") == 1
    assert "[models: every role]" in missing.output
    assert "[models: weak]" in missing.output
    assert "NOT SET" in missing.output
    there = config(tmp_path, "show", GATEWAY_KEY=SECRET)
    assert "set in the environment" in there.output
    assert SECRET not in there.output
    changed = config(tmp_path, "show", "--changed", "search")
    assert "temperature" in changed.output
    assert "missing_bound" not in changed.output
    one = config(tmp_path, "show", "search.temperature")
    assert "evolve.toml:8" in one.output


def test_a_wrong_name_is_answered(tmp_path: Path) -> None:
    """With the nearest one; and a setting that cannot be used is refused as by `run`."""
    result = config(tmp_path, "show", "serach")
    assert (result.exit_code, "did you mean search?" in result.output) == (2, True)
    result = config(tmp_path, "explain", "search.temprature")
    assert (result.exit_code, "did you mean search.temperature?" in result.output) == (2, True)
    result = config(tmp_path, "show", "--run", "nobody")
    assert (result.exit_code, "no run 'nobody'" in result.output) == (2, True)
    result = config(tmp_path, "show", EVOLVE_SEARCH__SEED="x")
    assert (result.exit_code, "EVOLVE_SEARCH__SEED = 'x'" in result.output) == (2, True)


@pytest.mark.parametrize("key", ["search.temperature", "models.weak.slots", "models.<role>.slots"])
def test_one_setting_is_explained(tmp_path: Path, key: str) -> None:
    """Its help, what it may be, its default, its variable."""
    result = config(tmp_path, "explain", key)
    assert result.exit_code == 0, result.output
    assert "may be" in result.output
    assert ("EVOLVE_" in result.output) == ("<" not in key)
    told = json.loads(config(tmp_path, "explain", key, "--json").stdout)
    assert told["help"] and told["type"]
    table = config(tmp_path, "explain", "search")
    assert "missing_bound" in table.output


def test_a_run_that_would_go_on_is_what_counts(finished: Path) -> None:
    """Its settings hold; what would be refused is said, with where the new value is from; --new asks for another."""
    found = facts(finished)
    held = {one["key"]: one for one in found["settings"]}
    assert found["run"] == "run-001"
    assert held["search.seed"]["origin"] == "run"
    assert held["documents.validation"]["origin"] == "file"
    assert found["refused"] == []
    refused = facts(finished, EVOLVE_SEARCH__SEED="4")["refused"]
    assert refused == ["search.seed: began with 0, now 4 (environment EVOLVE_SEARCH__SEED)"]
    text = config(finished, "show", EVOLVE_SEARCH__SEED="4").output
    assert "would be refused" in text
    assert facts(finished, "--new")["run"] is None


def test_paths_are_told(tmp_path: Path) -> None:
    """Which files are read, and which are not there."""
    (tmp_path / "evolve.toml").write_text("")
    first, second = config(tmp_path, "path").output.splitlines()
    assert first == str(tmp_path / "evolve.toml")
    assert second.endswith(".env  (not there)")


def test_origins_are_whole_at_80_columns(tmp_path: Path) -> None:
    """A long origin is neither cut nor broken: it moves to the left, or to a line of its own."""
    url, temperature = "http://gpu7.cluster.example:8001/v1", "EVOLVE_SEARCH__TEMPERATURE"
    variables = {
        temperature: "0.2",
        "EVOLVE_MODELS__DEFAULT__NAME": "m",
        "EVOLVE_MODELS__DEFAULT__BASE_URL": url,
    }
    shown = io.StringIO()
    found = foresee(Options(tmp_path, tmp_path / "population.db", environment=variables))
    Console(width=80, file=shown, highlight=False).print(*pictures(found, lines(found), "", 80), sep="\n")
    drawn = re.sub(" +$", "", shown.getvalue(), flags=re.MULTILINE)
    assert re.search(rf"^  temperature +0\.2 +environment {temperature}$", drawn, re.MULTILINE)
    assert re.search(
        rf"^  base_url +{url}\n +environment EVOLVE_MODELS__DEFAULT__BASE_URL$", drawn, re.MULTILINE
    )
