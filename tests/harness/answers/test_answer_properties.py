"""Random answers: rewritten ones are equal, changed ones are not, whatever the notation and the order."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from harness.answers.compare import compare

small = st.integers(-6, 6)
polynomials = st.lists(small, min_size=1, max_size=4)
rationals = st.fractions(min_value=-50, max_value=50, max_denominator=60)


def expanded(coefficients: list[int]) -> str:
    """The polynomial in x, constant last, in plain ASCII."""
    terms = [f"{one}*x^{power}" for power, one in enumerate(coefficients)]
    return " + ".join(f"({term})" for term in reversed(terms))


def nested(coefficients: list[int]) -> str:
    """The same polynomial by Horner's rule, in LaTeX."""
    text = "0"
    for one in reversed(coefficients):
        text = rf"\left({text}\right) x + {one}".replace("+ -", "- ")
    return text


def times(one: list[int], other: list[int]) -> list[int]:
    found = [0] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            found[i + j] += a * b
    return found


def shown(value: Fraction) -> str:
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"


@given(polynomials, polynomials)
def test_a_product_of_polynomials_equals_its_expansion(one: list[int], other: list[int]) -> None:
    """Factors in LaTeX, nested, against the expanded product in ASCII."""
    factors = rf"\left({nested(one)}\right)\left({nested(other)}\right)"
    assert compare(factors, expanded(times(one, other)), "expression").verdict == "equal"


@given(polynomials, st.integers(0, 3), st.integers(1, 3))
def test_a_polynomial_with_one_other_coefficient_is_different(
    coefficients: list[int], place: int, step: int
) -> None:
    """The smallest change of one coefficient is seen, in both orders."""
    changed = [*coefficients, 0, 0, 0, 0]
    changed[place] += step
    assert compare(nested(coefficients), expanded(changed), "expression").verdict == "different"
    assert compare(expanded(changed), nested(coefficients), "expression").verdict == "different"


@given(rationals, rationals)
def test_rational_numbers_are_compared_exactly(one: Fraction, other: Fraction) -> None:
    """Fractions and their sums agree with exact arithmetic."""
    text = f"{shown(one)} + {shown(other)}"
    assert compare(text, str(one + other), "number").verdict == "equal"
    assert compare(text, str(one + other + Fraction(1, 10**9)), "number").verdict == "different"


@given(st.lists(rationals, min_size=1, max_size=5), st.randoms())
def test_order_and_repetitions_in_a_set_do_not_matter(members: list[Fraction], random: object) -> None:
    """A shuffled set with a repeated member is the same; with a new member it is not."""
    shuffled = [*members, members[0]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # the strategy gives a random.Random
    one, other = (",".join(map(str, each)) for each in (members, shuffled))
    assert compare(rf"\{{{one}\}}", f"{{{other}}}", "set").verdict == "equal"
    assert compare(rf"\{{{one}\}}", f"{{{other}, 51}}", "set").verdict == "different"


@given(rationals, st.fractions(min_value=Fraction(1, 9), max_value=9, max_denominator=9), st.booleans())
def test_an_interval_is_its_inequality_and_no_other(low: Fraction, width: Fraction, closed: bool) -> None:
    """Bounds and whether they belong to it both count."""
    high = low + width
    interval = f"[{low}, {high}{']' if closed else ')'}"
    chain = f"{low} <= x {'<=' if closed else '<'} {high}"
    other = f"{low} <= x {'<' if closed else '<='} {high}"
    assert compare(interval, chain, "interval").verdict == "equal"
    assert compare(chain, interval, "inequality").verdict == "equal"
    assert compare(interval, other, "interval").verdict == "different"


@given(small, small, st.integers(1, 5))
def test_an_equation_and_its_multiple_are_equal(slope: int, shift: int, factor: int) -> None:
    """A line is the same after multiplying it, and another one after moving it."""
    line = f"y = {slope}x + {shift}".replace("+ -", "- ")
    multiple = f"{factor}y - ({factor * slope})x = {factor * shift}"
    moved = f"{factor}y - ({factor * slope})x = {factor * shift + 1}"
    assert compare(line, multiple, "equation").verdict == "equal"
    assert compare(moved, line, "equation").verdict == "different"


texts = st.text(alphabet=r"xy12+-*/^(){}[]|=<>,.\ ₂√≤eiπ!&%_'$", max_size=24)


@given(texts, texts, st.sampled_from(["number", "expression", "equation", "set", "interval", "piecewise"]))
def test_any_text_gets_a_verdict_that_does_not_depend_on_the_order(one: str, other: str, kind: str) -> None:
    """Whatever is written, nothing is raised, and a verdict is the same both ways round."""
    forward = compare(one, other, kind)  # type: ignore[arg-type]  # a sampled kind
    assert forward.verdict == compare(other, one, kind).verdict  # type: ignore[arg-type]  # a sampled kind
