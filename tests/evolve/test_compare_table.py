"""The figures of a comparison and their intervals: what they rest on, which way they point, what is left out."""

from math import inf, isinf

import pytest
from compare_rows import AGENTIC, COT, row

from evolve.comparing.resampling import ratio
from evolve.comparing.table import LINES, Column, table
from evolve.comparing.values import Bill, Paid, Row
from evolve.intervals import Interval, mean, proportion


def figure(column: Column, key: str) -> Interval | None:
    return next(one for line, one in zip(LINES, column.figures, strict=True) if line.key == key)


def found(column: Column, key: str) -> Interval:
    one = figure(column, key)
    assert one is not None
    return one


def column(*rows: Row) -> Column:
    return table([COT], rows).columns[0]


def test_the_interval_of_a_mean() -> None:
    """Mean and t times the standard error, cut at the bounds; one value alone says nothing of its spread."""
    one = mean([1.0, 2.0, 3.0, 4.0])
    assert (one.value, one.trials) == (2.5, 4)
    assert one.high - one.value == pytest.approx(3.18245 * 1.29099 / 2, rel=1e-4)
    assert (mean([0.1, 0.9], 0.0, 1.0).low, mean([0.1, 0.9], 0.0, 1.0).high) == (0.0, 1.0)
    assert (mean([0.5], 0.0).low, mean([0.5], 0.0).high) == (0.0, inf)


def test_values_that_are_all_alike_are_not_certain() -> None:
    """Two tasks with the same score do not bound the mean to that score; nor do gaps, which lie between -1 and 1."""
    one = mean([1.0, 1.0], 0.0, 1.0)
    assert (one.value, one.high) == (1.0, 1.0)
    assert one.low == pytest.approx(proportion(2, 2).low)
    gap = mean([0.5] * 4, -1.0, 1.0)
    assert gap.low < 0.4 < 0.6 < gap.high
    assert mean([1.0, 1.0, 1.0], 0.0).high == 1.0, "one round each, which no document could have more of"


def test_a_ratio_is_one_of_sums_and_not_a_mean_of_ratios() -> None:
    """With an interval around it that is the same every time, and wider for fewer documents."""
    pairs = [(10.0, 1.0), (30.0, 1.0), (20.0, 0.0), (20.0, 2.0)]
    one = ratio(pairs * 10)
    assert one is not None
    assert one.value == pytest.approx(20.0)
    assert one.low < 20.0 < one.high
    assert one == ratio(pairs * 10)
    few = ratio(pairs * 3)
    assert few is not None
    assert few.high - few.low > one.high - one.low


def test_what_the_data_do_not_bound_is_infinite() -> None:
    """Where one document of many has an accepted task, some resamples have none; where none has, there is no figure."""
    one = ratio([(5.0, 0.0)] * 9 + [(5.0, 1.0)])
    assert one is not None
    assert isinf(one.high)
    assert one.value == 50.0
    assert ratio([(5.0, 0.0)] * 9) is None
    assert ratio([]) is None


def test_missing_data_is_never_a_zero() -> None:
    """A document without a measurement changes no figure; it is counted. So is one that is not suitable, apart."""
    kept = row(passed=True)
    missing = row(
        document="d1", outcome="missing", kept=None, passed=None, weak=None, strong=None, items=0, failures={}
    )
    unsuitable = row(document="d2", outcome="doc_not_suitable", kept=None, passed=None, items=0, failures={})
    with_them = column(kept, missing, unsuitable)
    assert with_them.figures == column(kept).figures
    assert (with_them.counts.documents, with_them.counts.missing, with_them.counts.not_suitable) == (2, 1, 1)
    assert found(with_them, "accepted").value == 1.0


def test_a_kept_task_without_scores_is_in_no_mean() -> None:
    """But it is kept."""
    one = column(
        row(), row(document="d1", weak=None, strong=None, items=0, items_weak=None, items_strong=None)
    )
    assert found(one, "kept").value == 1.0
    assert (found(one, "gap").value, found(one, "gap").trials) == (0.25, 1)
    assert found(one, "items_gap").value == pytest.approx(0.25)
    assert (one.counts.kept, one.counts.measured) == (2, 1)


def test_what_is_not_kept_has_scores_only_among_all_tasks() -> None:
    """The mean over all tasks weighs tasks, not documents."""
    refused = row(
        document="d1", kept=False, weak=None, strong=None, items=3, items_weak=0.1, items_strong=0.15
    )
    one = column(row(), refused)
    assert found(one, "gap").value == 0.25
    assert found(one, "items_gap").value == pytest.approx((0.25 + 3 * 0.05) / 4)


def test_costs_are_of_all_documents_by_what_came_of_them() -> None:
    """A kept task costs what making them all took, an accepted one all there is, documents without one included."""
    bill = Bill(Paid(30, 0, 3.0), Paid(4, 0, 0.4))
    one = column(
        row(passed=True, bill=bill), row(document="d1", bill=bill), row(document="d2", kept=False, bill=bill)
    )
    assert found(one, "calls_per_kept").value == pytest.approx(12 / 2)
    assert found(one, "calls_per_accepted").value == pytest.approx(90)
    assert found(one, "cost_per_accepted").value == pytest.approx(9.0)
    assert found(one, "calls_per_document").value == pytest.approx(30)
    assert figure(column(row()), "calls_per_accepted") is None


def test_the_failure_mix_is_of_rounds() -> None:
    """One document with many failed rounds counts them all."""
    one = column(row(failures={"too_easy": 3, "quality": 1}), row(document="d1", failures={}))
    assert found(one, "failed_too_easy").value == pytest.approx(0.75)
    assert found(one, "failed_quality").value == pytest.approx(0.25)


def test_differences_are_of_the_same_documents() -> None:
    """The arm minus the one-shot arm, in whatever order they are named; only where both have a figure."""
    rows = [row("cot", f"d{n}", strong=0.5 + 0.01 * n) for n in range(5)]
    rows += [row("agentic", f"d{n}", strong=0.9, passed=True) for n in range(3)]
    rows += [row("agentic", "d3", kept=False, weak=None, strong=None)]
    rows += [row("agentic", "d4", outcome="missing", kept=None, passed=None, weak=None, strong=None)]
    (one,) = table([AGENTIC, COT], rows).differences
    assert (one.arm, one.reference) == ("agentic", "cot")
    assert one.gap is not None and one.accepted is not None and one.kept is not None
    assert (one.gap.value, one.gap.trials) == (pytest.approx(0.39), 3)
    assert one.gap.excludes_zero
    assert (one.accepted.value, one.accepted.trials) == (0.75, 4)
    assert (one.kept.value, one.kept.trials) == (-0.25, 4)


def test_arms_without_a_common_task_have_no_difference_of_gaps() -> None:
    """Nor has a comparison without rows any figure."""
    rows = [row("cot"), row("agentic", kept=False, weak=None, strong=None)]
    assert table([COT, AGENTIC], rows).differences[0].gap is None
    assert set(table([COT], []).columns[0].figures) == {None}
