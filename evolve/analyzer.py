"""Minibatch trajectories and history -> Diagnosis: why the scaffold fails, by systematic causes, with evidence."""

from evolve import case as texts
from evolve.asking import Question, Unusable, ask_until
from evolve.case import Case
from evolve.iteration import Diagnosis, Exchange
from harness.gateway import Models
from harness.parsing import Malformed, parse
from harness.prompting import load, render

TRIES = 3


async def diagnose(models: Models, case: Case) -> tuple[Diagnosis | None, tuple[Exchange, ...]]:
    """Ask the analyzer for the root causes of the minibatch's failures; up to three tries.

    None: no try gave a usable diagnosis; the last exchange's `problem` says why. That ends the iteration as
    `no_proposal`, and it is no fault of the candidate.

    Raises:
        ProviderError, BudgetSpent: as the models raise them.
    """
    question = Question("analyzer", analyzer_prompt(case), case.boundary, case.draw, TRIES, Diagnosis)
    found, exchanges = await ask_until(models, question, _read)
    return (None if isinstance(found, Unusable) else found), exchanges


def analyzer_prompt(case: Case) -> str:
    """The prompt: aim, rules, what was learnt, files and exchanges, every foreign text between boundary lines."""
    return render(
        load("evolve", "analyzer.md"),
        boundary=case.boundary,
        rules=case.rules or texts.RULES,
        scores=texts.scores_text(case),
        hit_rates=texts.rates_of_hits(case),
        refuted=texts.refuted_text(case),
        lessons=texts.lessons_text(case),
        history=texts.history_text(case),
        files=texts.files_text(case),
        exchanges=texts.exchanges_text(case),
    )


async def _read(text: str) -> Diagnosis:
    try:
        return parse(text, Diagnosis)
    except Malformed as malformed:
        raise Unusable(f"the reply is no valid diagnosis: {malformed}") from None
