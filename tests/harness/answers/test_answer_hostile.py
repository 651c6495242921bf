"""Texts that mean harm: nothing in them is run, nothing takes long, and the verdict is never equal."""

import ast
import asyncio
from pathlib import Path

import harness.answers
from harness.answers import ANSWER_KINDS, AnswerKind, Checker, Comparison
from harness.together import together

PACKAGE = Path(harness.answers.__file__).parent
SECONDS = 30.0
MARK = "harmed-by-an-answer"
HOSTILE = {
    "a call": f"__import__('os').system('touch /tmp/{MARK}')",
    "an attribute": "().__class__.__bases__[0].__subclasses__()",
    "a lambda": "(lambda: 1)()",
    "a command of TeX": r"\input{/etc/passwd}",
    "a command that writes": r"\immediate\write18{id}",
    "a tower": "9**9**9**9",
    "a tower in LaTeX": r"10^{10^{10^{10}}}",
    "a factorial": "(10^9)!!",
    "factorials of factorials": "((((9!)!)!)!)!",
    "a binomial": r"\binom{10^{12}}{10^{11}}",
    "a long sum": r"\sum_{k=1}^{10^{12}} \frac{1}{k}",
    "sums in sums": r"\sum_{i=1}^{999} \sum_{j=1}^{999} \sum_{k=1}^{999} ijk",
    "an endless sum": r"\sum_{k=1}^{\infty} \frac{1}{k}",
    "a large exponent": "1e99999999",
    "nested braces": "{" * 10_000 + "}" * 10_000,
    "nested brackets": "(" * 3_000 + "x" + ")" * 3_000,
    "nested fractions": r"\frac{1}{" * 300 + "x" + "}" * 300,
    "a tower of names": "^".join("x" * 1_000),
    "many signs": "-" * 4_000 + "1",
    "a long row": "+".join(["x"] * 4_000),
    "a deep product": "(x+y)^9" * 400,
    "a wide matrix": r"\begin{pmatrix}" + "&".join(["1"] * 2_000) + r"\end{pmatrix}",
    "many plus-minus": "\\pm 1 " * 60,
    "many cases": r"\begin{cases}" + r"x & x<1 \\" * 200 + r"\end{cases}",
    "many roots": "sqrt(x+" * 40 + "1" + ")" * 40 + "=y",
    "NUL": "1\0",
    "control characters": "\x1b[2J1",
    "half a character": "\ud800",
    "right to left": "\u202e1",
    "very long": "x" * 200_000,
    "digits": "7" * 4_999,
    "nothing": "",
    "spaces": " \n\t ",
    "only brackets": "()[]{}",
    "a lone backslash": "\\",
}


Asked = tuple[str, str, AnswerKind]


def compared(pairs: list[Asked]) -> tuple[Comparison, ...]:
    """The verdicts of a checker with the usual two processes."""

    async def main() -> tuple[Comparison, ...]:
        async with Checker(seconds=SECONDS) as checker:
            return await together(checker.compare(*pair) for pair in pairs)

    return asyncio.run(main())


def test_hostile_texts_are_not_equal_to_anything_and_harm_nothing() -> None:
    """As answer and as reference, of every kind: a verdict in time, never equal, and nothing was run."""
    asked = {
        (name, kind, side): ((text, "1", kind) if side == "reference" else ("x+1", text, kind))
        for name, text in HOSTILE.items()
        for kind in ANSWER_KINDS
        for side in ("reference", "answer")
    }
    found = dict(zip(asked, compared(list(asked.values())), strict=True))
    assert not [(key, one) for key, one in found.items() if one.verdict == "equal" or one.how == "timeout"]
    assert not Path(f"/tmp/{MARK}").exists()


def test_no_source_file_here_can_run_a_text() -> None:
    """The package calls neither eval nor exec nor compile nor any parser that does."""
    banned = {"eval", "exec", "compile", "__import__", "sympify", "parse_expr", "lambdify", "getattr_static"}
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not names & banned, path


def test_digits_that_differ_at_the_end_are_different() -> None:
    """A long number is compared to its last digit."""
    number = "7" * 3_999
    assert compared([(number, number[:-1] + "8", "number")]) == (Comparison("different", "numeric"),)
