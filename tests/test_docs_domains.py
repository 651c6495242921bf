"""docs/domains.md: its domain of one's own works when the page is followed word by word."""

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from run_facts import QUICK

from evolve.cli import cli
from evolve.report import traces
from evolve.report.store import opened
from harness.domains import domain, fingerprint, names

PAGE = (Path(__file__).parents[1] / "docs" / "domains.md").read_text("utf-8")


def block(language: str) -> str:
    """The first block of the page in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def commands() -> list[list[str]]:
    """The commands of the page that begin and run the example."""
    start = PAGE.index("evolve init\nevolve run")
    return [line.split()[1:] for line in PAGE[start : PAGE.index("```", start)].splitlines()]


def test_the_page_names_every_domain() -> None:
    """Each domain that comes with the program has a row and a page."""
    for name in names():
        assert f"| `{name}` |" in PAGE
        assert (Path(__file__).parents[1] / "docs" / f"domain-{name}.md").is_file(), name


def test_a_domain_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file, the prompt and the commands of the page make a run whose tasks are measured as the page says."""
    monkeypatch.chdir(tmp_path)
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)  # the page does not say how many documents one has
    Path("incidents.py").write_text(block("python"), "utf-8")
    Path("incidents").mkdir()
    Path("incidents/verifier.md").write_text(block("markdown"), "utf-8")
    for arguments in commands():
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == 0, done.output
    with opened(Path("population.db"), None) as store:
        rollouts = [
            one
            for row in store.rows("SELECT file FROM traces WHERE run = :run AND side = 'baseline'")
            for one in traces.read_rollouts(traces.path(store, row["file"]))
        ]
    weak = {len(step.weak) for one in rollouts for step in one.steps if step.weak}
    strong = {len(step.strong) for one in rollouts for step in one.steps if step.strong}
    assert weak == {4} and strong <= {4}
    assert max(one.submissions for one in rollouts) <= 2
    assert {name for one in rollouts for step in one.steps for name in step.shadow} == {"wide"}


def test_what_identifies_a_domain_of_ones_own(tmp_path: Path) -> None:
    """Another text of the file is another instrument; our own domains go by their version."""
    place = tmp_path / "incidents.py"
    place.write_text(block("python"), "utf-8")
    before = fingerprint(str(place))
    place.write_text(block("python").replace("0.65", "0.55"), "utf-8")
    assert before and fingerprint(str(place)) != before
    assert fingerprint("cs") == ""
    assert domain(str(place)).prompt("judge.md") == domain("cs").prompt("judge.md")
    assert not [name for name in sys.modules if name.startswith("domain_incidents")]
