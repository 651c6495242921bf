"""What a run has learnt, for people: the arithmetic is that of the loop, the picture is short."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from report_rows import make, population, raced, text

from evolve.cli import cli
from evolve.ideas import hit_rates, ideas, lessons, refuted
from evolve.intervals import proportion
from evolve.iteration import Iteration, Prediction
from evolve.report import learning as report
from evolve.report import overview, views
from evolve.report.learning import learning
from evolve.report.operators import operators
from evolve.report.store import opened

NONE = [[0.0], [0.0]]
REASON = (
    "not better by 0.1: difference -0.062 on 4 documents, 8 rollouts against 16, log likelihood ratio -2.0 "
    "(kept at 7.1, dropped at -1.9)"
)


def claimed(number: int, title: str, fixed: int, *, kept: bool = False) -> Iteration:
    """An iteration whose diagnosis named two failures, of which so many got better; of three others one did."""
    said = (
        Prediction("quality", title, ("a", "b"), (), fixed, None, "confirmed" if fixed == 2 else "refuted"),
        Prediction("other", "", ("c", "d", "e"), (), 1, None),
    )
    one = raced(number, child=NONE, **({"record": NONE} if kept else {}))
    return replace(one, predictions=said, reason=REASON)


def test_it_is_what_analyzers_are_told(tmp_path: Path) -> None:
    """Rates, lessons and refuted ideas from rows are those of the loop's own iterations."""
    path = make(
        tmp_path,
        [
            claimed(1, "Leaks in contexts", 2, kept=True),
            claimed(2, "Recall is enough", 0),
            raced(3, "random", child=NONE),
        ],
    )
    known = population(path).iterations
    with opened(path, None) as store:
        found = learning(store)
    assert found.rates == hit_rates(known)
    assert found.lessons == lessons(ideas(known))
    assert found.refuted == refuted(ideas(known))
    assert (found.rates.all.fixes, found.rates.unnamed.fixes) == (proportion(2, 4), proportion(2, 6))
    assert [one.title for one in found.lessons] == ["Leaks in contexts"]


def test_rates_stand_beside_the_base_rate(tmp_path: Path) -> None:
    """By kind, in all, and for what no cause named, with counts and intervals; `status` has the short form."""
    with opened(make(tmp_path, [claimed(1, "Leaks in contexts", 2), claimed(2, "Recall", 1)]), None) as store:
        found, run, made = learning(store), overview.overview(store), operators(store)
    shown = text(report.rates(found.rates))
    assert "quality        3 of 4 (75 %, 30 to 95)" in shown
    assert "named by none  2 of 6 (33 %, 10 to 70)" in shown
    short = " ".join(text(views.status(run, learnt=(made, found))).split())
    assert "3 of 4 (75 %, 30 to 95) of the failures that diagnoses named got better; 2 of 6" in short
    assert "0 ideas upheld, 2 refuted; `evolve why` lists them" in short


def test_a_list_of_ideas_is_short(tmp_path: Path) -> None:
    """Five are shown, the latest first and without the figures of the survival rule; the rest is counted."""
    names = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf")
    claims = [claimed(at, f"{name} {name}s", 0) for at, name in enumerate(names, 1)]
    with opened(make(tmp_path, claims), None) as store:
        shown = text(report.listed(learning(store).refuted), width=120)
    assert [line.split()[0] for line in shown.splitlines() if "1 try" in line] == list(reversed(names))[:5]
    assert "and 2 more" in shown
    assert shown.count("0 of 2 failures named got better; the child was dropped (not better by 0.1)") == 5


@pytest.mark.parametrize(
    "reason",
    [
        f"{REASON}; +0.020 against its parent",
        f"{REASON}; +0.020 against its parent, {'and more ' * 20}",
        "not better by 0.1: difference -0.062 on 4 documents",
    ],
)
def test_all_figures_of_a_reason_are_left_out(tmp_path: Path, reason: str) -> None:
    """Whatever stands behind them and wherever the reason is cut; the parenthesis is closed."""
    one = replace(claimed(1, "Leaks in contexts", 0), reason=reason)
    with opened(make(tmp_path, [one]), None) as store:
        shown = text(report.listed(learning(store).refuted), width=120)
    last = shown.splitlines()[-1].strip()
    assert last == "0 of 2 failures named got better; the child was dropped (not better by 0.1)"


def test_a_run_that_has_learnt_nothing_says_so(tmp_path: Path) -> None:
    """Without a checked prediction there is no rate, and `status` has no such section."""
    path = make(tmp_path, [])
    with opened(path, None) as store:
        found, run, made = learning(store), overview.overview(store), operators(store)
    assert found.empty
    assert "Learnt" not in text(views.status(run, learnt=(made, found)))
    shown = CliRunner().invoke(cli, ["why", "--db", str(path)]).output
    assert "No prediction has been checked yet." in shown
    assert shown.count("None so far.") == 2
