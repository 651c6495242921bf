"""The simulated solvers of the maths world: they read the problem, work through it, and slip now and then.

Every step can go wrong, and what follows is worked out correctly from the wrong result; the weak solver slips much
more often. Answers come in many notations, sometimes in prose, sometimes much too long.
"""

import random
from dataclasses import dataclass
from fractions import Fraction

from harness.models.simulated import maths_language, maths_problems
from harness.models.simulated.maths_algebra import Poly
from harness.models.simulated.maths_notation import polynomial, varied
from harness.models.simulated.maths_problems import Problem, Slip, Solution

LEAKED = "A colleague has found that the result is $"


@dataclass(frozen=True)
class Skill:
    """Probabilities. slips: that a step goes wrong; known: that a stock exercise does; prose, overruns: of such a reply."""

    slips: float
    known: float
    prose: float
    overruns: float


WEAK = Skill(slips=0.21, known=0.04, prose=0.03, overruns=0.015)
STRONG = Skill(slips=0.028, known=0.01, prose=0.01, overruns=0.005)


def reply(role: str, prompt: str, rng: random.Random) -> str:
    """A solution that ends in an answer."""
    skill = WEAK if role == "weak" else STRONG
    problem = maths_language.read(prompt)
    if rng.random() < skill.overruns:
        return overrun(problem, rng)
    if problem is None:
        return "I see no problem here that I could work out.\n\nAnswer: \\text{none}"
    if LEAKED in prompt and rng.random() < 0.9:
        result = prompt.partition(LEAKED)[2].partition("$")[0]
        return f"As the problem itself says, the result is known.\n\nAnswer: {result}"
    slips = skill.known if problem.stock else skill.slips
    made: list[Poly] = []
    solution = maths_problems.worked_out(problem, recording(slipping(rng, slips), made))
    return "\n".join([*remarks(problem), *working(problem, made), "", closing(solution, skill, rng)])


def slipping(rng: random.Random, chance: float) -> Slip:
    """A slip with that probability: a sign, a coefficient that is off by a little; the degree stays."""

    def slip(one: Poly) -> Poly:
        if rng.random() >= chance or not one:
            return one
        at = rng.randrange(max(1, len(one) - 1))
        wrong = -one[at] if one[at] and rng.random() < 0.5 else one[at] + rng.choice((-2, -1, 1, 2))
        if at == len(one) - 1 and wrong == 0:
            wrong = Fraction(1)
        return (*one[:at], wrong, *one[at + 1 :])

    return slip


def recording(slip: Slip, made: list[Poly]) -> Slip:
    """The same slip, which keeps what came of each step."""

    def kept(one: Poly) -> Poly:
        made.append(slip(one))
        return made[-1]

    return kept


def remarks(problem: Problem) -> list[str]:
    """What a solver says of the problem as a whole."""
    found = []
    if problem.symbol:
        found.append(f"The problem does not say what ${problem.symbol}$ is; I take it to be 1.")
    if problem.stock:
        found.append("This is a standard exercise.")
    elif problem.steps <= 2:
        found.append("This takes only one routine step.")
    return found


def working(problem: Problem, made: list[Poly]) -> list[str]:
    """The polynomials that were found, one a line."""
    links = len(problem.chain) - 1
    return [f"${problem.letter}_{n}(x) = {polynomial(one)}$" for n, one in enumerate(made[:links], 1)]


def closing(solution: Solution, skill: Skill, rng: random.Random) -> str:
    """The last line: mostly as it was asked for."""
    answer = varied(solution, rng)
    if rng.random() < skill.prose:
        return f"Answer: the {solution.kind} that comes out of this, namely {answer}, as one can check."
    way = rng.random()
    if way < 0.08:
        return rf"So the result is \boxed{{{answer}}}."
    return f"**Answer:** ${answer}$" if way < 0.25 else f"Answer: {answer}"


def overrun(problem: Problem | None, rng: random.Random) -> str:
    """A reply that goes on and on and never arrives."""
    what = f"${problem.letter}_0$" if problem else "this"
    return " ".join(
        f"Let me look at {what} once more, with {rng.randint(2, 99)} in mind." for _ in range(700)
    )
