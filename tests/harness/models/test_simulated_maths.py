"""The simulated maths world: true answers, read from the text alone, in many notations, and solvers that slip."""

import asyncio
import random
from collections import Counter
from fractions import Fraction

import pytest
from maths_play import (
    PLAIN,
    challenge,
    drawn,
    exactly,
    solved,
    task,
    written,
)

from harness.answers import Checker, final_answer
from harness.domains.math import read
from harness.models.simulated import (
    maths,
    maths_algebra,
    maths_language,
)
from harness.models.simulated import maths_problems as world
from harness.models.simulated.maths_notation import fraction, plain, polynomial, surd, varied
from harness.models.simulated.maths_solvers import slipping


@pytest.mark.parametrize("seed", range(60))
def test_a_problem_is_read_as_it_was_written(seed: int) -> None:
    """From the text alone the same answer follows, in the same number of steps."""
    problem, _ = drawn(seed)
    found = maths_language.read(maths_language.text(problem))
    assert found is not None and exactly(found) == exactly(problem) and found.steps == problem.steps


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Let $p_0(x) = x^2 - 5x + 6$. What is the set of all real solutions of $p_0(x) = 0$?", r"\{2, 3\}"),
        ("Let $p_0(x) = x^3$. Let $p_1(x) = p_0'(x)$. What is the exact value of $p_1(\\frac{1}{3})$?", r"\frac{1}{3}"),
        ("Let $p_0(x) = x^2$. What is the exact value of $\\int_{0}^{1} p_0(x)\\,dx$?", r"\frac{1}{3}"),
        ("Let $p_0(x) = x^2$. Let $p_1(x) = p_0(x - 1)$. What is $p_1(x)$ in expanded form?", "x^2 - 2x + 1"),
        ("Let $p_0(x) = x^2$. What is an equation of the tangent to the curve $y = p_0(x)$ at $x = 3$?", "y = 6x - 9"),
        ("Let $p_0(x) = 2x^2 + x$. For which real $c$, written as one inequality, does $p_0(x) = c$ have two distinct real "
         "solutions?", r"c > -\frac{1}{8}"),
        ("Let $p_0(x) = x^2 - 2x$. What is the interval of all real $x$ with $p_0(x) < 1$?",
         r"(1 - \sqrt{2}, 1 + \sqrt{2})"),
        ("Let $p_0(x) = x^2 + 1$. With $A = \\begin{pmatrix} 0 & 1 \\\\ -1 & 0 \\end{pmatrix}$, what is the matrix "
         "$p_0(A)$?",
         r"\begin{pmatrix} 0 & 0 \\ 0 & 0 \end{pmatrix}"),
        ("Let $p_0(x) = x^2$. How is $|p_0(x) - (4)|$ written as a piecewise function without absolute values?",
         r"\begin{cases} x^2 - 4, & x \le -2 \\ -x^2 + 4, & -2 < x < 2 \\ x^2 - 4, & x \ge 2 \end{cases}"),
    ],
)  # fmt: skip
def test_answers_are_true(text: str, answer: str) -> None:
    """Problems worked out by hand, one of each question."""
    problem = maths_language.read(text)
    assert problem is not None and plain(exactly(problem)) == answer


def test_every_kind_of_object_is_written() -> None:
    """Over many draws all eight kinds occur, and each question asks for the kind it is known for."""
    kinds = {example.answer_kind for example in written(challenge(), 200)}
    assert kinds == set(world.KINDS.values()) and len(kinds) == 8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What is the set of all real solutions of $p_0(x) = 0$?",
        "Let $p_0(x) = p_1(x + 1)$. What is $p_0(x)$ in expanded form?",
        "Let $p_0(x) = x$. Let $p_1(x) = p_7'(x)$. What is $p_1(x)$ in expanded form?",
        "Let $p_0(x) = x^3$. What is the set of all real solutions of $p_0(x) = 1$?",
        "Let $p_0(x) = 5$. For which real $c$ does $p_0(x) = c$ have two distinct real solutions?",
        "Let $p_0(x) = \\frac{1}{0}x$. What is $p_0(x)$ in expanded form?",
        "Let $p_0(x) = x^99999999$. What is $p_0(x)$ in expanded form?",
    ],
)
def test_what_is_not_in_the_language_is_no_problem(text: str) -> None:
    """A text that is not a whole problem is not taken for one, and a solver still says something."""
    assert maths_language.read(text) is None
    assert final_answer(maths.reply("weak", text, random.Random(3)))


