"""Contenders on the screen: log, why, status and lineage say whom a child was compared with, and claim nothing."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from report_rows import against, contends, decided, make, population, raced, stopped, text
from rich.console import RenderableType

from evolve.cli import cli
from evolve.contest import Decision, Look
from evolve.intervals import proportion
from evolve.iteration import Iteration
from evolve.report import arms_view, overview, views, why_view
from evolve.report import log as logs
from evolve.report.arms import arms
from evolve.report.overview import Overview
from evolve.report.store import as_json, opened
from evolve.report.why import Why, why

GOOD = [[1.0] * 6] * 10
FAIR = [[1.0] * 3 + [0.0] * 3] * 10
POOR = [[0.0] * 6] * 10
AHEAD = "ahead, not shown to be better: difference +0.100 on 2 documents, 4 rollouts against 9; +0.250 against its parent"


def rivals(parent: int, *looks: tuple[float, float]) -> Decision:
    """Looks with a difference from the reference, of which there are so many rollouts, and one from the parent."""
    made = (
        Look(40, parent, 10, gain, gain - 0.2, gain + 0.2, 1.5, 6.9, -1.9, 0.7, ahead)
        for gain, ahead in looks
    )
    return Decision("sequential", 0.001, tuple(made))


@pytest.fixture
def line() -> list[Iteration]:
    """c1 contends after c0, c2 after c1, c3 after c2 survives, and c4 is dropped after c3."""
    one = contends(replace(raced(1, child=FAIR, parent=POOR), decision=decided((60, 70, 0.5))))
    two = replace(
        raced(2, of="c1", child=GOOD, parent=POOR), decision=rivals(129, (0.4, 0.2), (0.5, 0.25)), sees=1
    )
    three = raced(3, of="c2", child=GOOD, parent=POOR, record=FAIR)
    better = "better: difference +0.500 on 10 documents; +0.250 against its parent"
    three = replace(three, decision=rivals(189, (0.5, 0.25)), reason=better, sees=2)
    four = replace(raced(4, of="c3", child=POOR, parent=GOOD), decision=decided((60, 60, -0.5)), sees=3)
    return [one, replace(contends(against("c0", two)), reason=AHEAD), against("c0", three), four]


@pytest.fixture
def path(tmp_path: Path, line: list[Iteration]) -> Path:
    return make(tmp_path, line)


def found(path: Path, number: int) -> Why:
    with opened(path, None) as store:
        return why(store, number)


def flat(*pictures: RenderableType) -> str:
    return " ".join(text(*pictures, width=120).split())


@pytest.mark.parametrize("width", [80, 120, 160])
def test_the_log_says_over_whom(path: Path, width: int) -> None:
    """Where the parent is a contender the gain is over its reference, named beside it; else nothing is added."""
    with opened(path, None) as store:
        shown = text(logs.drawn(overview.log(store), width), width=width)
    rows = {int(one[1]): one[0] for one in re.finditer(r"^ *(\d+) .*$", shown, re.MULTILINE)}
    assert [", over" in rows[number] for number in range(1, 5)] == [False, True, True, False]
    assert re.search(r"^ *2 +c1 +contender .*\+0\.50 \[.*, over c0", rows[2])
    assert re.search(r"^ *3 +c2 +survived .*, over c0", rows[3])
    assert all(len(one) <= width for one in shown.splitlines())


@pytest.mark.parametrize(
    ("width", "beside"), [(80, False), (100, True), (109, True), (110, False), (119, True), (149, True)]
)
def test_no_line_of_the_log_is_longer_than_the_window(tmp_path: Path, width: int, beside: bool) -> None:
    """With the longest outcome there is: whom a gain is over goes to the text below where it does not fit beside."""
    one = contends(replace(raced(11, child=FAIR, parent=POOR), decision=decided((60, 70, 0.5))))
    two = replace(raced(12, of="c11", child=GOOD, parent=POOR), decision=rivals(170, (-0.5, 0.25)), sees=11)
    screened = stopped(13, "not_improved", "no failure got better")
    bare = replace(raced(14, of="c11", child=GOOD), decision=two.decision, summary="", sees=11)
    path = make(tmp_path, [one, contends(against("c0", two)), screened, contends(bare)])
    with opened(path, None) as store:
        drawn = logs.drawn(overview.log(store), width)
    shown, unwrapped = (text(drawn, width=columns).splitlines() for columns in (width, 300))
    assert all(len(line.rstrip()) <= width for line in unwrapped if not line.startswith("    "))
    (at,) = (at for at, line in enumerate(shown) if line.startswith("12  c11   contender "))
    assert (", over c0" in shown[at]) is beside
    assert shown[at + 1].startswith("    Asked for" if beside else "    over c0; Asked for")
    assert beside or shown[-1].rstrip() == "    over c0"


def test_the_log_for_a_pipe_says_it_too(path: Path) -> None:
    """On the iteration's one line; `grep contender` finds them."""
    with opened(path, None) as store:
        lines = list(logs.lines(overview.log(store)))
    assert [line.split()[2] for line in lines[1:]] == ["contender", "contender", "survived", "dropped"]
    assert [", over c0" in line for line in lines] == [False, False, True, True, False]
    assert re.search(
        r"gain \+0\.50 \[\+0\.30, \+0\.70\] n=\d+ documents, 40\+129 rollouts, simulated, over c0", lines[2]
    )


