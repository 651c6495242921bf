"""The verdicts on pairs of answers in pairs/<kind>.txt: `verdict ;; one answer ;; another`, compared in both orders.

In a row, `\\n-` stands for a line end and a minus. Rows that expect `unknown` are pairs on which people who do not know
the question disagree, or which need more than values; they are kept few.
"""

import asyncio
from pathlib import Path

from harness.answers import ANSWER_KINDS, AnswerKind, Checker
from harness.together import together

PAIRS = Path(__file__).resolve().parent / "pairs"
UNKNOWN_SHARE = 0.05
SECONDS = 120.0  # of a machine that does other things as well; a comparison takes some ten milliseconds
Row = tuple[str, str, str]


def rows(kind: AnswerKind) -> list[Row]:
    """Expected verdict and both answers of each row."""
    lines = (PAIRS / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
    found = [tuple(line.split(" ;; ")) for line in lines]
    return [
        (verdict, one.replace("\\n-", "\n-"), other.replace("\\n-", "\n-")) for verdict, one, other in found
    ]


Asked = tuple[AnswerKind, str, str]


def verdicts(pairs: list[Asked]) -> list[str]:
    """The verdicts on these pairs, each in both orders, as one word if the orders agree."""

    async def compare(checker: Checker, kind: AnswerKind, one: str, other: str) -> str:
        found = {(await checker.compare(*order, kind)).verdict for order in ((one, other), (other, one))}
        return " or ".join(sorted(found))

    async def main() -> list[str]:
        async with Checker(seconds=SECONDS) as checker:
            return list(await together(compare(checker, *pair) for pair in pairs))

    return asyncio.run(main())


def test_every_pair_has_its_verdict_in_both_orders() -> None:
    """No false equal, no false different, and the order of the two answers does not matter."""
    expected = [(kind, *row) for kind in ANSWER_KINDS for row in rows(kind)]
    found = verdicts([(kind, one, other) for kind, _, one, other in expected])
    assert not [(row, verdict) for row, verdict in zip(expected, found, strict=True) if row[1] != verdict]


def test_the_table_is_large_and_rarely_undecided() -> None:
    """It has many near misses, every kind, and few pairs that are left to a model."""
    verdicts = {kind: [verdict for verdict, _, _ in rows(kind)] for kind in ANSWER_KINDS}
    every = [verdict for of_kind in verdicts.values() for verdict in of_kind]
    assert all({"equal", "different"} <= set(of_kind) for of_kind in verdicts.values())
    assert every.count("different") > 250
    assert every.count("unknown") <= UNKNOWN_SHARE * len(every)


MEASURED: list[tuple[AnswerKind, str, str, str]] = [
    ("matrix", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{bmatrix}1&2\\3&4\end{bmatrix}", "equal"),
    ("interval", "(0,1]", "0<x<=1", "equal"),
    ("inequality", "(0,1]", "0<x<=1", "equal"),
    ("equation", "y=2x+1", "2y=4x+2", "equal"),
    (
        "piecewise",
        r"\begin{cases}x&x\ge0\\-x&x<0\end{cases}",
        r"\begin{cases}-x&x<0\\x&x\ge0\end{cases}",
        "equal",
    ),
    ("piecewise", r"\begin{cases}x&x\ge0\\-x&x<0\end{cases}", "|x|", "equal"),
    ("number", "1/2004!", "1/2006!", "different"),
    ("expression", r"\sum_{k=0}^{n-1} e^{2\pi i k/n}", r"\sum_{j=0}^{n-1} e^{2\pi i j/n}", "equal"),
    ("set", "{1,2,3}", "{3,2,1}", "equal"),
    ("expression", r"\sin^2 x", r"1-\cos^2 x", "equal"),
    ("inequality", "x<3", "3>x", "equal"),
]


def test_what_a_symbolic_library_was_measured_to_get_wrong() -> None:
    """The rows of a table of mistakes of math-verify 0.9.0 come out right here, in both orders."""
    assert verdicts([(kind, one, other) for kind, one, other, _ in MEASURED]) == [row[3] for row in MEASURED]
