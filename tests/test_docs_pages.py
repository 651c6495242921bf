"""The pages in docs/ say what is true: the figures that follow from the code, the commands, the links, the labels."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import get_args

import click
import pytest
from pages import DOCS, FENCED, PAGES, blocks, page, recorded, rows, section

from evolve.cli import COMMANDS, cli
from evolve.contest import Terms
from evolve.iteration import Outcome
from evolve.report.store import opened
from evolve.report.traces import rollouts
from evolve.selection.sequential import record
from evolve.settings import Settings, validate
from harness import gate
from harness.documents import LONGEST, SHORTEST
from harness.domains import cs
from harness.readers import KINDS
from harness.readers.reading import TEXT_KEYS
from harness.sandbox import Limits
from harness.trajectory import Report, Rollout
from harness.types import ROLES


def test_gate_presets_are_told() -> None:
    """The table of presets in concepts.md holds exactly the bounds of the code."""
    told = {
        re.findall(r"`(\w+)`", row[0])[0]: row[1:]
        for row in rows(section(page("concepts.md"), "## The gate"))
        if row[0].startswith("`")
    }
    assert set(told) == set(gate.PRESETS)
    for name, one in gate.PRESETS.items():
        below = "below" if one.weak_open else "at most"
        best = "" if one.weak_best is None else f"at most {one.weak_best:.2f}"
        strong = f"at least {one.strong_low:.2f}"
        if one.strong_high is not None:
            strong = f"{one.strong_low:.2f} to {'less than ' if one.strong_open else ''}{one.strong_high:.2f}"
        zero = "yes" if one.zero_forbidden else ""
        assert told[name] == [f"{below} {one.weak_mean:.2f}", best, strong, f"at least {one.gap:.2f}", zero]


def test_rubric_policies_are_told() -> None:
    """The table of rubric policies in concepts.md holds exactly the count rules of the code."""
    told = rows(section(page("concepts.md"), "## Example and rubric"))[1:]
    real = [
        [
            f"`{name}`",
            f"{rule.fewest} to {rule.most}",
            f"at least {rule.positives}",
            f"at least {rule.negatives}" if rule.negatives_allowed else "none",
            str(rule.heaviest),
        ]
        for name, rule in cs.COUNT_RULES.items()
    ]
    assert told == real


def test_outcomes_are_explained() -> None:
    """concepts.md explains each outcome of a rollout and of an iteration, and no other."""
    text = page("concepts.md")
    rollout = {row[0].strip("`") for row in rows(section(text, "## Inner loop: one rollout"))[1:]}
    assert rollout == set(get_args(Rollout.model_fields["outcome"].annotation))
    iteration = {row[0].strip("`") for row in rows(section(text, "## Outer loop: one iteration"))[1:]}
    assert iteration == set(get_args(Outcome)) - {"baseline"}


def test_defaults_in_the_text_are_those_of_the_settings() -> None:
    """Numbers that concepts.md and cost.md tell of settings are their defaults."""
    now, text = Settings(), page("concepts.md")
    allowance = cs.DOMAIN.allowance
    words = {3: "three", 8: "eight"}
    told = f"submit {words[allowance.submissions]} times, ask {words[allowance.asks]} times, and use {allowance.tokens:,}"
    assert told in " ".join(text.split())
    assert f"`search.temperature`, {now.search.temperature}" in text
    assert f"more than {Limits().cpu_seconds} s of CPU time" in text
    sizes = {row[0]: row[2] for row in rows(section(text, "## Splits"))[1:]}
    wanted = now.documents
    assert sizes == {
        "training": f"{wanted.minibatch} a minibatch",
        "validation": str(wanted.validation),
        "test": str(wanted.test),
    }
    cost = section(page("cost.md"), "## Rollouts of a run")
    m, v, t = wanted.minibatch, wanted.validation, wanted.test
    fresh = record(v, Terms()) * v
    told = [row[2] for row in rows(cost)[1:7]]
    assert told == [str(fresh), str(m), str(2 * m), f"{2 * m} and about 24", str(fresh), str(2 * t)]
    assert f"`search.effect` {now.search.effect}: {record(v, Terms())}" in cost


def test_calls_of_a_submission_are_as_told() -> None:
    """A submission that ended at a stage made exactly the calls that cost.md counts for it."""
    told = {
        stage.strip("` "): int(row[-1])
        for row in rows(section(page("cost.md"), "## Calls of one rollout"))[1:]
        for stage in row[0].split(",")
    }
    beyond = {"improve", "unproven", "unconfirmed"}  # stages of presets that do more than `meta`
    assert set(told) == set(get_args(Report.model_fields["stage"].annotation)) - beyond
    found: dict[str, set[int]] = {}
    with opened(recorded() / "population.db", None) as store:
        for number, side in store.connection.execute(
            "SELECT iteration, side FROM evaluations WHERE side <> 'final'"
        ):
            for step in [step for one in rollouts(store, number, side) for step in one.steps if step.report]:
                assert step.report is not None
                calls = [*(step.verification.calls if step.verification else ())]
                calls += [call for attempt in (*step.weak, *step.strong) for call in attempt.calls]
                found.setdefault(step.report.stage, set()).add(1 + len(calls))
    assert {"too_easy", "failed_on_strong", "accepted", "quality"} <= set(found)
    found["quality"] = found["quality"] - {1}  # wrong counts, found without asking
    assert found == {stage: {told[stage]} for stage in found}
    assert max(told.values()) == 2 + 2 * sum(cs.DOMAIN.attempts)
    assert f"{cs.DOMAIN.allowance.submissions} × {max(told.values())} = 42" in page("cost.md")


def test_kinds_of_documents_are_told() -> None:
    """The table of file types in quickstart.md names exactly those that are read, and what a text may be called."""
    kinds = rows(section(page("quickstart.md"), "### Documents"))[1:]
    assert [kind for row in kinds for kind in re.findall(r"`(\.\w+)`", row[0])] == list(KINDS)
    (lines,) = [row[1] for row in kinds if row[0] == "`.jsonl`"]
    assert tuple(re.findall(r"`(\w+)`", lines)) == TEXT_KEYS
    assert f"needs {SHORTEST} characters, and of long ones the first {LONGEST:,} are used" in page(
        "quickstart.md"
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_toml_is_valid(path: Path) -> None:
    """Every evolve.toml in the pages is accepted."""
    for text in blocks(path.read_text("utf-8"), "toml"):
        data = tomllib.loads(text)
        settings = validate(data, path.name)
        assert set(settings.models) == set(ROLES)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_exist(path: Path) -> None:
    """`evolve WORD` is a command wherever a page says so, and knows the options it is given there."""
    text = path.read_text("utf-8")
    lines = [line for body in blocks(text, "") for line in body.splitlines()]
    said = [line.removeprefix("$ ").strip() for line in lines]
    said += re.findall(r"`(evolve [^`\n]+)`", FENCED.sub("", text))
    for line in said:
        if line.startswith("evolve ") and "COMMAND" not in line and path.name != "commands.md":
            known_command(line.split("  ")[0])


def known_command(line: str) -> None:
    """The line is a command of ours with options that it has."""
    words = shlex.split(line)[1:]
    command: click.Command = cli
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, line
        command, words = found, words[1:]
    assert command is not cli or words[:1] in (["--help"], ["--version"]), line
    known = {option for one in command.params for option in one.opts} | {"--help", "-h"}
    for word in words:
        if word.startswith("-") and word != "-":
            assert word.partition("=")[0] in known, f"{word} of {line!r}"


def test_the_arithmetic_of_cost_is_right() -> None:
    """What cost.md calculates comes out as it says, to the digits it shows."""
    found = re.findall(r"(\d[\d.,×+/() ]*[×+][\d.,×+/() ]*) = \$?(\d[\d.,]*\d)", page("cost.md"))
    assert len(found) == 12
    for sum_, told in found:
        value = eval(sum_.replace(",", "").replace("×", "*"))
        digits = len(told.partition(".")[2])
        assert round(value, digits) == float(told.replace(",", "")), f"{sum_} = {value}, not {told}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link names a file that is there."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_simulated_scores_are_labelled(path: Path) -> None:
    """Every score with its interval and trials in an output is called simulated, in its line or by its column."""
    for body in blocks(path.read_text("utf-8"), ""):
        for line in body.splitlines():
            if re.search(r"\[[+-]?\d\.\d\d, [+-]?\d\.\d\d\] n=", line):
                assert "simulated" in line or "(validation, simulated)" in body, line


def test_the_index_names_every_page() -> None:
    """docs/README.md links every page of the folder, once."""
    linked = re.findall(r"\]\(([\w-]+\.md)\)", page("README.md"))
    assert sorted(linked) == sorted(path.name for path in DOCS.glob("*.md") if path.name != "README.md")


def test_every_command_has_its_section() -> None:
    """commands.md has a heading for each command; see test_docs_reference.py for the rest."""
    headings = set(re.findall(r"^## evolve (\w+)$", page("commands.md"), re.MULTILINE))
    assert headings == set(COMMANDS)
