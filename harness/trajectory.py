"""A task and everything that was measured of it, up to the rollout. Wire values; no behaviour beyond arithmetic.

Fields that only some domains or presets fill are left out of what is written while they are empty, so that the
traces of the others stay as they were.
"""

from statistics import fmean
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue, StrictBool, StrictInt, StringConstraints

from harness.types import AnswerKind, Wire

RubricPolicy = Literal["signed", "positive-only", "banded"]
Solver = Literal["weak", "strong"]
SOLVERS: tuple[Solver, ...] = ("weak", "strong")
Stage = Literal[
    "malformed", "quality", "too_easy", "failed_on_strong", "improve", "unproven", "unconfirmed", "accepted"
]
Outcome = Literal[
    "accepted",
    "exhausted",
    "stopped",
    "crashed",
    "hung",
    "bad_request",
    "over_limit",
    "missing",
    "doc_not_suitable",
]
Check = Literal[
    "number_recall",
    "reference",
    "null_answers",
    "agreement",
    "closed_book",
    "context_only",
    "final_verification",
]
CHECKS: tuple[Check, ...] = (
    "number_recall",
    "reference",
    "null_answers",
    "agreement",
    "closed_book",
    "context_only",
    "final_verification",
)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


def left_out(default: Any = "") -> Any:
    """A field that is not written while it is empty."""
    return Field(default, exclude_if=lambda value: not value)


class Criterion(Wire):
    """One line of a rubric. Positive weights 1..10 reward; negative ones -10..-1 punish when the bad thing happened.

    capability, weight_class: which ability it tests and in which band its weight lies, in domains that say so.
    """

    criterion: Short
    weight: StrictInt = Field(ge=-10, le=10)
    category: Literal["positive", "negative"]
    capability: str = left_out()
    weight_class: str = left_out()


class Example(Wire):
    """A task of any domain, with its reference answer and either a rubric or the kind of answer that can be compared.

    What a scaffold submits is read by the domain, which is stricter than this; see harness/domains.
    skills: what it exercises; where a domain ranks them these are the primary ones, secondary_skills the others.
    passage: the part of the document that it rests on, verbatim, in domains whose tasks have one.
    """

    question_type: Short
    skills: tuple[Short, ...] = Field((), max_length=7)
    secondary_skills: tuple[Short, ...] = left_out(())
    context: Prose = ""
    question: Text
    reference_answer: Text
    rubric_policy: RubricPolicy | Literal[""] = ""
    rubric: tuple[Criterion, ...] = Field((), max_length=40)
    answer_kind: AnswerKind | None = left_out(None)
    passage: Prose = left_out()


class Attempt(Wire):
    """One solver attempt and its mark.

    With a rubric, `hits[i]` says whether criterion i was judged met and `score` follows in code. Without one, `final`
    is the answer that was compared with the reference, `how` what decided, and `score` 1 or 0.
    calls: those of the solver, the deciding sample first, then those of the judge.
    """

    solver: Solver
    number: int
    answer: str
    hits: tuple[StrictBool, ...] = ()
    score: float
    final: str = left_out()
    how: str = left_out()
    calls: tuple[str, ...] = ()


class Verification(Wire):
    """The verifier's checks; `passed` is computed in code from them and from the frozen count rules."""

    passed: bool
    leak: bool
    quality: Literal["GOOD", "TOO_EASY", "RECALL"]
    rubric_tests_content: bool = True
    label_fits: bool = True
    single_answer: bool = Field(True, exclude_if=lambda value: value)
    kind_fits: bool = Field(True, exclude_if=lambda value: value)
    positives: int
    negatives: int
    reasons: tuple[str, ...]
    feedback: str
    calls: tuple[str, ...] = ()


class Verdict(Wire):
    """A gate's decision. Reasons are names such as `weak_mean_high`; empty when accepted."""

    accepted: bool
    reasons: tuple[str, ...]


class Posterior(Wire):
    """The gap between the true means of strong and weak, given the attempts: its mean and 95 % credible interval.

    above: probability that the gap is at least `required`. weak, strong: numbers of attempts it rests on.
    """

    gap: float
    low: float
    high: float
    above: float
    required: float
    weak: int
    strong: int


class Confirmation(Wire):
    """Fresh attempts at a task that the selecting ones let through. These decide, and their scores are reported."""

    weak: tuple[Attempt, ...]
    strong: tuple[Attempt, ...]
    posterior: Posterior
    verdict: Verdict


