"""What analyzer and implementer will use where no run tells: from the size of the prompts that they would get."""

from collections.abc import Mapping
from dataclasses import dataclass

from evolve.analyzer import analyzer_prompt
from evolve.case import HISTORY_CHARACTERS, ROLLOUT_CHARACTERS, TOTAL_CHARACTERS, Case
from evolve.implementer import implementer_prompt
from evolve.iteration import Candidate, Cause, Diagnosis, Evaluation
from evolve.planning.values import CALLS, COMPLETION, PROMPT, SECONDS, Pilot
from evolve.population import Population
from harness.types import ROLES, Draw, Role

TOKEN = 4  # characters, the usual rule of thumb for English
ENTRY = 700  # characters of an iteration in the history
ANSWER = (300, 4000)
DIAGNOSIS = Diagnosis(
    summary=" " * 400,
    causes=(Cause(title=" ", explanation=" " * 1500, evidence=(" " * 400,), remedy=" " * 1000),),
)


@dataclass(frozen=True)
class Guess:
    """One role's use in an iteration: calls from and to, tokens of a prompt, tokens of an answer from and to.

    pace: seconds of a completion token.
    """

    calls: tuple[int, int]
    prompt: float
    answer: tuple[int, int]
    pace: float


def guesses(files: Mapping[str, str], minibatch: int, iterations: int, pilot: Pilot) -> dict[Role, Guess]:
    """Of analyzer and implementer. files: of the baseline scaffold, path -> text.

    A rollout is quoted to the analyzer with about what the challenger read and wrote in it, and history grows as the run
    goes on, both up to their bounds.
    """
    measured = Evaluation("c0", 0, "minibatch", "training", "")
    case = Case(Candidate("c0", 0, None, "", ""), files, measured, Population(()), Draw(1, "edit"))
    said = pilot.use[:, ROLES.index("challenger")]
    exchange = TOKEN * float(said[:, PROMPT].mean() + said[:, COMPLETION].mean())
    exchanges = minibatch * min(ROLLOUT_CHARACTERS, TOTAL_CHARACTERS / minibatch, exchange)
    history = sum(min(HISTORY_CHARACTERS, ENTRY * at) for at in range(iterations)) / iterations
    pace = float(said[:, SECONDS].sum() / max(1.0, said[:, COMPLETION].sum()))
    whole = len(analyzer_prompt(case)) + exchanges + history
    edit = len(implementer_prompt(case, DIAGNOSIS)) + history
    return {
        "analyzer": Guess((1, 2), whole / TOKEN, ANSWER, pace),
        "implementer": Guess((1, 3), edit / TOKEN, ANSWER, pace),
    }


def columns(guess: Guess, calls: float, answer: float) -> list[float]:
    """So many calls with answers of so many tokens, in the order of `Pilot.use`."""
    found = [0.0] * 4
    found[CALLS], found[PROMPT], found[COMPLETION] = calls, calls * guess.prompt, calls * answer
    found[SECONDS] = calls * answer * guess.pace
    return found
