"""A child of two candidates: a three-way merge of their files. The implementer is asked only where both changed the same
passage. The second parent is remembered by the iteration (`partner`); in git the child has one parent.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np

from evolve.asking import Unusable
from evolve.case import Case
from evolve.implementer import Workshop
from evolve.iteration import Candidate, Iteration, Proposal
from evolve.operators import Attempt
from evolve.operators.making import child_of, form, proposed, rejected, section
from evolve.operators.three_way import Clash, Merge, three_way
from evolve.population import Population, Standing
from evolve.quoting import line, quoted
from evolve.scope import FILE_BYTES, TOTAL_BYTES
from harness.gateway import Models
from harness.prompting import fitted, load, render

TEMPERATURE = 0.1
ABSENT = "(there is no such file)"
Links = Mapping[str, tuple[str, ...]]


class Store(Protocol):
    """Where candidates are stored: the Repository."""

    async def files(self, commit: str) -> dict[str, str]:
        """Path -> text of a commit. Raises StorageError."""
        ...

    async def merge(self, texts: tuple[str, str, str], signs: int) -> str:
        """Merge of (ours, base, theirs), clashes in diff3 style with markers of that length. Raises StorageError."""
        ...


async def make(models: Models, workshop: Workshop, store: Store, case: Case, partner: Candidate) -> Attempt:
    """Merge the partner's changes into the parent; `no_change` where one of the two already contains the other.

    Raises:
        OurFault, BudgetSpent: as models, workshop and store raise them.
    """
    base = nearest_common(case.seen, case.parent, partner)
    theirs = await store.files(partner.commit)
    merge = await three_way(await store.files(base.commit), case.files, theirs, store.merge)
    if problem := _pointless(case, partner, merge, theirs):
        return Attempt(None, Proposal("no_change", problem, "", None, ()))
    if not merge.clashes:
        return Attempt(None, await _clean(case, partner, merge, workshop))
    prompt = merge_prompt(case, partner, base, merge)
    return Attempt(None, await proposed(models, workshop, case, prompt, merge.files))


def _pointless(case: Case, partner: Candidate, merge: Merge, theirs: Mapping[str, str]) -> str:
    """Why there is nothing to merge; "" if there is."""
    if merge.clashes:
        return ""
    if merge.files == dict(case.files):
        return f"{case.parent.id} already contains everything that {partner.id} changed"
    if merge.files == dict(theirs):
        return f"{partner.id} already contains everything that {case.parent.id} changed"
    return ""


async def _clean(case: Case, partner: Candidate, merge: Merge, workshop: Workshop) -> Proposal:
    """The child of a merge without a clash; nobody is asked, so nothing that breaks is repaired."""
    told = changes(case.seen, partner, ancestors(links(case.seen), case.parent.id))
    summary = line(
        f"Merges {partner.id} into {case.parent.id}: {'; '.join(one.summary for one in told)}", 300
    )
    try:
        return await child_of(case, merge.files, summary, workshop)
    except Unusable as unusable:
        return rejected(unusable)


def partner(seen: Population, parent: Candidate, rng: np.random.Generator) -> Candidate | None:
    """A second candidate for a merge, drawn with Boltzmann weights of the scores; None if there is none.

    It is of the parent's arm, neither its ancestor nor its descendant, measured, and was not merged with it before.
    """
    fit = partners(seen, parent)
    if not fit:
        return None
    scores = np.array([one.score for one in fit])
    weights = np.exp((scores - scores.max()) / TEMPERATURE)
    return fit[int(rng.choice(len(fit), p=weights / weights.sum()))].candidate


def partners(seen: Population, parent: Candidate) -> list[Standing]:
    """Everybody whom `partner` may draw, in order of birth. A merge is possible if this is not empty."""
    known, tried = links(seen), _merged(seen)
    inherited = ancestors(known, parent.id)
    return [
        one
        for key, one in seen.standings.items()
        if one.trials
        and one.candidate.arm == parent.arm
        and one.candidate.tree != parent.tree
        and key not in inherited
        and parent.id not in ancestors(known, key)
        and frozenset((key, parent.id)) not in tried
    ]


def links(seen: Population) -> Links:
    """Candidate -> its parents; two if it came of a merge."""
    return {
        one.child.id: tuple(key for key in (one.child.parent, one.partner) if key is not None)
        for one in seen.iterations
        if one.child is not None
    }


def ancestors(known: Links, key: str) -> frozenset[str]:
    """A candidate and everybody whose changes it contains."""
    found: set[str] = set()
    open_ends = [key]
    while open_ends:
        at = open_ends.pop()
        if at not in found:
            found.add(at)
            open_ends += known.get(at, ())
    return frozenset(found)


def nearest_common(seen: Population, one: Candidate, other: Candidate) -> Candidate:
    """The youngest candidate whose changes both contain, no ancestor of another such one.

    Raises:
        ValueError: there is none; the two are not of one population.
    """
    known = links(seen)
    shared = ancestors(known, one.id) & ancestors(known, other.id)
    older = {key for at in shared for key in ancestors(known, at) - {at}}
    nearest = [seen.born[key] for key in shared - older if key in seen.born]
    if not nearest:
        raise ValueError(f"{one.id!r} and {other.id!r} have no common ancestor")
    return max(nearest, key=lambda candidate: candidate.iteration)


def changes(seen: Population, candidate: Candidate, known: Iterable[str]) -> list[Iteration]:
    """The iterations that made what the candidate has beyond the candidates in `known`, oldest first."""
    beyond = ancestors(links(seen), candidate.id) - frozenset(known)
    return [one for one in seen.iterations if one.child is not None and one.child.id in beyond]


def _merged(seen: Population) -> set[frozenset[str]]:
    """The pairs of which a merge was tried."""
    return {frozenset((one.parent, one.partner)) for one in seen.iterations if one.partner is not None}


def merge_prompt(case: Case, partner: Candidate, base: Candidate, merge: Merge) -> str:
    """The prompt: what each side's changes were for, every clash three times, and the files merged so far."""
    scope = fitted(section("What you may change"), file_bytes=str(FILE_BYTES), total_bytes=str(TOTAL_BYTES))
    shared = ancestors(links(case.seen), base.id)
    return render(
        load("evolve", "merge.md"),
        boundary=case.boundary,
        interface=fitted(section("The scaffold's interface")),
        scope=scope,
        ours=_told(case, case.parent, shared, "A"),
        theirs=_told(case, partner, shared, "B"),
        clashes="\n\n".join(_clash(case, number, one) for number, one in enumerate(merge.clashes, 1)),
        files="\n\n".join(
            quoted(case.boundary, f"file {path}", text) for path, text in sorted(merge.files.items())
        ),
        form=form(),
    )


def _told(case: Case, candidate: Candidate, shared: Iterable[str], name: str) -> str:
    total, trials = case.seen.sums.get(candidate.id, (0.0, 0))
    score = f"{total / trials:.2f} over {trials} trials" if trials else "not measured"
    rows = [f"- {line(one.summary, 300)}" for one in changes(case.seen, candidate, shared)]
    return quoted(case.boundary, f"side {name}", "\n".join([f"Held-out score: {score}.", *rows]))


def _clash(case: Case, number: int, clash: Clash) -> str:
    sides = (("base", clash.base), ("A", clash.ours), ("B", clash.theirs))
    rows = [f"## Clash {number}: {clash.path}"]
    for name, text in sides:
        shown = ABSENT if text is None else text.removesuffix("\n")
        rows.append(quoted(case.boundary, f"clash {number} {name} {clash.path}", shown))
    return "\n\n".join(rows)