def test_numbers_are_written_and_read() -> None:
    """Fractions, polynomials and roots are written the usual way and read back."""
    assert [fraction(Fraction(*one)) for one in ((3,), (-1, 2))] == ["3", r"-\frac{1}{2}"]
    one = (Fraction(-1), Fraction(0), Fraction(1, 2), Fraction(-1))
    assert (
        polynomial(one) == r"-x^3 + \frac{1}{2}x^2 - 1"
        and maths_language.polynomial_in(polynomial(one)) == one
    )
    assert polynomial(one, rising=True) == r"-1 + \frac{1}{2}x^2 - x^3" and polynomial(()) == "0"
    golden = maths_algebra.roots((Fraction(-1), Fraction(-1), Fraction(1)))
    assert [surd(one) for one in golden] == [r"\frac{1 - \sqrt{5}}{2}", r"\frac{1 + \sqrt{5}}{2}"]


def test_all_notations_name_the_same_object() -> None:
    """Whatever way a solver writes a right answer, the real checker finds it equal to the reference."""

    async def verdicts() -> Counter[str]:
        found: Counter[str] = Counter()
        async with Checker() as checker:
            for seed in range(80):
                problem, rng = drawn(seed)
                reference = plain(exactly(problem))
                answer = varied(exactly(problem), rng)
                found[(await checker.compare(reference, answer, problem.kind)).verdict] += 1  # type: ignore[arg-type]
                assert await checker.problem(reference, problem.kind) == ""  # type: ignore[arg-type]
        return found

    assert asyncio.run(verdicts()) == {"equal": 80}


def test_a_slip_changes_the_answer() -> None:
    """Answers from a chain with slips are mostly others, as the real checker sees them, and never unreadable."""

    async def verdicts() -> Counter[str]:
        found: Counter[str] = Counter()
        async with Checker() as checker:
            for seed in range(60):
                problem, rng = drawn(seed)
                wrong = varied(world.solve(problem, slipping(rng, 0.9)), rng)
                verdict = await checker.compare(plain(exactly(problem)), wrong, problem.kind)  # type: ignore[arg-type]
                found[verdict.verdict] += 1
        return found

    found = asyncio.run(verdicts())
    assert found["different"] >= 45 and found["unknown"] == 0


def right(role: str, links: int, count: int = 100) -> float:
    """How often a solver arrives at the true answer of problems with chains of that length, in one notation or other."""
    hits = 0
    for seed in range(count):
        rng = random.Random(seed)
        example = task(problem := world.compose(rng, "expand", links))
        ways = {varied(exactly(problem), random.Random(n)) for n in range(12)}
        hits += final_answer(solved(role, example, seed)) in ways
    return hits / count


def test_the_weak_solver_loses_the_thread() -> None:
    """With every further step the weak solver is right less often, the strong one hardly so."""
    weak, strong = ([right(role, links) for links in (1, 3, 5)] for role in ("weak", "strong"))
    assert weak[0] > weak[1] + 0.1 and weak[1] > weak[2] + 0.1
    assert weak[0] > 0.6 and weak[2] < 0.4 and min(strong) > 0.75


def test_solvers_see_the_text_alone() -> None:
    """The same text and chance give the same reply, and a number that is changed in the text changes the answer."""
    problem, _ = drawn(4)
    example = task(problem)
    assert solved("strong", example, 1) == solved("strong", example, 1)
    text = "Let $p_0(x) = x^2$. Let $p_1(x) = p_0(x + 1)$. What is $p_1(x)$ in expanded form?"
    others = {
        final_answer(solved("strong", read(PLAIN | {"question": text.replace("+ 1", f"+ {n}")}), 1))
        for n in (1, 2, 3)
    }
    assert len(others) == 3


def test_what_is_not_given_is_assumed_and_said() -> None:
    """A shift that is not given is taken for 1, and the solver says so."""
    text = "Let $p_0(x) = x^2$. Let $p_1(x) = p_0(x + k)$, with the usual shift $k$. What is $p_1(x)$ in expanded form?"
    problem = maths_language.read(text)
    assert problem is not None and problem.symbol == "k" and plain(exactly(problem)) == "x^2 + 2x + 1"
    assert "does not say what $k$ is" in solved("strong", read(PLAIN | {"question": text}), 1)


def test_replies_vary_in_form() -> None:
    """Most replies end in an Answer line; some box the answer, some speak, and a few never arrive."""
    replies = [
        maths.reply("weak", maths_language.text(drawn(seed)[0]), random.Random(seed)) for seed in range(600)
    ]
    count = Counter(
        "endless"
        if len(one) > 16_384
        else "boxed"
        if "boxed" in one
        else "prose"
        if "namely" in one
        else "line"
        for one in replies
    )
    assert count["line"] > 450 and all(count[name] for name in ("endless", "boxed", "prose"))


def test_a_leak_is_copied() -> None:
    """Where the text states a result, even the weak solver mostly has it, right or wrong."""
    example = task(drawn(8)[0], context=r"A colleague has found that the result is $\frac{99}{7}$.")
    finals = Counter(final_answer(solved("weak", example, seed)) for seed in range(40))
    assert finals[r"\frac{99}{7}"] > 25
