"""The honest gate in simulated worlds: what it lets through, what it reports, what it costs; beside the plain gate.

python bench/gate.py

All decisions are made by the real functions (`harness.gate`, `harness.sequential`), attempt by attempt; only the scores
are drawn, see worlds.py. An attempt costs 2 calls, solver and judge. Seeds are fixed.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

from figures import Figure, tell
from worlds import Cell, Judge, World, cell, confirmed, plain

from harness import gate, sequential
from harness.domains.math import FEW

LOW, HIGH = 0.05, 0.30
DEPLOYED = gate.PRESETS["deployed"]
TASK = 2
"""Calls of challenger and verifier for a question; only counted where that is said."""


@dataclass(frozen=True)
class Match:
    """The plain gate against the honest one in one world, on bad and on good items."""

    plain_bad: Cell
    plain_good: Cell
    bad: Cell
    good: Cell

    @property
    def good_only(self) -> float:
        """Calls a good item that passes, as a multiple of the plain gate's, where all items are good."""
        return price(self.good, self.good.calls) / price(self.plain_good, self.plain_good.calls)

    @property
    def half_bad(self) -> float:
        """The same where every other item is bad."""
        mine, theirs = self.good.calls + self.bad.calls, self.plain_good.calls + self.plain_bad.calls
        return price(self.good, mine) / price(self.plain_good, theirs)

    @property
    def whole(self) -> float:
        """The same as `half_bad`, with challenger and verifier."""
        mine = self.good.calls + self.bad.calls + TASK * (self.good.rounds + self.bad.rounds)
        theirs = self.plain_good.calls + self.plain_bad.calls
        theirs += TASK * (self.plain_good.rounds + self.plain_bad.rounds)
        return price(self.good, mine) / price(self.plain_good, theirs)


def overstated(good: Cell, bad: Cell, posterior: bool = False) -> float:
    """By how much the gap of a passing item is reported too high on average, where every other item is bad."""
    errors = [(one.middle if posterior else one.gap) - one.true for one in (good, bad)]
    return (good.passed * errors[0] + bad.passed * errors[1]) / (good.passed + bad.passed)


def price(good: Cell, calls: float) -> float:
    """Calls for each good item that passes."""
    return calls / good.passed if good.passed else float("inf")


def match(
    gates: tuple[Judge, Judge], world: World, items: int, gaps: tuple[float, float] = (LOW, HIGH)
) -> Match:
    """Play both gates, plain and honest, on the same scores."""
    return Match(*(cell(judge, world, gap, items) for judge in gates for gap in gaps))


GATES = plain(DEPLOYED), confirmed(DEPLOYED)


def columns(one: Cell) -> str:
    """Who passes, at what price, and what is reported of those, with how far it is off."""
    return f"{one.passed:6.1%} {one.calls:6.1f}  {one.gap:.3f} {one.gap - one.true:+.3f}"


def both_columns(theirs: Cell, mine: Cell) -> str:
    """The plain gate and the honest one side by side."""
    return f"{columns(theirs)}   {columns(mine)}  {mine.middle:.3f} {mine.middle - mine.true:+.3f}"


HEAD = "passed  calls    gap   bias"


def by_gap(world: World, items: int) -> Iterator[str]:
    """One line for each true gap."""
    yield f"s.d. {world.sds[0]:.2f}  deployed                     confirmed                    posterior"
    yield f"true gap   {HEAD}   {HEAD}    gap   bias"
    for step in range(9):
        gap = step * LOW
        yield f"    {gap:.2f}   {both_columns(*(cell(judge, world, gap, items) for judge in GATES))}"


