"""The paper's rule: a child is kept only if it is strictly above its parent, both measured afresh. Ties are rejected."""

from evolve.population import Evaluation, difference
from evolve.selection import Survival


def survives(parent: Evaluation, child: Evaluation, missing_bound: int) -> Survival:
    """Strictly above the parent on the documents both have a score for, without leaning on missing ones.

    Those have to be at least half of all that a task can be made of: what is left of a failing instrument decides nothing.
    """
    if child.missing > parent.missing + missing_bound:
        return Survival(False, f"{child.missing} documents missing, the parent has {parent.missing}")
    both = len(shared(parent, child))
    all_of_them = sum(one.outcome != "doc_not_suitable" for one in child.rollouts)
    if both == 0 or 2 * both < all_of_them:
        return Survival(False, f"{both} of {all_of_them} documents were measured for both, too few")
    gain = difference(child, parent)
    figures = f"difference {gain.value:+.3f} on {gain.trials} documents"
    return Survival(gain.value > 0, figures if gain.value > 0 else f"not above its parent: {figures}")


def shared(parent: Evaluation, child: Evaluation) -> list[str]:
    """Documents that both have a score for."""
    theirs = parent.scores
    return [key for key, score in child.scores.items() if score is not None and theirs.get(key) is not None]