def test_the_columns_of_a_pipe_line_up(path: Path) -> None:
    """What was tried stands in one column, with a reference named before it or not."""
    with opened(path, None) as store:
        lines = list(logs.lines(overview.log(store)))
    assert len({line.index("Asked for") for line in lines[1:]}) == 1


def test_scores_of_the_log_are_means_over_documents(tmp_path: Path) -> None:
    """As those of the lineage: a document that was drawn three times counts no more than one drawn once."""
    uneven: list[list[float | None]] = [[1.0], [0.0, 0.0, None, 1.0], [None]]
    one = contends(raced(1, child=uneven, parent=[[1.0] * 3, [0.0]]))
    with opened(make(tmp_path, [one]), None) as store:
        (entry,) = overview.log(store, 1)
        nodes = {node.candidate: node for node in overview.lineage(store)}
        sides = {each.side: each.score for each in overview.measured(store, 1)}
        piped = list(logs.lines([entry]))
    assert entry.child_score == nodes["c1"].score == sides["child"]
    assert entry.child_score is not None and entry.child_score.interval == proportion(round(4 * 2 / 3, 6), 4)
    assert entry.child_score.missing == 2
    assert entry.parent_score is not None and entry.parent_score.interval == proportion(2.0, 4)
    assert "child 0.67 [" in piped[0] and "n=4" in piped[0]


def test_a_side_without_a_score_is_not_measured(tmp_path: Path) -> None:
    """All of its draws are missing: no mean is made up."""
    with opened(make(tmp_path, [raced(1, child=[[None], [None]], parent=POOR)]), None) as store:
        (entry,) = overview.log(store, 1)
    assert entry.child_score is not None and entry.child_score.missing == 2
    assert entry.child_score.interval.trials == 0 and str(entry.child_score) == "not measured"


def test_an_entry_names_its_reference(path: Path) -> None:
    """In JSON as `against`: of children of contenders alone."""
    with opened(path, None) as store:
        entries = overview.log(store)
    assert [one.against for one in entries] == [None, None, "c0", "c0", None]


def test_why_has_the_reference_in_place_of_the_parent(path: Path) -> None:
    """Looks, documents and the honest figure are against the reference, whose record of then is in the table."""
    one = found(path, 3)
    assert one.entry.against == "c0"
    seen = population(path).upto(2).records["c0"]
    assert sum(pair.parent_trials for pair in one.pairs) == seen.trials + 60
    shown = flat(*why_view.drawn(one, "diff"))
    assert "c3, a child of c2, was kept by the rule `sequential`: better than c0." in shown
    assert "Looks, child − c0 on validation, simulated" in shown
    assert "look child c0 docs difference" in shown and "− c2" in shown
    assert re.search(r"1 40 189 10 \+0\.50 \[\+0\.30, \+0\.70\] \+1\.5 \+6\.9 -1\.9 \+0\.25", shown)
    assert "document child n c0 n difference" in shown
    assert "honest figure: record 0.50 [" in shown and "− c0" in shown.partition("honest figure")[2]
    assert "Change against c2" in shown


def test_why_claims_nothing_of_a_contender(path: Path) -> None:
    """It was made one, of which nothing is claimed; it has no fresh record."""
    one = found(path, 2)
    shown = flat(*why_view.drawn(one, ""))
    said = "c2, a child of c1, was made a contender, of which nothing is claimed, by the rule `sequential` (look 2): "
    assert f"{said}ahead, not shown to be better." in shown
    assert one.fresh is None and "honest figure" not in shown
    assert "better than" not in shown