def others(items: int) -> Iterator[str]:
    """One line for each other world and preset."""
    yield f"{'passed, and calls a good item':<46} {'gap':>4}: plain honest   {'gap':>4}: plain honest   good only half bad"
    alone = replace(
        DEPLOYED, weak_mean=1.0, weak_best=None, strong_low=0.0, strong_high=None, zero_forbidden=False
    )
    low, meta, prose = World(weak=(0.30, 0.45)), gate.PRESETS["meta"], gate.PRESETS["prose"]
    worlds = {
        **{f"weak mean {mean:.2f}": (GATES, World(weak=(mean, mean))) for mean in (0.45, 0.50, 0.55, 0.60)},
        "s.d. 0.10": (GATES, World(sds=(0.10, 0.10))),
        "s.d. 0.25": (GATES, World(sds=(0.25, 0.25))),
        "s.d. weak 0.25, strong 0.12": (GATES, World(sds=(0.25, 0.12))),
        "s.d. weak 0.12, strong 0.25": (GATES, World(sds=(0.12, 0.25))),
        "scores in twentieths": (GATES, World("steps")),
        "scores beta distributed": (GATES, World("beta")),
        "weak means 0.30 to 0.45": (GATES, low),
        "bounds meta": ((plain(meta), confirmed(meta)), World()),
        "bounds prose, weak means 0.30 to 0.45": ((plain(prose), confirmed(prose)), low),
        "gap alone": ((plain(alone), confirmed(alone)), low),
        "gap alone, 5 weak and 3 strong first (legal)": (
            (plain(alone, 5, 3), confirmed(alone, first=plain(alone, 5, 3))),
            low,
        ),
    }
    for name, (gates, world) in worlds.items():
        one = match(gates, world, items)
        yield (
            f"  {name:<44} {LOW:.2f}: {one.plain_bad.passed:5.1%} {one.bad.passed:6.1%}   {HIGH:.2f}: "
            f"{one.plain_good.passed:5.1%} {one.good.passed:6.1%}   {one.good_only:9.2f} {one.half_bad:8.2f}"
        )


def right_or_wrong(items: int) -> Iterator[str]:
    """Maths: at most 1 of 4 weak and at least 3 of 4 strong attempts right, against its honest form."""
    gates = plain(FEW, 4, 4), confirmed(FEW, sequential.BINARY)
    yield "right or wrong   few                          confirmed                    posterior"
    yield f"weak and strong  {HEAD}   {HEAD}    gap   bias"
    for weak in (0.10, 0.20, 0.30, 0.50):
        for strong in (weak + 0.05, weak + 0.30, 0.90):
            world = World("binary", weak=(weak, weak))
            cells = (cell(judge, world, strong - weak, items) for judge in gates)
            yield f"  {weak:.2f} to {strong:.2f}   {both_columns(*cells)}"


def claims(items: int) -> list[Figure]:
    """What is promised, on many items."""
    one = match(GATES, World(), items)
    return [
        Figure("deployed: 0.05 items that pass within 8 rounds", 100 * one.plain_bad.passed, "%"),
        Figure("  the gap that it reports for them", one.plain_bad.gap),
        Figure("  calls a 0.30 item that passes", price(one.plain_good, one.plain_good.calls)),
        Figure("confirmed: 0.05 items that pass within 8 rounds", 100 * one.bad.passed, "%", 15),
        Figure("confirmed: 0.30 items that pass within 8 rounds", 100 * one.good.passed, "%", 95, "more"),
        Figure("calls a good item, 0.30 items, times deployed", one.good_only, "", 1.9),
        Figure("calls a good item, half 0.05 items, times deployed", one.half_bad, "", 1.6),
        Figure("  the same with challenger and verifier", one.whole),
        Figure("gap reported too high, half 0.05 items: deployed", overstated(one.plain_good, one.plain_bad)),
        Figure("  confirmed: mean of the fresh attempts", overstated(one.good, one.bad)),
        Figure("  confirmed: posterior", overstated(one.good, one.bad, posterior=True)),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=2_000, help="items in each cell of the tables")
    parser.add_argument("--claims", type=int, default=20_000, help="items behind each claim")
    options = parser.parse_args()
    for sd in (0.18, 0.10, 0.25):
        show(by_gap(World(sds=(sd, sd)), options.items))
    show(others(options.items))
    show(right_or_wrong(options.items))
    return tell(claims(options.claims))


def show(lines: Iterator[str]) -> None:
    """A table, and an empty line."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    sys.stdout.write("\n")


if __name__ == "__main__":
    sys.exit(main())
