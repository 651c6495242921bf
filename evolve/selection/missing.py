"""Whether a child leans on missing draws: what the instrument could not measure must not help it. Decides nothing."""

from math import comb

from evolve.contest import Contest

CHANCE = 0.05


def leaning(contest: Contest) -> str:
    """Why the child's draws decide nothing: more of them are missing than of the parent's, beyond chance; "" if they do.

    The parent is that of the contest, the reference. Up to `missing_bound` are always let pass. Half of the draws have to be
    there in any case.
    """
    mine, asked = sum(one.missing for one in contest.child), len(contest.child)
    theirs = contest.record.missing + sum(one.missing for one in contest.parent)
    their_asked = contest.record.trials + contest.record.missing + len(contest.parent)
    if 2 * mine > asked:
        return f"{mine} of {asked} draws are missing, too many"
    if mine > contest.terms.missing_bound and chance(mine, asked, theirs, their_asked) < CHANCE:
        return f"{mine} of {asked} draws are missing, {theirs} of {their_asked} on the other side: more than chance allows"
    return ""


def chance(mine: int, asked: int, theirs: int, their_asked: int) -> float:
    """Probability that at least `mine` of all missing draws are the child's, if they fall on any draw alike.

    One-sided test of Fisher 1935, J. R. Stat. Soc. 98:39-82: hypergeometric.
    """
    missing, there = mine + theirs, asked + their_asked
    ways = sum(
        comb(missing, one) * comb(there - missing, asked - one)
        for one in range(mine, min(missing, asked) + 1)
    )
    return ways / comb(there, asked)
