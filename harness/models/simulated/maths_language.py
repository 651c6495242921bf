"""The English of the simulated maths problems, written and read.

Challenger, solvers and verifier share this language and the arithmetic, nothing else: who solves a problem has read it.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from harness.models.simulated import maths_algebra as algebra
from harness.models.simulated.maths_algebra import Poly
from harness.models.simulated.maths_notation import fraction, matrix_text, polynomial
from harness.models.simulated.maths_problems import Definition, Problem, solve

FALLBACK = Fraction(1)  # what is assumed for a symbol that is not given
LONGEST_CHAIN = 40
_FRACTION = r"-?(?:\d{1,12}|\\frac\{\d{1,12}\}\{\d{1,12}\})"
_TERM = re.compile(r"([+-]?) ?(\d{1,12}|\\frac\{\d{1,12}\}\{\d{1,12}\})?(x)?(?:\^([2-9]))?")
_DEFINITION = re.compile(r"Let \$([a-z])_(\d{1,2})\(x\) = ([^$]+)\$")
_RIGHT: Mapping[str, re.Pattern[str]] = {
    "derivative": re.compile(r"[a-z]_(?P<one>\d{1,2})'\(x\)"),
    "shift": re.compile(r"[a-z]_(?P<one>\d{1,2})\(x (?P<sign>[+-]) (?P<number>\d{1,6}|[a-z])\)"),
    "reflect": re.compile(r"[a-z]_(?P<one>\d{1,2})\(-x\)"),
    "affine": re.compile(
        r"(?P<factor>-?\d{1,6})[a-z]_(?P<one>\d{1,2})\(x\) (?P<sign>[+-]) (?P<number>\d{1,6})"
    ),
    "times": re.compile(r"\(x (?P<sign>[+-]) (?P<number>\d{1,6})\)[a-z]_(?P<one>\d{1,2})\(x\)"),
    "sum": re.compile(r"[a-z]_(?P<one>\d{1,2})\(x\) \+ [a-z]_(?P<other>\d{1,2})\(x\)"),
}
_ASKED: Mapping[str, re.Pattern[str]] = {
    "value": re.compile(rf"exact value of \$[a-z]_\d+\((?P<low>{_FRACTION})\)\$"),
    "integral": re.compile(
        rf"exact value of \$\\int_\{{(?P<low>{_FRACTION})\}}\^\{{(?P<high>{_FRACTION})\}} [a-z]_\d+\(x\)"
    ),
    "expand": re.compile(r"\$[a-z]_\d+\(x\)\$ in expanded form"),
    "tangent": re.compile(rf"tangent to the curve \$y = [a-z]_\d+\(x\)\$ at \$x = (?P<low>{_FRACTION})\$"),
    "bound": re.compile(r"does \$[a-z]_\d+\(x\) = c\$ have two distinct real solutions"),
    "between": re.compile(rf"interval of all real \$x\$ with \$[a-z]_\d+\(x\) [<>] (?P<low>{_FRACTION})\$"),
    "solve": re.compile(rf"set of all real solutions of \$[a-z]_\d+\(x\) = (?P<low>{_FRACTION})\$"),
    "cases": re.compile(
        rf"\$\|[a-z]_\d+\(x\) - \((?P<low>{_FRACTION})\)\|\$ written as a piecewise function"
    ),
    "matrix": re.compile(
        r"A = \\begin\{pmatrix\} (-?\d{1,9}) & (-?\d{1,9}) \\\\ (-?\d{1,9}) & (-?\d{1,9}) \\end\{pmatrix\}\$, what is"
    ),
}


def text(problem: Problem) -> str:
    """Definitions and question in words."""
    told = " ".join(_told(problem.letter, n, one) for n, one in enumerate(problem.chain))
    return f"{told} {_question(problem)}"


def _told(letter: str, number: int, one: Definition) -> str:
    before, other = f"{letter}_{one.one}", f"{letter}_{one.other}"
    sign = "-" if one.number < 0 else "+"
    amount = one.symbol or abs(one.number)
    right = {
        "given": polynomial(one.given),
        "derivative": f"{before}'(x)",
        "shift": f"{before}(x {sign} {amount})",
        "reflect": f"{before}(-x)",
        "affine": f"{one.factor}{before}(x) {sign} {amount}",
        "times": f"(x {sign} {amount}){before}(x)",
        "sum": f"{before}(x) + {other}(x)",
    }[one.op]
    usual = f", with the usual shift ${one.symbol}$" if one.symbol else ""
    return f"Let ${letter}_{number}(x) = {right}${usual}."


def _question(problem: Problem) -> str:
    last = f"{problem.letter}_{len(problem.chain) - 1}"
    low, high = fraction(problem.low), fraction(problem.high)
    sign = "<" if solve(problem, lambda one: one).upwards else ">"
    return {
        "value": rf"What is the exact value of ${last}({low})$?",
        "integral": rf"What is the exact value of $\int_{{{low}}}^{{{high}}} {last}(x)\,dx$?",
        "expand": f"What is ${last}(x)$ in expanded form?",
        "tangent": f"What is an equation of the tangent to the curve $y = {last}(x)$ at $x = {low}$?",
        "bound": f"For which real $c$, written as one inequality, does ${last}(x) = c$ have two distinct real solutions?",
        "between": f"What is the interval of all real $x$ with ${last}(x) {sign} {low}$?",
        "solve": f"What is the set of all real solutions of ${last}(x) = {low}$?",
        "cases": f"How is $|{last}(x) - ({low})|$ written as a piecewise function without absolute values?",
        "matrix": f"With $A = {matrix_text(problem.matrix)}$, what is the matrix ${last}(A)$?",
    }[problem.asked]


@lru_cache(maxsize=1024)
def read(question: str) -> Problem | None:
    """The problem in a text; None if it is not in this language, or has no answer."""
    try:
        problem = _problem(question)
        if problem is not None:
            solve(problem, lambda one: one)
    except (ValueError, IndexError, ZeroDivisionError):
        return None
    return problem


def _problem(question: str) -> Problem | None:
    """The problem, whether or not it has an answer."""
    chain = _chain(question)
    asked = next(((name, found) for name, form in _ASKED.items() if (found := form.search(question))), None)
    if not chain or asked is None:
        return None
    name, found = asked
    problem = Problem(_DEFINITION.findall(question)[0][0], chain, name)
    if name == "matrix":
        a, b, c, d = map(Fraction, found.groups())
        return replace(problem, matrix=((a, b), (c, d)))
    numbers = {key: number_in(text) for key, text in found.groupdict().items()}
    return replace(problem, low=numbers.get("low", problem.low), high=numbers.get("high", problem.high))


def _chain(question: str) -> tuple[Definition, ...]:
    """The definitions, each of which may use those before it; () if one does not."""
    chain: list[Definition] = []
    for _, number, right in _DEFINITION.findall(question)[:LONGEST_CHAIN]:
        one = _definition(right)
        known = one is not None and (one.op == "given" or max(one.one, one.other) < len(chain))
        if one is None or not known or int(number) != len(chain):
            return ()
        chain.append(one)
    return tuple(chain)


def _definition(right: str) -> Definition | None:
    """The right side of a definition."""
    for op, form in _RIGHT.items():
        if found := form.fullmatch(right):
            parts = found.groupdict()
            amount = parts.get("number") or "0"
            number = Fraction(amount) if amount.isdigit() else FALLBACK
            return Definition(
                op,
                int(parts["one"]),
                int(parts.get("other") or 0),
                -number if parts.get("sign") == "-" else number,
                Fraction(parts.get("factor") or 1),
                symbol="" if amount.isdigit() else amount,
            )
    given = polynomial_in(right)
    return Definition("given", given=given) if given else None


def number_in(text: str) -> Fraction:
    """An integer or a LaTeX fraction."""
    found = [Fraction(one) for one in re.findall(r"\d+", text)]
    size = found[0] / found[1] if len(found) == 2 else found[0]
    return -size if text.startswith("-") else size


def polynomial_in(text: str) -> Poly:
    """A polynomial in x, written out; () if the text is none."""
    coefficients: dict[int, Fraction] = {}
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if not found or not (found[2] or found[3]) or (at and not found[1]):
            return ()
        power = int(found[4] or 1) if found[3] else 0
        size = number_in(found[2]) if found[2] else Fraction(1)
        coefficients[power] = coefficients.get(power, Fraction(0)) + (-size if found[1] == "-" else size)
        at = found.end() + (text[found.end() : found.end() + 1] == " ")
    return algebra.trimmed(
        [coefficients.get(n, Fraction(0)) for n in range(max(coefficients, default=-1) + 1)]
    )
