"""The default rule: fresh draws of the child against all draws of the reference, a block at a time, until it is clear.

A child is dropped as soon as it is unlikely to be better by `effect`, and survives once it is likelier to be better than
the share of the error budget of its iteration allows. A survivor is measured anew: the draws it won by do not count. One
that is ahead after a trial, and far from that, becomes a contender: a parent of which nothing is claimed.
"""

from math import ceil, log

import numpy as np

from evolve.contest import Contest, Look, Measure, Survival, Terms
from evolve.selection.missing import leaning
from evolve.selection.tables import Tables, tables
from evolve.selection.tilting import MIXED, Z, log_mixture, sides, spread

REFERENCE = 0.4  # rollouts of a fresh record, of a trial, of a child at most: in units of 1 / effect squared
CONTEND = 1.2
MOST = 10.0
NEAR = 0.5  # share of the evidence for a claim from which a trial goes on for it
INVEST = 2


def step(contest: Contest) -> Measure | Survival:
    """What to measure next, or the decision.

    The evidence is the mixture of likelihood ratios of tilting.py, compared with two bounds (Wald 1945, "Sequential tests of
    statistical hypotheses", Ann. Math. Stat. 16:117-186): kept at 1 / share, dropped at `overlook`. By Ville's inequality
    a ratio of mean 1 reaches 1 / share with a chance of at most `share`, however often it is looked at; here it is
    conditional and its tilt follows the data, so this holds to a good approximation, which bench/selection.py checks.
    """
    terms, known = contest.terms, tables(contest)
    if not contest.child:
        return block(contest, known, None)
    share = error_share(contest.number, terms)
    look, drawn = looked(contest, known, share), len(contest.child)
    if (reason := fallen(look, terms)) is not None:
        return Survival(False, reason, look, share)
    claim = (look.evidence or 0.0) >= -log(share)
    tried = 0 < contend_after(terms) <= drawn and (look.evidence or 0.0) < -NEAR * log(share)
    if not claim and not tried and drawn < most(terms):
        return block(contest, known, look)
    if problem := leaning(contest):
        return Survival(False, problem, look, share)
    if claim:
        return Survival(True, f"better: {figures(look)}", look, share)
    if ahead(look) and contend_after(terms):
        return Survival(False, f"ahead, not shown to be better: {figures(look)}", look, share, contender=True)
    short = "undecided" if ahead(look) else "not ahead"
    return Survival(False, f"{short} after {drawn} rollouts: {figures(look)}", look, share)


def fallen(look: Look, terms: Terms) -> str | None:
    """Why the child is dropped: it is not better by `effect` than the reference, or than its parent."""
    if look.evidence is not None and look.evidence <= drop_at(terms):
        return f"not better by {terms.effect:g}: {figures(look)}"
    if look.rival is not None and look.rival <= drop_at(terms):
        return f"not better than its own parent by {terms.effect:g}: {figures(look)}"
    return None


def ahead(look: Look) -> bool:
    """Whether the child scores higher than the reference, and than its parent if that is another."""
    return look.difference > 0 and (look.ahead is None or look.ahead > 0)


def looked(contest: Contest, known: Tables, share: float) -> Look:
    """The evidence so far."""
    terms, found = contest.terms, sides(known.child, known.parent)
    bounds = {"keep_at": -log(share), "drop_at": drop_at(terms)}
    if found is None:
        return Look(0, 0, 0, 0.0, -1.0, 1.0, None, **bounds)
    value, half = found.difference, Z * found.error
    rival = None if known.rival is None else sides(known.child, known.rival)
    return Look(
        child_trials=int(found.child[:, 0].sum()),
        parent_trials=int(found.parent[:, 0].sum()),
        documents=len(found.child),
        difference=value,
        low=max(-1.0, value - half),
        high=min(1.0, value + half),
        evidence=log_mixture(found, terms.effect),
        rival=None if rival is None else log_mixture(rival, terms.effect),
        ahead=None if rival is None else rival.difference,
        **bounds,
    )


