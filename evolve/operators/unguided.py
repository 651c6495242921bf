"""The two edits of the control arm: one without any knowledge of the failures, one informed but without a search."""

from dataclasses import replace

from evolve import case as texts
from evolve.case import Case
from evolve.implementer import Workshop
from evolve.iteration import Candidate
from evolve.operators import Attempt, edit
from evolve.operators.making import form, proposed, section
from evolve.scope import FILE_BYTES, TOTAL_BYTES
from harness.gateway import Models
from harness.prompting import fitted, load, render


async def make(models: Models, workshop: Workshop, case: Case, partner: Candidate | None = None) -> Attempt:
    """Some edit by the same model: it sees the files and the rules, and no diagnosis, history or score.

    Raises:
        OurFault, BudgetSpent: as models and workshop raise them.
    """
    proposal = await proposed(models, workshop, case, unguided_prompt(case), case.files)
    return Attempt(None, proposal)


async def best_of(
    models: Models, workshop: Workshop, case: Case, partner: Candidate | None = None
) -> Attempt:
    """One of the n draws of best-of-n: the usual informed edit of the baseline, which knows of no other draw.

    Raises:
        ValueError: the parent is not the baseline.
        OurFault, BudgetSpent: as models and workshop raise them.
    """
    if case.parent.iteration:
        raise ValueError(f"best of n starts from the baseline, not from {case.parent.id!r}")
    return await edit.make(models, workshop, without_history(case))


def without_history(case: Case) -> Case:
    """The case as it was before the first iteration: the baseline's first measurement is all that is known."""
    return replace(case, seen=case.seen.upto(0))


def unguided_prompt(case: Case) -> str:
    """The implementer's prompt without what it knows: its rules, interface, scope and form in the same words."""
    return render(
        load("evolve", "unguided.md"),
        boundary=case.boundary,
        judged=fitted(section("How an edit is judged"), rules=case.rules or texts.RULES),
        interface=fitted(section("The scaffold's interface")),
        scope=fitted(
            section("What you may change"), file_bytes=str(FILE_BYTES), total_bytes=str(TOTAL_BYTES)
        ),
        files=texts.files_text(case),
        form=form(),
    )
