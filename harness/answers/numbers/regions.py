"""Comparing where statements hold: solution sets of equations and inequalities, intervals, sets of numbers.

Along each variable, with the others at chosen values, both are looked at where anything in them changes, between these
places, and beyond them. For one variable that is a decomposition into cells; for several it is many lines through space.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from harness.answers.numbers.arithmetic import Number, TooHard
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
from harness.answers.numbers.probing import DIFFERENT, DOMAIN, EQUAL, MOST_DIGITS, UNDECIDED, evaluated
from harness.answers.numbers.zeros import complex_zeros, different, quotient
from harness.answers.tree import Node, divide, free, minus, mul, walk
from harness.answers.verdicts import Comparison

LINES = 6
ENOUGH = 8
FAINT = 10**-30
ORIGINS = 5


@dataclass
class Survey:
    """Two truths over the same variables, and what happens along their lines. positive: only where all of them are.

    curve: they are equations in several variables. For those PV = nRT and P = nRT/V are the same, although of the second
    nothing can be said at V = 0.
    """

    one: Node
    other: Node
    positive: bool
    numbers: Evaluation = field(default_factory=Evaluation)

    def __post_init__(self) -> None:
        self.names = sorted(free(self.one) | free(self.other))
        self.watched = changes((self.one, self.other))
        self.whole = counted((self.one, self.other), conditions=False)
        signs = {one.name for tree in (self.one, self.other) for one in walk(tree) if one.head == "rel"}
        self.curve = signs == {"="} and len(self.names) > 1

    def starts(self) -> list[dict[str, Number]]:
        found = bases(self.names, self.whole)
        if self.positive:
            return [one for one in found if all(value > 0 for value in one.values())]
        return found[:1] if len(self.names) == 1 else [*found[:LINES], *found[-ORIGINS:-2]]

    def points(self) -> Iterator[tuple[Point, bool]]:
        """Points, and whether a difference there counts: not between integers, if the variable may run over those."""
        if not self.names:
            yield {}, True
        for base in self.starts() if self.names else ():
            for name in self.names:
                found = critical(self.numbers, self.watched, name, base)
                found = [Fraction(0), *(one for one in found if one > 0)] if self.positive else found
                found = steps(self.numbers, (self.one, self.other), name, base, found)
                counting = bool(may_count([name])) and all(map(is_whole, found))
                places = around(self.numbers, found, name in self.whole)
                for place in [*places, *(around(self.numbers, found, True) if counting else ())]:
                    if self.positive and place <= 0:
                        continue
                    yield {**base, name: place}, is_whole(place) or not counting

    def at(self, point: Point) -> tuple[bool, bool, bool]:
        """Truth of the one, truth of the other, and whether both are beyond doubt."""
        numbers = self.numbers
        numbers.ambiguous, numbers.undefined, numbers.tiny = False, False, 0
        one, other = numbers.truth(self.one, point), numbers.truth(self.other, point)
        if numbers.undefined and self.curve:
            return False, False, True
        if not numbers.tiny:
            return one, other, not numbers.ambiguous
        finer = Evaluation(min(numbers.tiny * 3 // 2, MOST_DIGITS))
        one, other = finer.truth(self.one, point), finer.truth(self.other, point)
        return one, other, not (finer.ambiguous or finer.tiny > finer.digits)


def same_region(one: Node, other: Node, solved: bool, positive: bool = False) -> Comparison:
    """Whether two truths hold at the same places. solved: to hold everywhere, or nowhere, is an answer, too.

    positive: look only where all variables are.
    """
    survey = Survey(one, other, positive)
    try:
        found = _judged(survey, solved)
        return UNDECIDED if found.verdict == "equal" and (_fragile(one) or _fragile(other)) else found
    except TooHard:
        return UNDECIDED


def _fragile(node: Node) -> bool:
    """Whether it holds a constant such as sqrt(2) + 1/2004!, whose smallest part no place that is looked at can show."""
    if node.head == "add" and not free(node):
        sizes = [abs(Evaluation().lift(one)) for part in node.args for one in evaluated(part, [{}])]
        return any(0 < size < max(sizes) * FAINT for size in sizes)
    return any(map(_fragile, node.args))


def _judged(survey: Survey, solved: bool) -> Comparison:
    if len(survey.names) > 1 and _proportional(survey):
        return EQUAL
    seen: set[bool] = set()
    doubtful = False
    for point, counts in survey.points():
        one, other, certain = survey.at(point)
        seen |= {one, other}
        if one != other and certain and counts:
            return DIFFERENT
        doubtful = doubtful or one != other or not certain
    if doubtful:
        return DOMAIN
    if len(seen) < 2 and survey.names and not (solved and len(survey.names) == 1):
        return EQUAL if _proportional(survey) else UNDECIDED
    return EQUAL if _same_complex_zeros(survey) else DOMAIN


def _proportional(survey: Survey) -> bool:
    """Whether one relation is the other times a constant, positive unless they are equations, and both are smooth."""
    if any(changes(one.args) for one in (survey.one, survey.other)):
        return False
    sides = [_side(one) for one in (survey.one, survey.other)]
    if sides[0] is None or sides[1] is None or sides[0][0] != sides[1][0]:
        return False
    points = bases(survey.names, survey.whole)
    found = evaluated(divide(sides[0][1], sides[1][1]), points)
    numbers = Evaluation()
    if len(found) < ENOUGH or any(numbers.difference(one, found[0]) != 0 for one in found):
        return False
    return bool(found[0] > 0 or (sides[0][0] == "=" and found[0] != 0))


def _side(node: Node) -> tuple[str, Node] | None:
    """A relation as its sign, never > or >=, and what is on the left when the right is 0."""
    if node.head != "rel":
        return None
    left, right = node.args
    return (node.name.replace(">", "<"), minus(right, left) if node.name[0] == ">" else minus(left, right))


def _same_complex_zeros(survey: Survey) -> bool:
    """Of two equations with the same real solutions: whether the others are the same, as far as they are polynomials."""
    gaps = [_gap(one) for one in (survey.one, survey.other)]
    if gaps[0] is None or gaps[1] is None:
        return True
    for base in survey.starts()[:3]:
        for name in survey.names:
            one, other = (_zeros_of(survey.numbers, gap, name, base) for gap in gaps if gap is not None)
            if one is not None and other is not None and not _same_numbers(survey.numbers, one, other):
                return False
            if (one is None) != (other is None) and all(_polynomial(gap) for gap in gaps if gap is not None):
                return False  # one of them is of a degree too high to say
    return True


def _polynomial(node: Node) -> bool:
    plain = all(one.head in ("num", "sym", "const", "add", "mul", "pow") for one in walk(node))
    return plain and all(one.args[1].head == "num" for one in walk(node) if one.head == "pow")


def _gap(node: Node) -> Node | None:
    """What is zero where an equation holds, or any of several; None if it is something else."""
    if node.head == "or":
        gaps = [_gap(one) for one in node.args]
        return None if None in gaps else mul(*(one for one in gaps if one is not None))
    return minus(*node.args) if node.head == "rel" and node.name == "=" else None


def _zeros_of(numbers: Evaluation, node: Node, name: str, base: Point) -> list[Number] | None:
    """Zeros in the variable that are not real; None if the node is no ratio of polynomials in it."""
    ratio = quotient(numbers, node, name, base)
    return (
        None
        if ratio is None
        else [one for one in complex_zeros(numbers, ratio[0]) if not numbers.is_real(one)]
    )


def _same_numbers(numbers: Evaluation, one: list[Number], other: list[Number]) -> bool:
    return len(one) == len(other) == len(different(numbers, [*one, *other]))
