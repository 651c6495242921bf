"""What a diagnosis predicts of its minibatch, and what the child did there. Pure: no model, no disk.

A failure that is run again improves by luck alone now and then, so what was predicted is only worth something beside what
happened to the rest. Hence the last row of `checked`, under no title: failures and passes that no tested cause named.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from evolve.iteration import Diagnosis, Evaluation, Prediction, Proposal
from evolve.margins import margin
from harness.trajectory import Rollout

UNNAMED = ""
NEARER = 0.1
TAKEN = re.compile(r"^[#>*\- \t`]*CAUSES[*`]*:[*` \t]*(\d[\d ,;&]*(?:and \d+)?)", re.MULTILINE)
BLOCK = "<<<<<<<"


def predicted(diagnosis: Diagnosis, minibatch: Evaluation) -> tuple[Prediction, ...]:
    """One prediction a cause, in their order, with document ids in place of the numbers of the rollouts.

    Rollout n is the n-th of the minibatch, as `case.exchanges_text` numbers them. Dropped are numbers that it does not
    have, fixes that name no failure, and breaks that name no accepted one: there is nothing to check.
    """
    failed = _numbered(minibatch, passed=False)
    passed = _numbered(minibatch, passed=True)
    return tuple(
        Prediction(one.kind, one.title, _known(one.fixes, failed), _known(one.breaks, passed))
        for one in diagnosis.causes
    )


def checked(
    predictions: Sequence[Prediction], minibatch: Evaluation, rerun: Evaluation, taken: Collection[int] = ()
) -> tuple[Prediction, ...]:
    """The predictions with what the child did, and one row more for the documents that none of the tested ones named.

    taken: numbers of the causes that the edit takes on, from 1; empty: all. What it does not take on stays untested.
    fixes and breaks of a tested one are narrowed to the documents that both runs have a score for; what is missing is not
    counted. `confirmed`: more than half of the fixes that could be compared got better; half of two would be reached by
    luck more often than not (see `better`). Without predictions: no rows.

    Raises:
        ValueError: the two runs were measured by different instruments.
    """
    if not predictions:
        return ()
    pairs = _pairs(minibatch, rerun)
    tested = [at for at in range(len(predictions)) if not taken or at + 1 in taken]
    rows = [_checked(one, pairs) if at in tested else one for at, one in enumerate(predictions)]
    named = {document for at in tested for document in (*rows[at].fixes, *rows[at].breaks)}
    return (*rows, _rest(pairs, named))


def improved(minibatch: Evaluation, rerun: Evaluation) -> bool:
    """Whether at least one failure of the parent got better in the child's rerun, the cheapest sign of an effect.

    True as well where nothing speaks against the child: the parent had no failure, or none could be compared.

    Raises:
        ValueError: the two runs were measured by different instruments.
    """
    failures = [pair for pair in _pairs(minibatch, rerun).values() if not _passed(pair[0])]
    return not failures or any(better(*pair) for pair in failures)


def better(before: Rollout, after: Rollout) -> bool:
    """A higher score; or the same score and at least NEARER closer to acceptance: half the width of a stage.

    Luck does that too: of 104 failures of the baseline in the simulated cs world, 37 % got better when it was run again
    unchanged (22 % by score alone), and 60 % (38 %) under two strong remedies. The margin thus tells the two apart sooner.
    """
    if before.score != after.score:
        return (after.score or 0.0) > (before.score or 0.0)
    old, new = margin(before), margin(after)
    return old is not None and new is not None and new - old > NEARER - 1e-9


def named(predictions: Iterable[Prediction]) -> tuple[Prediction, ...]:
    """The predictions of causes, without the row of what none of them named."""
    return tuple(one for one in predictions if one.title != UNNAMED)


def taken_up(proposal: Proposal) -> frozenset[int]:
    """Numbers of the causes that the edit takes on, empty if it does not say.

    They are in the last line `CAUSES: 1, 3` that stands before the edit blocks of the implementer's last reply.
    """
    replies = [one.reply for one in proposal.exchanges if one.role == "implementer"]
    said = TAKEN.findall(replies[-1].partition(BLOCK)[0]) if replies else []
    return frozenset(map(int, re.findall(r"\d{1,3}", said[-1]))) if said else frozenset()


def _numbered(minibatch: Evaluation, *, passed: bool) -> dict[int, str]:
    """Number -> document of the rollouts with a score that passed, or that failed."""
    numbered = enumerate(minibatch.rollouts, 1)
    return {at: one.document for at, one in numbered if one.score is not None and _passed(one) == passed}


def _known(numbers: Iterable[int], documents: dict[int, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(documents[one] for one in sorted(numbers) if one in documents))


def _passed(rollout: Rollout) -> bool:
    return rollout.score == 1


def _pairs(minibatch: Evaluation, rerun: Evaluation) -> dict[str, tuple[Rollout, Rollout]]:
    """Document -> its rollouts under parent and child, where both have a score."""
    if minibatch.instrument != rerun.instrument:
        raise ValueError(f"instruments differ: {minibatch.instrument!r} and {rerun.instrument!r}")
    after = dict(_scored(rerun))
    return {key: (one, after[key]) for key, one in _scored(minibatch) if key in after}


def _scored(evaluation: Evaluation) -> Iterator[tuple[str, Rollout]]:
    return ((one.document, one) for one in evaluation.rollouts if one.score is not None)


def _checked(one: Prediction, pairs: dict[str, tuple[Rollout, Rollout]]) -> Prediction:
    fixes = tuple(key for key in one.fixes if key in pairs)
    breaks = tuple(key for key in one.breaks if key in pairs)
    fixed = sum(better(*pairs[key]) for key in fixes) if fixes else None
    broken = sum(_worse(*pairs[key]) for key in breaks) if breaks else None
    outcome: Literal["untested", "confirmed", "refuted"] = "untested"
    if fixed is not None:
        outcome = "confirmed" if 2 * fixed > len(fixes) else "refuted"
    return replace(
        one,
        fixes=fixes or one.fixes,
        breaks=breaks or one.breaks,
        fixed=fixed,
        broken=broken,
        outcome=outcome,
    )


def _worse(before: Rollout, after: Rollout) -> bool:
    return (after.score or 0.0) < (before.score or 0.0)


def _rest(pairs: dict[str, tuple[Rollout, Rollout]], named: set[str]) -> Prediction:
    """What happened to the documents that no tested prediction named."""
    others = {key: pair for key, pair in pairs.items() if key not in named}
    failures = tuple(key for key, (before, _) in others.items() if not _passed(before))
    passes = tuple(key for key, (before, _) in others.items() if _passed(before))
    fixed = sum(better(*others[key]) for key in failures) if failures else None
    broken = sum(_worse(*others[key]) for key in passes) if passes else None
    return Prediction("other", UNNAMED, failures, passes, fixed, broken)