def drop_at(terms: Terms) -> float:
    """The bound below which a child is dropped, as a natural log.

    A child that is better by `effect` comes below `overlook` with the ratio of its own tilt with a chance of at most
    `overlook` (Wald); the mixture is at least its part of that ratio.
    """
    return log(terms.overlook / len(MIXED))


def record(documents: int, terms: Terms) -> int:
    """Trials a document of the fresh record of the baseline and of every survivor."""
    return ceil(REFERENCE / terms.effect**2 / documents)


def error_share(number: int, terms: Terms) -> float:
    """Share of the error budget of an iteration, from its number alone: error h / ((number + h - 1)(number + h)).

    It sums to error K / (K + h) over the first K iterations: half of the budget at the horizon h, never more than all of
    it, so a longer run extends a shorter one, and no order of finishing matters (the union bound asks for nothing
    else). A telescoping case of alpha spending, Foster and Stine 2008, J. R. Stat. Soc. B 70:429-444.
    """
    return terms.error * terms.horizon / ((number + terms.horizon - 1) * (number + terms.horizon))


def contend_after(terms: Terms) -> int:
    """Rollouts of a child after which it becomes a contender if it is ahead, or is dropped; 0: there are no contenders."""
    return ceil(CONTEND / terms.effect**2) if terms.contend is None else terms.contend


def most(terms: Terms) -> int:
    """Rollouts of a child after which it is decided on at the latest."""
    return terms.most or ceil(MOST / terms.effect**2)


def figures(look: Look) -> str:
    """The look in words."""
    if look.evidence is None:
        return "no document was measured for both"
    rival = "" if look.ahead is None else f"; {look.ahead:+.3f} against its parent"
    return (
        f"difference {look.difference:+.3f} on {look.documents} documents, {look.child_trials} rollouts against "
        f"{look.parent_trials}, log likelihood ratio {look.evidence:+.1f} (kept at {look.keep_at:.1f}, dropped at "
        f"{look.drop_at:.1f}){rival}"
    )


def block(contest: Contest, known: Tables, look: Look | None) -> Measure:
    """The next draws: first every document once for the child, then where a draw narrows the difference most.

    A draw of a document with spread v that has n draws narrows by v / (n (n + 1)), Neyman's allocation a draw at a time
    (Neyman 1934, J. R. Stat. Soc. 97:558-625). The parent's count `INVEST` times, as later children are compared
    with them too.
    """
    size = max(contest.terms.block, len(contest.child) // 4)
    unseen = np.flatnonzero(known.child_asked == 0)[:size]
    if len(unseen):
        bare = unseen[known.parent_asked[unseen] == 0]
        return Measure(named(contest, bare), named(contest, unseen), look)
    wide = spread(known.child + known.parent, prior=0.5)
    narrowing = np.concatenate([wide * INVEST, wide])
    counts = np.concatenate([known.parent_asked, known.child_asked])
    chosen, documents = narrowest(narrowing, counts, size), len(wide)
    return Measure(
        named(contest, chosen[chosen < documents]),
        named(contest, chosen[chosen >= documents] - documents),
        look,
    )


def narrowest(narrowing: np.ndarray, counts: np.ndarray, size: int) -> np.ndarray:
    """The places of so many more draws, each where one more narrows most, given those before it: shape (size,).

    Every draw of a place narrows less than the one before, so these are the `size` largest of all; of equal ones the
    first.
    """
    later = counts[:, None] + np.arange(size)
    gains = (narrowing[:, None] / (later * (later + 1))).ravel()
    large = np.flatnonzero(gains >= np.partition(gains, -size)[-size])
    return np.asarray(large[np.argsort(-gains[large], kind="stable")[:size]] // size)


def named(contest: Contest, places: np.ndarray) -> tuple[str, ...]:
    """Their documents."""
    return tuple(contest.documents[at] for at in places.tolist())
