"""Who may be opened on the test split: every rule of it on plain values."""

from dataclasses import replace

import pytest
from evolve_fakes import BASELINE, child

from evolve.iteration import Arm, Candidate
from evolve.seal import Log, Request, Unsealed, additions, flattery, require, unsealed
from harness.errors import UsageError
from harness.types import Document, Side, Split

REPORT, SELECTION = Request("report", 40, "i"), Request("selection", 40, "i")
TEXTS = tuple(Document(name, f"{name}.txt", "text") for name in ("train", "check", "spare", "test", "new"))
SPLITS: dict[str, tuple[Split, bool]] = {
    "train": ("training", True),
    "check": ("validation", True),
    "spare": ("test", False),
    "test": ("test", True),
}


def opened(log: Log, request: Request, *candidates: Candidate) -> Log:
    """The log after an opening, with nothing measured yet."""
    return replace(
        log, rows=(*log.rows, *additions(log, candidates, request, f"2026-01-0{len(log.rows) + 1}"))
    )


def told(log: Log) -> list[tuple[int, str, str, int]]:
    return [(one.number, one.candidate, one.purpose, one.compared) for one in log.rows]


def test_a_report_is_always_open_and_every_candidate_counts_once() -> None:
    """Each best that a longer run comes to is added; the baseline is counted as nobody's rival."""
    log = opened(Log("r"), REPORT, BASELINE, child(3))
    log = opened(log, REPORT, BASELINE, child(3))
    log = opened(log, REPORT, BASELINE, child(7))
    assert told(log) == [(1, "c0", "report", 0), (2, "c3", "report", 1), (3, "c7", "report", 2)]
    assert log.compared == 2


def test_one_set_may_be_chosen_from_and_no_second() -> None:
    """The set that is named first is open as often as it is asked for, a part of it too; with one more it is refused."""
    log = opened(Log("r"), REPORT, BASELINE, child(3))
    log = opened(log, SELECTION, BASELINE, child(5), child(6), child(6))
    assert told(log)[2:] == [(3, "c5", "selection", 2), (4, "c6", "selection", 3)]
    for again in ((child(5), child(6)), (child(6),), (BASELINE, child(3), child(5))):
        assert additions(log, again, SELECTION, "") == ()
    with pytest.raises(
        UsageError, match=r"selection before \(c5, c6, on 2026-01-03\).* again for c8: (.|\n)*candidate:c8 "
    ):
        additions(log, (child(5), child(8)), SELECTION, "")
    assert told(opened(log, REPORT, child(8)))[4:] == [(5, "c8", "report", 4)]


def test_the_baseline_is_no_choice() -> None:
    """Opening it along with a set, or alone after one, is neither refused nor a selection."""
    log = opened(Log("r"), SELECTION, child(5))
    assert told(opened(log, SELECTION, BASELINE, child(5)))[1:] == [(2, "c0", "report", 1)]


@pytest.mark.parametrize(
    ("arms", "fine"), [(("evolution", "random", "best_of"), True), (("random", "random"), False)]
)
def test_a_report_takes_one_candidate_of_each_arm(arms: tuple[Arm, ...], fine: bool) -> None:
    """The best of the control arms belong into it; two of one arm would be a choice that nobody called one."""
    group = [replace(child(number), arm=arm) for number, arm in enumerate(arms, 1)]
    if fine:
        assert [one.compared for one in additions(Log("r"), [BASELINE, *group], REPORT, "")] == [0, 1, 2, 3]
        return
    with pytest.raises(ValueError, match="one candidate of each arm; c1, c2"):
        additions(Log("r"), [BASELINE, *group], REPORT, "")


def test_measurements_of_before_the_log_are_openings() -> None:
    """They are not opened again, they count, and one set may still be chosen from."""
    log = Log("r", (), ("c0", "c2", "c4"))
    assert (log.opened, log.unlogged, log.compared) == (("c0", "c2", "c4"), ("c0", "c2", "c4"), 2)
    log = opened(log, SELECTION, BASELINE, child(2), child(9))
    assert told(log) == [(1, "c9", "selection", 3)]
    assert (log.unfinished, log.unlogged) == (("c9",), ("c0", "c2", "c4"))


@pytest.mark.parametrize(
    ("side", "who", "names", "message"),
    [
        ("final", "", ("test",), "c1 has no opening"),
        ("final", "c2", ("test",), "c1 has no opening"),
        ("final", "c1", ("test",), ""),
        ("child", "", ("check",), ""),
        ("child", "", ("check", "test"), "1 test documents in a measurement of side 'child'"),
        ("child", "c1", ("test",), "1 test documents in a measurement of side 'child'"),
    ],
)
def test_nothing_is_measured_there_without_its_row(
    side: Side, who: str, names: tuple[str, ...], message: str
) -> None:
    """A permit is for one candidate and the final measurement; test documents have no place in any other."""
    permit = Unsealed("r", 1, "", who, "report", 40, "i", 1) if who else None
    documents = [one for one in TEXTS if one.id in names]
    if not message:
        require(permit, "c1", side, documents, {"test"})
        return
    with pytest.raises(ValueError, match=message):
        require(permit, "c1", side, documents, {"test"})


def test_only_what_a_run_is_tested_on_is_sealed() -> None:
    """Others of that split are free, and so is what the run does not know."""
    assert [one.id for one in unsealed(TEXTS, SPLITS)] == ["train", "check", "spare", "new"]


@pytest.mark.parametrize(
    ("candidates", "expected"), [(0, 0), (1, 0), (2, 0.5642), (3, 0.8463), (10, 1.5388), (50, 2.2491)]
)
def test_the_best_of_several_flatters_by_the_expected_maximum(candidates: int, expected: float) -> None:
    """Tabulated expectations of the largest of so many standard normal variables, in units of the error."""
    assert flattery(candidates, 0.1) == pytest.approx(0.1 * expected, abs=2e-4)