def test_why_of_a_child_of_no_contender_is_as_ever(path: Path) -> None:
    """Its parent is called the parent, and no other difference stands beside."""
    for number in (1, 4):
        one = found(path, number)
        shown = flat(*why_view.drawn(one, ""))
        assert one.entry.against is None
        assert "Looks, child − parent on validation" in shown and "look child parent docs" in shown
        assert "− c" not in shown.partition("Change against")[0].partition("Looks")[2]


def test_why_fits_into_eighty_columns(path: Path) -> None:
    """With the column of the contender parent as well."""
    for number in range(5):
        shown = text(*why_view.drawn(found(path, number), "diff --git a/x b/x\n+1"))
        assert all(len(one) <= 80 for one in shown.splitlines())
        if number in (2, 3):
            assert " +0.25" in shown


def overviewed(folder: Path, iterations: list[Iteration]) -> Overview:
    with opened(make(folder, iterations), None) as store:
        return overview.overview(store)


def test_status_counts_contenders(path: Path) -> None:
    """Among the outcomes, in the tree, and apart from the survivors of an arm."""
    with opened(path, None) as store:
        one, nodes = overview.overview(store), overview.lineage(store)
    assert one.outcomes == {"contender": 2, "survived": 1, "dropped": 1, "baseline": 1}
    shown = flat(views.status(one))
    assert re.search(r"2 contender", shown) and re.search(r"1 survived", shown)
    tree = text(views.tree(nodes, False), width=100)
    assert tree.index("c1") < tree.index("c2") < tree.index("c3")


def test_a_best_that_contends_is_said_to(tmp_path: Path, line: list[Iteration]) -> None:
    """The closing table does not pass it off as shown to be better; once a survivor is the best nothing is added."""
    one = overviewed(tmp_path, line[:1])
    assert one.best is not None and (one.best.candidate, one.better_than) == ("c1", "c0")
    said = "Best: c1, a contender: ahead of c0, not shown to be better"
    assert said in flat(views.summary(one))
    (tmp_path / "later").mkdir()
    won = overviewed(tmp_path / "later", [raced(1, child=GOOD, parent=POOR, record=GOOD)])
    assert won.better_than is None and "a contender" not in flat(views.summary(won))


def test_arms_tell_contenders_apart(tmp_path: Path, line: list[Iteration]) -> None:
    """Only where there are any."""
    control = raced(5, "random", child=POOR, parent=POOR)
    with opened(make(tmp_path, [*line, control]), None) as store:
        both = arms(store)
    assert both is not None
    shown = flat(arms_view.drawn(both))
    assert "4 iterations, 4 raced, 1 survived, 2 contenders; " in shown
    assert "1 iteration, 1 raced, 0 survived; " in shown


def call(path: Path, *words: str) -> str:
    result = CliRunner().invoke(cli, [*words, "--db", str(path)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        (
            ("log", "--json"),
            lambda rows: [one["against"] for one in rows[0]["iterations"]] == [None, None, "c0", "c0", None],
        ),
        (("best", "--json"), lambda rows: rows[0]["candidate"]["candidate"] in ("c2", "c3")),
    ],
)
def test_json_has_what_is_shown(path: Path, words: tuple[str, ...], holds: Callable[[Any], bool]) -> None:
    """The reference, and the best."""
    assert holds([json.loads(one) for one in call(path, *words).splitlines()])


def test_best_and_status_speak_of_the_same(path: Path) -> None:
    """Whichever it is, the commands and the loop have one best."""
    known = population(path).best.candidate.id
    assert json.loads(call(path, "best", "--json"))["candidate"]["candidate"] == known
    assert json.loads(call(path, "status", "--json"))["best"]["candidate"] == known


def test_why_in_json_has_rival_and_reference(path: Path) -> None:
    """As values, whatever fits on a screen."""
    told = json.loads(as_json(found(path, 2)))
    assert (told["entry"]["outcome"], told["entry"]["against"], told["fresh"]) == ("contender", "c0", None)
    assert [(one["ahead"], one["rival"]) for one in told["decision"]["looks"]] == [(0.2, 0.7), (0.25, 0.7)]
