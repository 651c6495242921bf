"""The evidence for one decision: it agrees with what the rule saw, and is said so that it can be read on a screen."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from recorded import RUN
from report_rows import decided, make, raced, stopped, text

from evolve.cli import cli
from evolve.contest import Decision, Sums, Terms
from evolve.iteration import Iteration, Outcome, Prediction
from evolve.report import why_view
from evolve.report.store import opened
from evolve.report.why import Why, budget, pairs, why
from evolve.selection.sequential import error_share

DIFF = "diff --git a/agent.py b/agent.py\nindex 1..2\n--- a/agent.py\n+++ b/agent.py\n@@ -1 +1 @@\n-a\n+b \x1b[2J\n"
HALF = [[1.0, 0.0], [1.0, 1.0]]
NONE = [[0.0], [0.0]]


def evidence(folder: Path, iterations: Sequence[Iteration], number: int) -> Why:
    with opened(make(folder, iterations), None) as store:
        return why(store, number)


def told(one: Why, diff: str = "", width: int = 80) -> str:
    """What is shown, on one line."""
    return " ".join(text(*why_view.drawn(one, diff), width=width).split())


def test_documents_agree_with_the_last_look(finished: Path) -> None:
    """In a real run the table by document adds up to the difference and the rollouts by which the rule decided."""
    checked = 0
    with opened(finished / "population.db", None) as store:
        for row in store.rows("SELECT iteration FROM decisions WHERE run = :run"):
            found = why(store, row["iteration"])
            assert found.decision is not None
            look = found.decision.looks[-1]
            shared = [one for one in found.pairs if one.difference is not None]
            assert sum(one.difference or 0.0 for one in shared) / len(shared) == pytest.approx(
                look.difference
            )
            assert sum(one.child_trials for one in shared) == look.child_trials
            assert sum(one.parent_trials for one in shared) == look.parent_trials
            checked += 1
    assert checked


def test_the_parent_brings_its_record(tmp_path: Path) -> None:
    """Draws of iterations that it saw count for the parent, later ones and the draws that it once won by do not."""
    won = raced(1, child=HALF, record=NONE)
    early = raced(2, of="c1", parent=[[1.0], [0.0]], child=NONE)
    late = raced(3, of="c1", parent=[[1.0, 1.0], [1.0, 1.0]], child=NONE)
    judged = replace(raced(4, of="c1", parent=NONE, child=HALF), sees=2, decision=decided((4, 6, 0.5)))
    found = evidence(tmp_path, [won, early, late, judged], 4)
    assert [(one.parent, one.parent_trials) for one in found.pairs] == [(0.0, 3), (pytest.approx(1 / 3), 3)]


def test_a_rule_with_fresh_draws_only_has_those(tmp_path: Path) -> None:
    """Where the look rests on the parent's draws of its own iteration, its record stays out of the table."""
    judged = replace(
        raced(1, parent=NONE, child=HALF), decision=decided((4, 2, 0.75), rule="paired", error=None)
    )
    found = evidence(tmp_path, [judged], 1)
    assert [one.parent_trials for one in found.pairs] == [1, 1]
    assert found.budget is None


def test_the_most_telling_documents_come_first() -> None:
    """A difference weighs more the more trials it rests on; what only one side was measured on comes last."""
    child = {"a": Sums(1, 1, 1), "b": Sums(9, 6, 6), "c": Sums(2, 1, 1)}
    parent = {"a": Sums(1, 0, 0), "b": Sums(9, 0, 0), "d": Sums(3, 3, 3)}
    found = pairs(child, parent, {"a": "alpha", "b": "beta", "c": "gamma", "d": "delta"})
    assert [one.document for one in found] == ["beta", "alpha", "delta", "gamma"]
    assert [one.difference for one in found][2:] == [None, None]


@pytest.mark.parametrize("number", [1, 2, 7, 50, 400])
def test_the_budget_is_the_sum_of_the_shares(number: int) -> None:
    """What is used is what all iterations up to this one were given, and the rest is left."""
    terms = Terms()
    settings = json.dumps({"search": {"error": terms.error, "horizon": terms.horizon}})
    found = budget(settings, Decision("sequential", error_share(number, terms)), number)
    assert found is not None and found.used is not None and found.left is not None
    assert found.used == pytest.approx(sum(error_share(one, terms) for one in range(1, number + 1)))
    assert found.used + found.left == pytest.approx(terms.error)


def test_a_rule_of_ones_own_shares_in_its_own_way() -> None:
    """Only its share is told; how it divides the rest is not known, nor is anything without the settings."""
    mine = Decision("mine.rule", 0.01)
    found = budget('{"search": {"error": 0.05, "horizon": 50}}', mine, 3)
    assert found is not None and (found.share, found.used, found.left) == (0.01, None, None)
    assert budget(RUN.settings, mine, 3) is None


@pytest.mark.parametrize(
    ("outcome", "reason", "said"),
    [
        ("no_change", "the same files", "There is no child to decide on: the same files."),
        ("no_proposal", "edits do not apply", "There is no child to decide on: edits do not apply."),
        ("broken", "does not start", "The edit was refused before anything was measured: does not start."),
        (
            "not_improved",
            "no failure got better",
            "not raced on validation documents: no failure got better.",
        ),
    ],
)
def test_what_stopped_it_is_said(tmp_path: Path, outcome: Outcome, reason: str, said: str) -> None:
    """An iteration that ended before there was anything to decide says by what."""
    found = evidence(tmp_path, [stopped(1, outcome, reason)], 1)
    shown = told(found)
    assert said in shown
    assert "Looks" not in shown and "By document" not in shown


