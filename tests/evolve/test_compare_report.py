"""How a comparison is drawn: within the width there is, every arm once, what is not bounded or simulated said so."""

import io
from dataclasses import replace
from typing import Any

import pytest
from compare_rows import AGENTIC, COT, row
from rich.console import Console

from evolve.comparing.stored import Compared, Facts, compared, entry
from evolve.comparing.table import Table, table
from evolve.comparing.values import Arm
from evolve.report import comparison

CANDIDATES = tuple(Arm(f"c{n}", "candidate", "a run", f"t{n}") for n in (12, 17, 203))
BEST = replace(COT, name="best of 4 (agentic)", kind="best_of", generations=4, spend_of="agentic")
FACTS = Facts(
    domain="cs",
    preset="confirmed",
    instrument="abc",
    seed=0,
    source="papers",
    documents=("d0", "d1", "d2"),
    spend_unit="money",
    simulated=("weak",),
    measured_by_simulation=True,
    arms=(COT, AGENTIC, *CANDIDATES),
)


def made(*arms: Arm, **changes: Any) -> tuple[Compared, Table]:
    """A comparison of these arms on three documents, one of which none could be measured on."""
    rows = [
        row(
            arm.name,
            document,
            kept=None if document == "d2" else True,
            passed=None if document == "d2" else document == "d0",
            outcome="missing" if document == "d2" else "exhausted",
            strong=0.75 if document == "d0" else 0.5,
            fresh=arm.kind == "agentic",
        )
        for arm in arms
        for document in FACTS.documents
    ]
    one = Compared(
        "compare-001", "2026-01-01T00:00:00Z", replace(FACTS, **changes), "process", arms, tuple(rows)
    )
    return one, table(arms, rows)


def screen(width: int, *arms: Arm, **changes: Any) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, markup=False, highlight=False).print(
        comparison.drawn(*made(*arms, **changes), width)
    )
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_it_fits_the_terminal(width: int) -> None:
    """No line is longer, none is cut, and every arm heads one column."""
    arms = (COT, AGENTIC, BEST, *CANDIDATES)
    lines = screen(width, *arms)
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    heads = [line for line in lines if line.startswith("   ") and not any(mark in line for mark in "[%$")]
    for arm in arms:
        assert sum(arm.name in line for line in heads if " - " not in line) >= 1, arm.name


def test_an_interval_stands_beside_its_figure_where_there_is_room() -> None:
    """Else below it."""
    assert any(line.split()[:2] == ["weak", "0.50"] and "[" in line for line in screen(200, COT, AGENTIC))
    assert any(line.split() == ["weak", "0.50", "0.50"] for line in screen(60, COT, AGENTIC))


def test_what_is_simulated_says_so() -> None:
    """In the title, in every difference and in the notes; what is measured does not."""
    text = "\n".join(screen(200, COT, AGENTIC))
    assert "simulated" in text.splitlines()[0]
    assert all("simulated" in line for line in text.splitlines() if " n=" in line)
    assert "Simulated: weak; their prices are notional." in text
    assert "imulat" not in "\n".join(screen(200, COT, AGENTIC, measured_by_simulation=False, simulated=()))


def test_it_says_what_the_scores_rest_on() -> None:
    """Fresh attempts, or those that selected; and what best of k was given."""
    assert "are those of fresh attempts" in "\n".join(screen(200, COT, AGENTIC))
    assert "so they flatter it" in "\n".join(screen(200, COT, CANDIDATES[0]))
    text = "\n".join(screen(200, COT, AGENTIC, BEST))
    assert "best of 4 (agentic): of 4 one-shot tasks a document the one with the largest gap" in text
    assert "comes nearest to the spend of agentic ($1.00 a document, agentic $1.00)" in text


def test_a_program_gets_null_where_there_is_no_bound() -> None:
    """JSON knows no infinity; figures that there are not are null too."""
    found = comparison.values(*made(COT, AGENTIC))
    figures = found["arms"][0]["figures"]
    assert figures["cost_per_accepted"]["high"] is None
    assert figures["cost_per_accepted"]["value"] == pytest.approx(2.0)
    assert figures["failed_quality"]["value"] == 0.0
    assert found["arms"][0]["counts"]["missing"] == 1
    assert found["differences"][0]["gap"]["trials"] == 2


def test_stored_and_read_again_it_is_the_same() -> None:
    """All but the settings, which nobody needs back."""
    one, _ = made(COT, AGENTIC, BEST, arms=(COT, AGENTIC))
    assert compared(entry(one, "1", "{}", "comparisons/compare-001")) == replace(
        one, rows=tuple(sorted(one.rows, key=lambda row: [arm.name for arm in one.arms].index(row.arm)))
    )
