"""The paper's rule: a child is kept only if it is strictly above its parent, both measured afresh. Ties are rejected.

It lets luck through: of forty children that equal their parent, some win. See docs/method.md.
"""

from evolve.contest import Contest, Measure, Survival, Terms
from evolve.selection.once import both_once, look_at, refusal


def step(contest: Contest) -> Measure | Survival:
    """Every document once for both; then strictly above the parent on the documents that both have a score for."""
    if not contest.child:
        return both_once(contest)
    look = look_at(contest)
    if problem := refusal(contest, look):
        return Survival(False, problem, look)
    figures = f"difference {look.difference:+.3f} on {look.documents} documents"
    kept = look.difference > 0
    return Survival(kept, figures if kept else f"not above its parent: {figures}", look)


def record(documents: int, terms: Terms) -> int:
    """No fresh record: the draws that a child won by are its first score, as in the paper."""
    return 0