def test_the_baseline_is_not_decided_on(tmp_path: Path) -> None:
    """Number 0 is the baseline with its first record."""
    assert "this is the baseline, measured for its record: 0.11 [" in told(evidence(tmp_path, [], 0))


def test_looks_and_the_honest_figure(tmp_path: Path) -> None:
    """A survivor shows its looks with their bounds, says what they are not, and has its fresh record beside them."""
    won = replace(
        raced(1, parent=NONE, child=HALF, record=[[1.0, 0.0], [0.0, 0.0]]),
        decision=decided((2, 4, 0.4), (4, 4, 0.75)),
        reason="better: difference +0.750 on 2 documents, 4 rollouts against 4",
    )
    found = evidence(tmp_path, [won], 1)
    shown = told(found)
    assert "c1, a child of c0, was kept by the rule `sequential` (look 2): better than its parent." in shown
    assert re.search(r"2 4 4 2 \+0\.75 \[\+0\.55, \+0\.95\] \+1\.5 \+6\.9 -1\.9", shown)
    assert "not adjusted for stopping" in shown
    assert "honest figure: record 0.25 [" in shown
    assert found.fresh is not None and found.fresh.gain is not None
    gain = found.fresh.gain
    assert (gain.interval.value, gain.first, gain.second) == (pytest.approx(0.0), 4, 4)


def test_many_looks_are_cut_in_the_middle(tmp_path: Path) -> None:
    """The first and the last ones are shown, and how many are not."""
    many = decided(*((number, 4, number / 100) for number in range(1, 41)))
    shown = text(
        *why_view.drawn(
            evidence(tmp_path, [replace(raced(1, parent=NONE, child=HALF), decision=many)], 1), ""
        )
    )
    rows = [int(found[1]) for line in shown.splitlines() if (found := re.match(r" +(\d+) +\d+ +4 +2 ", line))]
    assert rows == [1, 37, 38, 39, 40]
    assert "35 looks in between" in shown


def test_a_decision_without_looks_says_so(tmp_path: Path) -> None:
    """Of a run of an older version, what it did not record is not made up."""
    found = evidence(tmp_path, [raced(1, parent=NONE, child=HALF)], 1)
    shown = told(found)
    assert "did not record its looks" in shown
    assert "Diagnosis, without recorded predictions 1. Too easy" in shown
    assert "error budget" not in shown.lower()


def test_predictions_stand_beside_the_base_rate(tmp_path: Path) -> None:
    """What causes named and what came of it, untested ones without a figure; the unnamed documents are no cause."""
    said = (
        Prediction("too_easy", "Recall is enough", ("a", "b"), (), 2, None, "confirmed"),
        Prediction("quality", "Leaks", ("a",), ("c",)),
        Prediction("other", "", ("d", "e", "f"), ("c",), 1, 1),
    )
    found = evidence(tmp_path, [replace(raced(1, parent=NONE, child=HALF), predictions=said)], 1)
    assert [one.title for one in found.predictions] == ["Recall is enough", "Leaks"]
    shown = told(found)
    assert "1. Recall is enough (too easy) confirmed 2 of 2 –" in shown
    assert "2. Leaks (quality) untested ? of 1 ? of 1" in shown
    assert "(the base rate) 1 of 3 1 of 1" in shown


def test_cost_without_a_journal_is_that_of_the_rows(tmp_path: Path) -> None:
    """By side the rollouts are known and the rest is not; what was recorded of the iteration stands."""
    found = evidence(tmp_path, [raced(1, parent=NONE, child=HALF)], 1)
    shown = told(found)
    assert "parent 2 0 ? ? ?" in shown
    assert "recorded in all 6 0 84 27.7 k $0.88" in shown


def test_long_things_are_bounded_and_nothing_drives_the_terminal(tmp_path: Path) -> None:
    """At 80 columns no line is longer; documents beyond the first ten are counted; escapes of a diff are left out."""
    wide = replace(
        raced(1, parent=[[0.0]] * 14, child=[[1.0]] * 14),
        decision=decided((14, 14, 1.0)),
        reason="x\x1b[31m" * 200,
    )
    picture = why_view.drawn(evidence(tmp_path, [wide], 1), DIFF + "+c\n" * 90)
    shown = text(*picture)
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "4 documents more" in shown
    assert "\x1b" not in shown
    assert re.search(r"\d+ lines more; `evolve diff c0 c1`", shown)


def test_the_command_prints_one_object(finished: Path) -> None:
    """--json has decision, pairs, cost by side and diff; an unknown ID is an error that says what there is."""

    def call(*words: str) -> str:
        found = CliRunner().invoke(cli, ["why", *words, "--db", str(finished / "population.db")])
        return f"{found.exit_code} {found.output}"

    found = json.loads(call("1", "--json")[2:])
    assert found["entry"]["number"] == 1
    assert {"edit", "minibatch"} <= {one["name"] for one in found["parts"]}
    assert all(one["calls"] for one in found["parts"])
    assert call("c0") == call("baseline") == call("0")
    assert call("99").startswith("2 error: run 'run-001' has no iteration 99")
