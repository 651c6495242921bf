"""The value of a tree, and the truth of a relation, at a point. No symbolic work, no texts."""

from collections.abc import Callable, Mapping
from fractions import Fraction

from harness.answers.numbers.arithmetic import Arithmetic, NotCovered, NoValue, Number, TooHard, Undefined
from harness.answers.numbers.elementary import apply
from harness.answers.tree import Node

MOST_STEPS = 120_000
LONGEST_TOTAL = 1_000
Point = Mapping[str, Number]


class Evaluation(Arithmetic):
    """Arithmetic that walks trees; see there for what `digits`, `real` and the flags are. One for each comparison."""

    def __init__(self, digits: int = 80, real: bool = True, snapping: bool = True) -> None:
        super().__init__(digits, real, snapping)
        self.steps = 0

    def value(self, node: Node, point: Point) -> Number:
        """The node's value where its variables have these values.

        Raises:
            NoValue: it has none, see the branches of that.
            TooHard: it takes too much work.
        """
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooHard("too many steps")
        return VALUES[node.head](self, node, point)

    def truth(self, node: Node, point: Point) -> bool:
        """Whether the relation holds there; where a side of it has no value, it does not."""
        return TRUTHS[node.head](self, node, point)


def _symbol(numbers: Evaluation, node: Node, point: Point) -> Number:
    found = point[node.name]
    return found if isinstance(found, Fraction) else numbers.context.convert(found)


def _constant(numbers: Evaluation, node: Node, point: Point) -> Number:
    if node.name == "oo":
        raise Undefined
    if node.name == "i":
        return numbers.context.mpc(0, 1)
    return +getattr(numbers.context, node.name)


def _add(numbers: Evaluation, node: Node, point: Point) -> Number:
    return numbers.total([numbers.value(one, point) for one in node.args])


def _mul(numbers: Evaluation, node: Node, point: Point) -> Number:
    return numbers.product([numbers.value(one, point) for one in node.args])


def _pow(numbers: Evaluation, node: Node, point: Point) -> Number:
    base, exponent = (numbers.value(one, point) for one in node.args)
    return numbers.power(base, exponent)


def _root(numbers: Evaluation, node: Node, point: Point) -> Number:
    radicand, degree = (numbers.value(one, point) for one in node.args)
    if degree == 0:
        raise Undefined
    reciprocal = Fraction(1) / degree if isinstance(degree, Fraction) else 1 / degree
    return numbers.power(radicand, reciprocal, rooted=True)


def _call(numbers: Evaluation, node: Node, point: Point) -> Number:
    return apply(numbers, node.name, [numbers.value(one, point) for one in node.args])


def _cases(numbers: Evaluation, node: Node, point: Point) -> Number:
    for piece in node.args:
        value, condition = piece.args
        if numbers.truth(condition, point):
            return numbers.value(value, point)
    raise NotCovered


def _total(numbers: Evaluation, node: Node, point: Point) -> Number:
    body, *bounds = node.args
    if any(one == Node("const", name="oo") for one in bounds):
        raise TooHard("an infinite sum")
    low, high = (numbers.whole(numbers.value(one, point)) for one in bounds)
    if low is None or high is None:
        raise Undefined
    if high - low > LONGEST_TOTAL:
        raise TooHard("a long sum")
    terms = [numbers.value(body, {**point, node.name: Fraction(k)}) for k in range(low, high + 1)]
    return numbers.total([Fraction(0), *terms]) if node.head == "sum" else numbers.product(terms)


def _percent(numbers: Evaluation, node: Node, point: Point) -> Number:
    return numbers.product([numbers.value(node.args[0], point), Fraction(1, 100)])


def _degree(numbers: Evaluation, node: Node, point: Point) -> Number:
    return numbers.product([numbers.value(node.args[0], point), numbers.context.pi / 180])


def _relation(numbers: Evaluation, node: Node, point: Point) -> bool:
    try:
        left, right = (numbers.value(one, point) for one in node.args)
        gap = numbers.difference(left, right)
    except NoValue as reason:
        numbers.undefined = numbers.undefined or isinstance(reason, Undefined)
        return False
    if not numbers.is_real(gap):
        return node.name == "!="
    return COMPARED[node.name](gap)


def _integer(numbers: Evaluation, node: Node, point: Point) -> bool:
    try:
        return numbers.whole(numbers.value(node.args[0], point)) is not None
    except NoValue:
        return False


def _real(numbers: Evaluation, node: Node, point: Point) -> bool:
    try:
        return numbers.is_real(numbers.value(node.args[0], point))
    except NoValue:
        return False


def _congruent(numbers: Evaluation, node: Node, point: Point) -> bool:
    try:
        left, right, modulus = (numbers.whole(numbers.value(one, point)) for one in node.args)
    except NoValue:
        return False
    return None not in (left, right) and bool(modulus) and (left - right) % modulus == 0  # type: ignore[operator]  # not None


def _not(numbers: Evaluation, node: Node, point: Point) -> bool:
    return not numbers.truth(node.args[0], point)


COMPARED: dict[str, Callable[[Number], bool]] = {
    "=": lambda gap: bool(gap == 0),
    "!=": lambda gap: bool(gap != 0),
    "<": lambda gap: bool(gap < 0),
    "<=": lambda gap: bool(gap <= 0),
    ">": lambda gap: bool(gap > 0),
    ">=": lambda gap: bool(gap >= 0),
}
VALUES: dict[str, Callable[[Evaluation, Node, Point], Number]] = {
    "num": lambda numbers, node, point: node.value,
    "sym": _symbol,
    "opaque": _symbol,
    "const": _constant,
    "add": _add,
    "mul": _mul,
    "pow": _pow,
    "root": _root,
    "call": _call,
    "cases": _cases,
    "sum": _total,
    "prod": _total,
    "percent": _percent,
    "degree": _degree,
}
"""The heads of arithmetic; a tree of other heads has no value."""

TRUTHS: dict[str, Callable[[Evaluation, Node, Point], bool]] = {
    "true": lambda numbers, node, point: True,
    "false": lambda numbers, node, point: False,
    "rel": _relation,
    "integer": _integer,
    "real": _real,
    "congruent": _congruent,
    "not": _not,
    "and": lambda numbers, node, point: all(numbers.truth(one, point) for one in node.args),
    "or": lambda numbers, node, point: any(numbers.truth(one, point) for one in node.args),
}
