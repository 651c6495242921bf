"""Ready-made values for tests of the outer loop's text side: an iteration's case, replies, a model with a script."""

from collections.abc import Sequence
from dataclasses import replace

from evolve.case import Case
from evolve.iteration import KEPT, Candidate, Cause, Diagnosis, Evaluation, Iteration
from evolve.population import Population
from harness.trajectory import Attempt, Criterion, Example, Report, Rollout, Step, Verification
from harness.types import Draw, Reply, Request

AGENT = "from pathlib import Path\n\n\ndef create(document, env):\n    env.submit(env.ask(document.text))\n"
CHALLENGER = "# Task\n\nRead the document.\nWrite one task.\n\n- The question is hard.\n"
FILES = {
    "README.md": "About.\n",
    "agent.py": AGENT,
    "prompts/challenger.md": CHALLENGER,
    "prompts/refine.md": "Write another one.\n",
}
PARENT = Candidate("c3", 3, "c0", "f" * 40, "a" * 40)
DIAGNOSIS = Diagnosis(
    summary="Tasks are too easy.",
    causes=(
        Cause(
            title="The question is general knowledge",
            explanation="Nothing asks for what only this document shows.",
            evidence=('rollout 1, submission 1, weak attempt 1: "everybody knows this"',),
            remedy="Require a question that rests on a finding of this document.",
        ),
    ),
)
SCRIPT_EXHAUSTED = "the script of replies is at its end"


def reply(text: str, finish: str = "stop", tokens: int = 100) -> Reply:
    """A recorded answer."""
    return Reply(
        key="k", text=text, finish_reason=finish, model="m", prompt_tokens=10, completion_tokens=tokens
    )


class Script:
    """A model that answers with a list of replies in order and keeps what it was asked."""

    def __init__(self, *replies: str | Reply) -> None:
        self.replies = [one if isinstance(one, Reply) else reply(one) for one in replies]
        self.asked: list[Request] = []

    async def ask(self, request: Request) -> Reply:
        self.asked.append(request)
        assert len(self.asked) <= len(self.replies), SCRIPT_EXHAUSTED
        return self.replies[len(self.asked) - 1]

    def prompt(self, number: int) -> str:
        return self.asked[number].messages[0].content


RUBRIC = (
    *(Criterion(criterion=f"names effect {n}", weight=5, category="positive") for n in range(7)),
    *(Criterion(criterion=f"claims nonsense {n}", weight=-5, category="negative") for n in range(3)),
)


def attempt(solver: str, number: int, answer: str, met: Sequence[int]) -> Attempt:
    """An attempt that meets the criteria with the given indices."""
    hits = tuple(at in met for at in range(len(RUBRIC)))
    return Attempt(solver=solver, number=number, answer=answer, hits=hits, score=len(met) / 10)


def example(context: str = "A queue keeps pairs.", policy: str = "signed") -> Example:
    """A well-formed example with ten criteria."""
    return Example(
        question_type="predict",
        skills=("causal", "constraint"),
        context=context,
        question="What happens to the order if pairs tie?",
        reference_answer="It is kept.",
        rubric_policy=policy,
        rubric=RUBRIC,
    )


def submission(
    answers: Sequence[str], strong: Sequence[str] = (), stage: str = "too_easy", **more: object
) -> Step:
    """A submit step with these answers; weak answers meet seven criteria, strong ones two and all negatives."""
    report = Report(
        accepted=stage == "accepted", stage=stage, reasons=("weak_mean_high",), feedback="", weak_mean=0.7
    )
    verification = Verification(
        passed=True,
        leak=False,
        quality="GOOD",
        rubric_tests_content=True,
        label_fits=True,
        positives=7,
        negatives=3,
        reasons=(),
        feedback="",
    )
    step = Step(
        kind="submit",
        ordinal=1,
        example=example(),
        verification=verification,
        weak=tuple(attempt("weak", n, text, range(7)) for n, text in enumerate(answers)),
        strong=tuple(attempt("strong", n, text, (0, 1, 7, 8, 9)) for n, text in enumerate(strong)),
        report=report,
    )
    return step.model_copy(update=more)


def ask(prompt: str = "Write a task.", answer: str = "{}") -> Step:
    """An ask step."""
    return Step(kind="ask", ordinal=0, prompt=prompt, reply=answer)


def rollout(name: str, *steps: Step, score: float | None = 0.0) -> Rollout:
    """A measured rollout."""
    outcome = "missing" if score is None else "accepted" if score else "exhausted"
    return Rollout(document=name, name=name, outcome=outcome, score=score, steps=steps)


def evaluation(candidate: str, *rollouts: Rollout, side: str = "minibatch", iteration: int = 5) -> Evaluation:
    """An evaluation; every side but the minibatch is on validation documents."""
    split = "training" if side == "minibatch" else "validation"
    return Evaluation(candidate, iteration, side, split, "i", rollouts)


def case(*rollouts: Rollout, history: Sequence[Iteration] = (), **more: object) -> Case:
    """A case of iteration 5 whose parent is c3."""
    shown = rollouts or (rollout("heapq", ask(), submission(["Everybody knows this."] * 3)),)
    made = Case(PARENT, FILES, evaluation("c3", *shown), Population(history), Draw(5, "minibatch"))
    return replace(made, **more)


def tried(number: int, outcome: str, parent: str = "c0", summary: str = "asks for steps") -> Iteration:
    """An iteration whose child did better than its parent if it was kept."""
    scores = (0.0, 1.0) if outcome in KEPT else (1.0, 0.0)
    measured = ()
    if outcome in (*KEPT, "dropped"):
        secret = submission(["secret validation answer"], malformed="secret validation text")
        measured = tuple(
            evaluation(who, rollout("secretdoc", secret, score=score), side=side, iteration=number)
            for who, side, score in zip((parent, f"c{number}"), ("parent", "child"), scores, strict=True)
        )
    return Iteration(
        number,
        outcome,
        "because of that",
        parent,
        sees=0,
        child=Candidate(f"c{number}", number, parent, "e" * 40, f"{number:040d}") if measured else None,
        causes=tuple(one.title for one in DIAGNOSIS.causes),
        summary=summary,
        evaluations=measured,
    )
