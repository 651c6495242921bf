"""What the rules share that measure parent and child once on every document: the draws, the pairs, and who is refused."""

from evolve.contest import Contest, Look, Measure
from evolve.intervals import paired_difference


def both_once(contest: Contest) -> Measure:
    """Every document once, for both."""
    return Measure(contest.documents, contest.documents)


def pairs(contest: Contest) -> list[tuple[float, float]]:
    """The scores of child and parent on the documents that both have one for, drawn in this iteration."""
    theirs = {one.document: one.score for one in contest.parent}
    both = ((one.score, theirs.get(one.document)) for one in contest.child)
    return [(mine, other) for mine, other in both if mine is not None and other is not None]


def look_at(contest: Contest) -> Look:
    """The paired difference with its interval."""
    found = pairs(contest)
    if not found:
        return Look(0, 0, 0, 0.0, -1.0, 1.0)
    gain = paired_difference(found)
    return Look(len(found), len(found), len(found), gain.value, gain.low, gain.high)


def refusal(contest: Contest, look: Look) -> str:
    """Why the pairs decide nothing: the child leans on missing documents, or too few are left; "" if they do.

    At least half of the documents that a task can be made of have to be measured for both: what is left of a failing
    instrument decides nothing.
    """
    mine, theirs = (sum(one.missing for one in side) for side in (contest.child, contest.parent))
    if mine > theirs + contest.terms.missing_bound:
        return f"{mine} documents missing, the parent has {theirs}"
    all_of_them = sum(one.score is not None or one.missing for one in contest.child)
    if look.documents == 0 or 2 * look.documents < all_of_them:
        return f"{look.documents} of {all_of_them} documents were measured for both, too few"
    return ""
