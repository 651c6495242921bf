"""Parent + Diagnosis -> edits -> scope check -> a commit that starts, or a named rejection. Measures nothing."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from evolve import case as texts
from evolve.asking import Question, Unusable, ask_until
from evolve.case import Case
from evolve.edits import BadEdit, Edits, apply_edits, parse_edits
from evolve.iteration import Candidate, Diagnosis, Exchange, Proposal
from evolve.same_edit import Change, Stage, repeated
from evolve.scope import FILE_BYTES, TOTAL_BYTES, check_files
from harness.gateway import Models
from harness.prompting import load, render

TRIES = 4


@dataclass(frozen=True)
class Rejected:
    """A tree that is not made a candidate. The reason is shown to the implementer."""

    outcome: Literal["no_change", "out_of_scope"]
    reason: str


Build = Callable[[Candidate, Mapping[str, str], int, str], Awaitable[Candidate | Rejected]]
Smoke = Callable[[Candidate], Awaitable[str | None]]


@dataclass(frozen=True)
class Workshop:
    """Where a child is made and first started.

    build: (parent, files, iteration, message) -> the committed child, or why not: its tree fails `scope.check`, or is
    the tree of a known candidate. smoke: None if the candidate starts and survives a stub rollout, else the error.
    same_edit: how far it is looked whether a new tree is an edit that was tried before; see `same_edit.repeated`.
    """

    build: Build
    smoke: Smoke
    same_edit: Stage = "diff"


@dataclass(frozen=True)
class _Made:
    child: Candidate
    change: Change


async def implement(models: Models, case: Case, diagnosis: Diagnosis, workshop: Workshop) -> Proposal:
    """Ask the implementer for an edit until one builds and starts; one try and three repairs.

    A rejection carries the name of the last try's failure: `no_proposal` (unreadable or does not apply), `no_change`,
    `out_of_scope` or `broken`.

    Raises:
        OurFault, BudgetSpent: as models and workshop raise them.
    """
    prompt = implementer_prompt(case, diagnosis)
    question = Question("implementer", prompt, case.boundary, case.draw, TRIES)
    compared: list[Exchange] = []

    async def read(text: str) -> _Made:
        edits = _edits(text)
        change = _change(case, edits)
        child = await _child(case, change, workshop)
        await _refuse_repeated(models, case, change, workshop.same_edit, compared)
        await _start(child, change, workshop)
        return _Made(child, change)

    made, exchanges = await ask_until(models, question, read)
    exchanges = (*exchanges, *compared)
    if isinstance(made, Unusable):
        return Proposal(made.outcome, made.problem, made.summary, None, exchanges)
    return Proposal("proposed", "", made.change.summary, made.child, exchanges, made.change.hash)


def implementer_prompt(case: Case, diagnosis: Diagnosis) -> str:
    """The prompt: aim, rules, the scaffold's interface, diagnosis, what was learnt and every current file."""
    return render(
        load("evolve", "implementer.md"),
        boundary=case.boundary,
        rules=case.rules or texts.RULES,
        file_bytes=str(FILE_BYTES),
        total_bytes=str(TOTAL_BYTES),
        scores=texts.scores_text(case),
        diagnosis=texts.diagnosis_text(case, diagnosis),
        refuted=texts.refuted_text(case),
        lessons=texts.lessons_text(case),
        history=texts.history_text(case),
        files=texts.files_text(case),
    )


def _edits(text: str) -> Edits:
    try:
        return parse_edits(text)
    except BadEdit as bad:
        raise Unusable(f"the edits cannot be read: {bad}") from None


def _change(case: Case, edits: Edits) -> Change:
    """What the edits make of the parent's files.

    Raises:
        Unusable: they do not apply, change nothing, or leave the scope.
    """
    try:
        files = apply_edits(case.files, edits)
    except BadEdit as bad:
        raise Unusable(f"the edits do not apply: {bad}", "no_proposal", edits.summary) from None
    if files == dict(case.files):
        raise Unusable("the edits leave every file as it was", "no_change", edits.summary)
    if reason := check_files(files, case.files):
        raise Unusable(f"out of scope: {reason}", "out_of_scope", edits.summary)
    return Change(case.files, files, edits.summary)


async def _child(case: Case, change: Change, workshop: Workshop) -> Candidate:
    """The commit that the change makes of the parent. Raises Unusable: it is refused, or no new tree."""
    built = await workshop.build(case.parent, change.after, case.draw.iteration, change.summary)
    if isinstance(built, Rejected):
        raise Unusable(built.reason, built.outcome, change.summary)
    return built


async def _refuse_repeated(
    models: Models, case: Case, change: Change, stage: Stage, exchanges: list[Exchange]
) -> None:
    """Raises Unusable: the edit was tried before. What was asked to find out is added to the exchanges."""
    reason, asked = await repeated(models, case, change, stage)
    exchanges.extend(asked)
    if reason:
        raise Unusable(reason, "no_change", change.summary)


async def _start(child: Candidate, change: Change, workshop: Workshop) -> None:
    """Raises Unusable: the child does not come through its first start."""
    if error := await workshop.smoke(child):
        raise Unusable(f"the scaffold does not start or breaks: {error}", "broken", change.summary)
