"""When two expressions are the same, usage apart: unknown functions, constants of integration, units, decimals."""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import permutations

from harness.answers.kinds.meaning import infinite
from harness.answers.numbers.arithmetic import NoValue, TooHard
from harness.answers.numbers.numeric import Evaluation
from harness.answers.numbers.places import bases
from harness.answers.numbers.probing import DIFFERENT, DOMAIN, EQUAL, UNDECIDED, evaluated, same_value
from harness.answers.tree import Node, divide, free, minus, number, opaque, power, substitute, symbol, walk
from harness.answers.verdicts import Comparison

READING = Comparison("unknown", "reading")
ROUNDED = Comparison("unknown", "rounded")

ARBITRARY = re.compile(r"[ABCDK](?:_\w+)?|c_\w+")
ABSORBING = re.compile(r"[CK](?:_\w+)?|c_\w+")
"""Names that constants have; those of integration may have taken up a term or a factor."""
MOST_CONSTANTS = 3
STYLE = re.compile(r"(?:vec|sf|cal|frak|bb):")
"""Ways to set a symbol that are not always kept up; a hat, a bar or a dot makes another one of it."""
FIGURES = 6
"""From so many figures on, a decimal that rounds the other value correctly is for a model to judge."""


def same_expression(one: Node, other: Node, piecewise: bool = False) -> Comparison:
    """Whether two expressions are the same, usage apart: names that are unknown functions, constants of integration,
    percent and degrees, decimals."""
    ends = (infinite(one), infinite(other))
    if any(ends):
        return EQUAL if ends[0] == ends[1] else DIFFERENT
    found = same_value(one, other, piecewise)
    if found.verdict != "different":
        return found
    return next((excuse for rule in EXCUSES if (excuse := rule(one, other)) is not None), found)


def _opaque(one: Node, other: Node) -> Comparison | None:
    """Of other unknown functions on each side nothing can be told."""
    return UNDECIDED if opaque(one) != opaque(other) else None


def _styled(one: Node, other: Node) -> Comparison | None:
    """v for a bold v may be the same."""
    names = [sorted(free(each)) for each in (one, other)]
    plain = [sorted({STYLE.sub("", name) for name in each}) for each in names]
    return READING if names[0] != names[1] and plain[0] == plain[1] else None


def _positive(one: Node, other: Node) -> Comparison | None:
    """Where all variables are positive they agree, and nothing speaks of negative ones: sigma for the root of its square."""
    names = sorted(free(one) | free(other))
    if not names or has_head(one, "cases") or has_head(other, "cases") or has_size(one) or has_size(other):
        return None
    roots = {name: power(symbol(name), number(2)) for name in names}
    return DOMAIN if same_value(substitute(one, roots), substitute(other, roots)).verdict == "equal" else None


def has_size(node: Node) -> bool:
    return any(one.head == "call" and one.name in ("abs", "sign", "max", "min") for one in walk(node))


def _integrated(one: Node, other: Node) -> Comparison | None:
    """Both have constants of integration, and such constants can make up the difference."""
    constants = [sorted(name for name in free(each) if ARBITRARY.fullmatch(name)) for each in (one, other)]
    if not constants[0] or len(constants[0]) != len(constants[1]) or len(constants[0]) > MOST_CONSTANTS:
        return None
    for order in permutations(constants[0]):
        renamed = substitute(other, dict(zip(constants[1], map(symbol, order), strict=True)))
        if same_value(one, renamed).verdict == "equal" or _absorbed(one, renamed, order):
            return READING
    return None


def _absorbed(one: Node, other: Node, constants: Sequence[str]) -> bool:
    """Whether the two differ by a term or a factor that a constant of integration may have taken up."""
    if not all(map(ABSORBING.fullmatch, constants)):
        return False
    others = sorted((free(one) | free(other)) - set(constants))
    return not all(_depends(gap, others, constants) for gap in (minus(one, other), divide(one, other)))


def _depends(node: Node, names: Sequence[str], fixed: Sequence[str]) -> bool:
    """Whether the value changes with `names` while those of `fixed` stay; True if that cannot be told."""
    kept = dict.fromkeys(fixed, Fraction(7, 3))
    found = evaluated(node, [{**point, **kept} for point in bases(names, frozenset())[:8]])
    numbers = Evaluation()
    return len(found) < 3 or any(numbers.difference(one, found[0]) != 0 for one in found[1:])


def _in_units(one: Node, other: Node) -> Comparison | None:
    """50 % and 50, 90 degrees and 90: one of them may leave out the unit."""
    for unit in ("percent", "degree"):
        bare, unitless = _without(one, unit), _without(other, unit)
        if (bare != one) != (unitless != other) and same_value(bare, unitless).verdict == "equal":
            return READING
    return None


def _without(node: Node, unit: str) -> Node:
    if node.head == unit:
        return node.args[0]
    return Node(node.head, tuple(_without(one, unit) for one in node.args), node.name, node.value, node.text)


def _rounded(one: Node, other: Node) -> Comparison | None:
    """A decimal of some length that is the other value correctly rounded or cut off."""
    for decimal, exact in ((one, other), (other, one)):
        places = _places_of(decimal)
        gap = evaluated(minus(decimal, exact), [{}]) if places and not free(exact) else []
        if gap and abs(Evaluation().lift(gap[0])) * 10**places < 1:
            return ROUNDED
    return None


def _places_of(node: Node) -> int:
    """Decimal places of a decimal number that has enough figures to be an approximation; 0 of anything else."""
    figures = node.text.replace(".", "").lstrip("0")
    return len(node.text.partition(".")[2]) if node.head == "num" and len(figures) >= FIGURES else 0


EXCUSES: tuple[Callable[[Node, Node], Comparison | None], ...] = (
    _opaque,
    _styled,
    _integrated,
    _in_units,
    _rounded,
    _positive,
)


def computable(node: Node) -> bool:
    """Whether a value without variables can be worked out at all."""
    for real in (True, False):
        try:
            Evaluation(real=real).value(node, {})
        except NoValue:
            continue
        except TooHard:
            return False
        return True
    return False


def has_head(node: Node, *heads: str) -> bool:
    return any(one.head in heads for one in walk(node))
