"""Comparing trees by their values. Two expressions are equal if they agree at every point looked at, different if they
are both real and disagree at one. The points include all those where something in either of them changes.

In the real numbers first; where something has no real value, in the complex ones. Where only one side has a value, the
domains differ, and whether that matters is not for this module to say: unknown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Literal

from harness.answers.numbers.arithmetic import NotCovered, NotReal, NoValue, Number, TooHard
from harness.answers.numbers.numeric import Evaluation, Point
from harness.answers.numbers.places import (
    around,
    bases,
    changes,
    counted,
    critical,
    is_whole,
    may_count,
    steps,
)
from harness.answers.tree import Node, constant, free, walk
from harness.answers.verdicts import Comparison

Outcome = Literal["same", "apart", "doubtful", "void"]

ENOUGH = 4
MOST_DIGITS = 14_000
MOST_DIGITS_AT_POINTS = 1_500
NEAR_DIGITS = 120
SWEPT = 4
COMPLEX_PARTS = frozenset(("re", "im", "conj", "arg"))
COMPLEX_NAMES = frozenset(("z", "w"))

EQUAL = Comparison("equal", "numeric")
DIFFERENT = Comparison("different", "numeric")
DOMAIN = Comparison("unknown", "domain")
UNDECIDED = Comparison("unknown", "undecided")


@dataclass
class Probe:
    """A comparison of two values, its evaluations, and how often each outcome came.

    piecewise: a point that one side covers by a case and the other does not is a difference.
    """

    one: Node
    other: Node
    piecewise: bool
    real: Evaluation = field(default_factory=Evaluation)
    complex: Evaluation = field(default_factory=lambda: Evaluation(real=False))
    imaginary: bool = False

    def __post_init__(self) -> None:
        self.names = sorted(free(self.one) | free(self.other))
        nodes = [*walk(self.one), *walk(self.other)]
        self.imaginary = constant("i") in nodes
        parts = any(one.head == "call" and one.name in COMPLEX_PARTS for one in nodes)
        sizes = any(one.head == "call" and one.name == "abs" and free(one) & COMPLEX_NAMES for one in nodes)
        self.plane = self.imaginary or parts or sizes

    def outcome(self, point: Point) -> Outcome:
        """What there is to see at one point."""
        if not self.imaginary:
            found = self._in_reals(self.real, point)
            if found is not None:
                return found
        return self._in_complex(point)

    def _in_reals(self, numbers: Evaluation, point: Point) -> Outcome | None:
        """The outcome by real values; None if one side has a value only in the complex numbers."""
        numbers.tiny, numbers.ambiguous, numbers.snapped = 0, False, False
        one, other = (_attempt(numbers, node, point) for node in (self.one, self.other))
        if NotReal in (one, other):
            return None
        if isinstance(one, type) or isinstance(other, type):
            return self._without(one, other, point)
        found = self._compared(numbers, one, other, point)
        return "doubtful" if found == "apart" and numbers.ambiguous else found

    def _without(self, one: object, other: object, point: Point) -> Outcome:
        """At least one side has no value at all."""
        if NotCovered not in (one, other) or (isinstance(one, type) and isinstance(other, type)):
            return "void"
        covered = self.other if one is NotCovered else self.one
        if not self.piecewise or _default_zero(self.real, covered, point):
            return "doubtful"
        return "apart"

    def _in_complex(self, point: Point) -> Outcome:
        self.complex.tiny, self.complex.snapped = 0, False
        one, other = (_attempt(self.complex, node, point) for node in (self.one, self.other))
        if isinstance(one, type) or isinstance(other, type):
            return "void" if one == other else "doubtful"
        found = self._compared(self.complex, one, other, point)
        if found != "apart" or self.imaginary:
            return found
        both_not_real = not (self.complex.is_real(one) or self.complex.is_real(other))
        return "void" if both_not_real and self.names else "doubtful" if self.names else "apart"

    def _compared(self, numbers: Evaluation, one: Number, other: Number, point: Point) -> Outcome:
        exact = all(isinstance(one, Fraction) for one in point.values())
        certain = not (numbers.tiny or (numbers.snapped and exact))
        if certain and isinstance(one, Fraction) and isinstance(other, Fraction):
            return "same" if one == other else "apart"
        if certain and numbers.difference(one, other) == 0:
            return "same"
        return self._closely(numbers.real, max(numbers.tiny, NEAR_DIGITS), point)

    def _closely(self, real: bool, digits: int, point: Point) -> Outcome:
        """With more and more digits, until the difference stays what it is, or has shrunk to nothing."""
        before: Number = None
        while digits <= (MOST_DIGITS_AT_POINTS if self.names else MOST_DIGITS):
            finer = Evaluation(digits, real, snapping=False)
            if not all(isinstance(one, Fraction) for one in point.values()):
                finer.near = self.real.loose  # the point itself is known only so well
            try:
                one, other = (_attempt(finer, node, point) for node in (self.one, self.other))
            except TooHard:
                break
            if isinstance(one, type) or isinstance(other, type):
                return "doubtful"
            high, low = finer.lift(one), finer.lift(other)
            found = _settled(finer, before, abs(high - low), max(1, abs(high), abs(low)))
            if found == "same" or (found == "apart" and abs(high - low) > finer.noise):
                return found
            before = abs(high - low)
            digits *= 2
        return "void" if self.names else "doubtful"


def _settled(numbers: Evaluation, before: Number, gap: Number, size: Number) -> Outcome | None:
    """What a gap says that was `before` with half the digits, between numbers of this size; None if it is too early."""
    if before is None:
        return None
    rough = numbers.context.convert(before)
    if gap and abs(gap - rough) <= gap / 100:
        return "apart"
    few = numbers.context.mpf(10) ** (-numbers.digits // 8)
    return "same" if gap <= rough * few and gap <= size * few * few else None


def _attempt(numbers: Evaluation, node: Node, point: Point) -> Number:
    """The value, or the class of the reason why there is none."""
    try:
        return numbers.value(node, point)
    except NoValue as reason:
        return type(reason)


def _default_zero(numbers: Evaluation, node: Node, point: Point) -> bool:
    """Whether a plain 0 covers the point: what a density is outside its support is often not said."""
    if node.head != "cases":
        return False
    for piece in node.args:
        if numbers.truth(piece.args[1], point):
            return piece.args[0].head == "num" and piece.args[0].value == 0
    return False


def same_value(one: Node, other: Node, piecewise: bool = False) -> Comparison:
    """Whether two values, with or without variables, are the same."""
    probe = Probe(one, other, piecewise)
    try:
        return _judged(probe)
    except TooHard:
        return UNDECIDED


def _judged(probe: Probe) -> Comparison:
    whole = counted((probe.one, probe.other), conditions=True)
    counting = may_count(probe.names)
    seen: list[Outcome] = []
    for point in _places(probe, whole):
        found = probe.outcome(point)
        if found == "apart" and _trusted(point, counting):
            return DIFFERENT
        seen.append("doubtful" if found == "apart" else found)
    if "doubtful" in seen:
        return DOMAIN if "same" in seen or seen.count("doubtful") < ENOUGH else DIFFERENT
    if seen.count("same") < (ENOUGH if probe.names else 1):
        return UNDECIDED
    if probe.plane and probe.names:
        return _in_the_plane(probe, whole)
    return EQUAL


def _trusted(point: Point, counting: frozenset[str]) -> bool:
    """Variables that may stand for positive integers are ones here."""
    return all(is_whole(point[name]) and point[name] > 0 for name in counting)


def _places(probe: Probe, whole: frozenset[str]) -> Iterator[Point]:
    """Points of all kinds first, then along each variable through all places where something changes."""
    starts = bases(probe.names, whole)
    yield from starts if probe.names else [{}]
    watched = changes((probe.one, probe.other))
    for name in probe.names if watched else ():
        for base in starts[: 1 if len(probe.names) == 1 else SWEPT]:
            found = critical(probe.real, watched, name, base)
            found = steps(probe.real, (probe.one, probe.other), name, base, found)
            for place in around(probe.real, found, name in whole) if found else ():
                yield {**base, name: place}


def _in_the_plane(probe: Probe, whole: frozenset[str]) -> Comparison:
    """Equal for real variables: also for complex ones, if there are conjugates, parts or an i?"""
    context = probe.complex.context
    for point in islice(bases(probe.names, whole), 6):
        turned = {
            name: value
            if name in whole
            else context.mpc(probe.complex.lift(value), probe.complex.lift(1 + value / 3))
            for name, value in point.items()
        }
        one, other = (_attempt(probe.complex, node, turned) for node in (probe.one, probe.other))
        if isinstance(one, type) or isinstance(other, type):
            continue
        if probe.complex.difference(one, other) != 0:
            return DIFFERENT if set(probe.names) <= COMPLEX_NAMES else DOMAIN
    return EQUAL


def evaluated(node: Node, points: Iterable[Point]) -> list[Number]:
    """Its real values at those points where it has one."""
    numbers = Evaluation()
    found = [_attempt(numbers, node, point) for point in points]
    return [one for one in found if not isinstance(one, type) and numbers.is_real(one)]
