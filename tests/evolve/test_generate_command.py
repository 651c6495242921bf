"""The command `generate`: progress, exit codes, whose instrument accepts, and what an example costs."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evolve.cli import cli


def call(folder: Path, *command: str) -> Result:
    return CliRunner().invoke(cli, ["generate", *command, "--db", str(folder / "population.db")])


@pytest.fixture
def out(tmp_path: Path) -> str:
    return str(tmp_path / "examples.jsonl")


@pytest.fixture
def documents(tmp_path: Path, finished: Path) -> str:
    """A folder with few documents, so that they are soon used up."""
    folder = tmp_path / "few"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.txt").write_text(
            f"Queue {number} keeps pairs and drops the oldest when it is full. " * 12
        )
    return str(folder)


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_it_goes_on_where_it_stopped(finished: Path, out: str) -> None:
    """Examples that a file holds count; the second start pays for nothing; what is simulated says so."""
    first = lines(call(finished, "c0", "-n", "1", "--json", "--out", out))
    held = Path(out).read_text().splitlines()
    assert len(held) == 1
    assert json.loads(held[0])["provenance"]["simulated"] is True
    assert {one["event"] for one in first[:-1]} == {"progress"}
    assert first[-1]["event"] == "summary"
    assert first[-1]["paid"] == pytest.approx(first[-1]["paid_in_all"])
    again = call(finished, "c0", "-n", "1", "--out", out)
    assert again.exit_code == 0
    assert "0 calls" in again.stdout
    assert "simulated: no examples of real models" in again.stdout
    assert "simulated models" in again.stderr


def test_an_example_has_its_price(finished: Path, out: str) -> None:
    """What the whole file cost, over all starts, by the examples in it."""
    first = lines(call(finished, "c0", "-n", "1", "--json", "--out", out))[-1]
    second = lines(call(finished, "c0", "-n", "2", "--json", "--out", out))[-1]
    paid, earlier = second["paid_in_all"], first["paid_in_all"]
    assert isinstance(paid, dict)
    assert isinstance(earlier, dict)
    assert second["paid"] != paid
    assert paid["calls"] == earlier["calls"] + second["paid"]["calls"]  # type: ignore[index]  # a JSON object
    made = len(Path(out).read_text().splitlines())
    assert second["cost_of_one"] == pytest.approx(paid["cost"] / made)


def test_calls_that_were_under_way_when_it_was_done_are_in_the_price(
    finished: Path, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says was paid is what the journal then holds."""
    monkeypatch.setenv("EVOLVE_SIMULATION__LATENCY", "0.2")
    paid = lines(call(finished, "c0", "-n", "1", "--json", "--out", out))[-1]["paid_in_all"]
    assert isinstance(paid, dict)
    with closing(sqlite3.connect(f"{out}.calls.db")) as journal:
        assert journal.execute("SELECT count(*) FROM calls").fetchone()[0] == paid["calls"]


def test_too_few_documents_end_with_one(finished: Path, out: str, documents: str) -> None:
    """The file keeps what there is, the table is shown, the remedy named, and the exit code is 1."""
    result = call(finished, "c0", "-n", "50", "--docs", documents, "--out", out)
    assert result.exit_code == 1
    assert "of 50 wanted" in result.stdout
    assert "3 over 3 documents" in result.stdout
    assert "--passes tries each again" in result.stderr


def test_a_spent_budget_is_4_without_an_example_and_1_with_some(finished: Path, out: str) -> None:
    """The same command with more goes on from there."""
    nothing = call(finished, "c0", "-n", "30", "--budget-calls", "3", "--out", out)
    assert nothing.exit_code == 4
    assert "not one example was made" in nothing.stderr
    some = lines(call(finished, "c0", "-n", "1", "--json", "--out", out))[-1]
    paid = some["paid_in_all"]
    assert isinstance(paid, dict)
    short = call(finished, "c0", "-n", "30", "--budget-calls", str(paid["calls"]), "--out", out)
    assert short.exit_code == 1
    assert "calls limit" in short.stderr
    assert " of 30 wanted" in short.stdout


def test_another_instrument_is_refused_unless_it_is_wanted(finished: Path, tmp_path: Path) -> None:
    """It says what differs; with the flag the examples carry the instrument that accepted them."""
    folder = Path(shutil.copytree(finished, tmp_path / "copy"))
    (folder / "evolve.toml").write_text('[measure]\npreset = "prose"\n[production]\npreset = "meta"\n')
    refused = call(folder, "c0", "-n", "1", "--out", str(tmp_path / "x.jsonl"))
    assert refused.exit_code == 2
    assert "measure.preset: began with None, now 'prose'" in refused.stderr
    assert "--other-instrument" in refused.stderr
    assert not (tmp_path / "x.jsonl.calls.db").exists()
    made = lines(
        call(folder, "c0", "-n", "1", "--json", "--other-instrument", "--out", str(tmp_path / "x.jsonl"))
    )[-1]
    provenance = made["provenance"]
    assert isinstance(provenance, dict)
    assert provenance["preset"] == "meta"


def test_settings_that_do_not_measure_do_not_matter(finished: Path, tmp_path: Path, out: str) -> None:
    """evolve.toml for a next run may search otherwise."""
    folder = Path(shutil.copytree(finished, tmp_path / "copy"))
    (folder / "evolve.toml").write_text("[search]\ntemperature = 3.0\n[documents]\nvalidation = 7\n")
    assert call(folder, "c0", "-n", "1", "--out", out).exit_code == 0