class Opinion(Wire):
    """The loop judge's word on a task, from the diagnostic packet it was shown. `accepted` follows in code.

    overrides: names of the rules that force `improve` whatever the judge says.
    """

    weak_pattern: str
    strong_pattern: str
    gap_interpretation: str
    rubric_concerns: str
    suitability: Literal["high", "medium", "low"]
    verdict: Literal["accept", "improve"]
    cited: tuple[str, ...]
    reason: str
    suggestion: str
    overrides: tuple[str, ...] = ()
    packet: str
    calls: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.verdict == "accept" and not self.overrides


class Proof(Wire):
    """One check of a task itself, apart from how hard it is. `score` in [0, 1] where an answer was marked for it."""

    check: Check
    passed: bool
    reason: str = ""
    score: float | None = None
    detail: str = ""
    calls: tuple[str, ...] = ()


class Report(Wire):
    """What the host tells a scaffold about one submission. Means are in [0, 1]; None where not run.

    stage: where the submission ended; `improve` is the loop judge's no, `unproven` a failed check of the task itself,
    `unconfirmed` a gap that fresh attempts did not show.
    """

    accepted: bool
    stage: Stage
    reasons: tuple[str, ...]
    feedback: str
    weak_mean: float | None = None
    weak_best: float | None = None
    strong_mean: float | None = None
    gap: float | None = None
    submissions_left: int = 0


class Step(Wire):
    """One request of the scaffold and all that followed from it: the unit of a trajectory.

    kind `ask`: prompt and reply of the challenger; `earlier` are the calls before `call` whose replies were cut off.
    kind `submit`: the submission as received, what the instrument measured, and the report that went back.
    posterior: of the gap, after the selecting attempts, where these were drawn one after the other. missing: attempts
    that gave nothing usable and were made again, by solver and cause.
    """

    kind: Literal["ask", "submit"]
    ordinal: int
    prompt: str = ""
    reply: str = ""
    finish_reason: str = ""
    call: str = ""
    earlier: tuple[str, ...] = left_out(())
    example: Example | None = None
    malformed: str = ""
    verification: Verification | None = None
    weak: tuple[Attempt, ...] = ()
    strong: tuple[Attempt, ...] = ()
    posterior: Posterior | None = left_out(None)
    missing: tuple[str, ...] = left_out(())
    opinion: Opinion | None = left_out(None)
    proofs: tuple[Proof, ...] = left_out(())
    confirmation: Confirmation | None = left_out(None)
    final: Verification | None = left_out(None)
    shadow: dict[str, Verdict] = Field(default_factory=dict)
    report: Report | None = None

    @property
    def reported(self) -> tuple[list[float], list[float]]:
        """Weak and strong scores that stand for the task: the fresh ones where it was confirmed, else all there are."""
        source: Step | Confirmation = self.confirmation or self
        return [one.score for one in source.weak], [one.score for one in source.strong]

    @property
    def gap(self) -> float | None:
        """Mean of strong minus mean of weak scores, as reported; None where one of them did not run."""
        weak, strong = self.reported
        return fmean(strong) - fmean(weak) if weak and strong else None


class Extraction(Wire):
    """What an extractor found in a document before anything was spent on it. facts: as the domain defines them."""

    suitable: bool
    note: str
    facts: dict[str, JsonValue]
    calls: tuple[str, ...] = ()


class Allowance(Wire):
    """What one rollout may spend; part of the instrument."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    submissions: int = Field(3, ge=1)
    """Tasks that the scaffold may submit for one document."""
    asks: int = Field(8, ge=1)
    """Questions that the scaffold may put to the challenger model for one document."""
    tokens: int = Field(120_000, ge=1)
    """Tokens of the challenger for one document, prompt and completion together."""


class Rollout(Wire):
    """One scaffold on one document, measured. `score` is 1 or 0, or None when there is nothing to score.

    outcome: `accepted`; `exhausted` (allowance used up); `stopped` (the scaffold returned without an accepted
    example); `crashed`, `hung`, `bad_request`, `over_limit` (its faults, score 0); `missing` (our instrument's);
    `doc_not_suitable` (the document is none to make a task from: no score, nobody's fault).
    trial: which of several measurements of the same document, from 0.
    """

    document: str
    name: str
    outcome: Outcome
    score: float | None
    trial: int = left_out(0)
    detail: str = ""
    extraction: Extraction | None = left_out(None)
    example: Example | None = None
    steps: tuple[Step, ...] = ()
    submissions: int = 0
    asks: int = 0
    tokens: int = 0


SCORES: dict[Outcome, float | None] = {"accepted": 1.0, "missing": None, "doc_not_suitable": None}


def score_of(outcome: Outcome) -> float | None:
    """What a rollout of that outcome scores."""
    return SCORES.get(outcome, 0.0)
