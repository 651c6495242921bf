"""What `evolve null` says of contenders: beside the survivors, never among them, and only where there are any."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from evolve.intervals import proportion
from evolve.null_study import GAINS, Noise, Power, Study
from evolve.pass_rates import assumed
from evolve.report.null_view import Null, drawn

WITH = Study(
    survival="sequential",
    false_wins=proportion(1, 80),
    kept=0.02,
    decision=80.0,
    most=200.0,
    looks=4.0,
    run=4000.0,
    baseline=40,
    number=25,
    power=tuple(Power(gain, proportion(30, 80), 90.0, proportion(60, 80)) for gain in GAINS),
    detectable=0.31,
    contenders=7.25,
)
WITHOUT = replace(
    WITH,
    survival="strict",
    contenders=0.0,
    power=tuple(Power(gain, proportion(40, 80), 90.0, proportion(40, 80)) for gain in GAINS),
)


def shown(*rules: Study, width: int = 80) -> str:
    out = StringIO()
    one = Null(50, 10, 80, 0, 0.05, "i" * 64, assumed(None), Noise(0.1, 0.14, 0.2, 50), rules, None)
    Console(file=out, width=width, markup=False, highlight=False, emoji=False).print(drawn(one, width))
    assert all(len(line) <= width for line in out.getvalue().splitlines())
    return " ".join(out.getvalue().split())


def test_contenders_have_lines_of_their_own() -> None:
    """How many there are in a run, how often a better child is one at least, and what that means."""
    said = shown(WITH)
    assert "survivors a run 0.02 contenders a run 7.2 " in said
    assert said.count("or contends 75 % [65, 83]") == len(GAINS)
    assert "Contenders are parents of whom nothing is claimed" in said


def test_without_contenders_nothing_is_said_of_them() -> None:
    """Rules that have none look as they always did."""
    assert "conten" not in shown(WITHOUT).lower()


def test_a_rule_without_contenders_beside_one_with_them() -> None:
    """Its cells are there, and say nothing where both chances are the same."""
    said = shown(WITH, WITHOUT, width=120)
    assert "contenders a run 7.2 0.0" in said
    assert said.count("or contends 75 % [65, 83] +") + said.count("or contends 75 % [65, 83] Cost") == len(
        GAINS
    )
