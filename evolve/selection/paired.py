"""For reference: a child is kept if its paired difference is above one standard error, both measured afresh.

The bar of the most careful of the usual optimisers. It lets luck through as well; see docs/method.md.
"""

from math import sqrt
from statistics import stdev

from evolve.contest import Contest, Measure, Survival, Terms
from evolve.selection.once import both_once, look_at, pairs, refusal


def step(contest: Contest) -> Measure | Survival:
    """Every document once for both; then the mean difference against its standard error over documents."""
    if not contest.child:
        return both_once(contest)
    look = look_at(contest)
    if problem := refusal(contest, look):
        return Survival(False, problem, look)
    gaps = [mine - theirs for mine, theirs in pairs(contest)]
    bar = stdev(gaps) / sqrt(len(gaps)) if len(gaps) > 1 else 1.0
    figures = f"difference {look.difference:+.3f} on {look.documents} documents, standard error {bar:.3f}"
    kept = look.difference > 0 and look.difference > bar
    return Survival(kept, figures if kept else f"not above one standard error: {figures}", look)


def record(documents: int, terms: Terms) -> int:
    """No fresh record: the draws that a child won by are its first score."""
    return 0
