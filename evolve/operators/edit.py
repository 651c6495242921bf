"""The usual way: find out why the parent fails on its minibatch, then edit it against that."""

from evolve.analyzer import diagnose
from evolve.case import Case
from evolve.implementer import Workshop, implement
from evolve.iteration import Candidate
from evolve.operators import Attempt
from evolve.operators.making import unanalysed
from harness.gateway import Models


async def make(models: Models, workshop: Workshop, case: Case, partner: Candidate | None = None) -> Attempt:
    """Diagnosis, then an edit; `no_proposal` where no diagnosis could be used.

    Raises:
        OurFault, BudgetSpent: as models and workshop raise them.
    """
    diagnosis, exchanges = await diagnose(models, case)
    if diagnosis is None:
        return Attempt(None, unanalysed(exchanges), exchanges)
    return Attempt(diagnosis, await implement(models, case, diagnosis, workshop), exchanges)
