"""From files or from a reply to a child, or to a named rejection: what several operators share. Measures nothing."""

import re
from collections.abc import Mapping
from dataclasses import replace

from evolve.asking import Question, Unusable, ask_until
from evolve.case import Case
from evolve.edits import BadEdit, Edits, apply_edits, parse_edits
from evolve.implementer import TRIES, Rejected, Workshop
from evolve.iteration import Exchange, Proposal
from evolve.same_edit import edit_hash, tried_before
from evolve.scope import check_files
from harness.gateway import Models
from harness.prompting import load

HEADING = re.compile(r"^# (.+)$", re.MULTILINE)


async def proposed(
    models: Models, workshop: Workshop, case: Case, prompt: str, files: Mapping[str, str]
) -> Proposal:
    """Ask the implementer with this prompt for edits of `files` until one gives a child; one try, three repairs.

    files: what the edits apply to; the parent's, or a half-made merge.

    Raises:
        OurFault, BudgetSpent: as models and workshop raise them.
    """

    async def read(text: str) -> Proposal:
        edits, edited = _edited(files, text)
        return await child_of(case, edited, edits.summary, workshop)

    question = Question("implementer", prompt, case.boundary, case.draw, TRIES)
    made, exchanges = await ask_until(models, question, read)
    return rejected(made, exchanges) if isinstance(made, Unusable) else replace(made, exchanges=exchanges)


async def child_of(case: Case, files: Mapping[str, str], summary: str, workshop: Workshop) -> Proposal:
    """The child that these files make, without exchanges: scope check, tried before, build, stub rollout.

    Whether it was tried before is decided by its tree and its lines, by no model: a merge without a clash and an edit of
    the control arm stay free of one.

    Raises:
        Unusable: they are the parent's, leave the scope, were tried before, or do not start.
    """
    if files == dict(case.files):
        raise Unusable("the edits leave every file as it was", "no_change", summary)
    if reason := check_files(files, case.files):
        raise Unusable(f"out of scope: {reason}", "out_of_scope", summary)
    key = edit_hash(case.files, files)
    again = tried_before(key, case.parent, case.seen.iterations) if workshop.same_edit != "tree" else None
    if again:
        raise Unusable(again, "no_change", summary)
    built = await workshop.build(case.parent, files, case.draw.iteration, summary)
    if isinstance(built, Rejected):
        raise Unusable(built.reason, built.outcome, summary)
    if error := await workshop.smoke(built):
        raise Unusable(f"the scaffold does not start or breaks: {error}", "broken", summary)
    return Proposal("proposed", "", summary, built, (), key)


def rejected(unusable: Unusable, exchanges: tuple[Exchange, ...] = ()) -> Proposal:
    """The proposal that comes of what could not be used."""
    return Proposal(unusable.outcome, unusable.problem, unusable.summary, None, exchanges)


def unanalysed(exchanges: tuple[Exchange, ...]) -> Proposal:
    """No edit is asked for without a usable diagnosis."""
    return Proposal("no_proposal", exchanges[-1].problem if exchanges else "", "", None, ())


def section(heading: str) -> str:
    """The text under a heading of the implementer's prompt, its placeholders not yet filled.

    What an operator does not change on purpose stands in one place, so that arms differ in nothing else.

    Raises:
        KeyError: there is no such heading.
    """
    parts = HEADING.split(load("evolve", "implementer.md"))
    return dict(zip(parts[1::2], parts[2::2], strict=True))[heading].strip()


def form() -> str:
    """How edits are written down, from the implementer's prompt, without what it has to say of its diagnosis.

    Raises:
        ValueError: the prompt does not have it where it is looked for.
    """
    text = section("What to return")
    return text[text.index("Replace a passage.") :]


def _edited(files: Mapping[str, str], text: str) -> tuple[Edits, dict[str, str]]:
    try:
        edits = parse_edits(text)
    except BadEdit as bad:
        raise Unusable(f"the edits cannot be read: {bad}") from None
    try:
        return edits, apply_edits(files, edits)
    except BadEdit as bad:
        raise Unusable(f"the edits do not apply: {bad}", "no_proposal", edits.summary) from None
