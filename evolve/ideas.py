"""What a run has learnt about ideas: which were refuted, which held, and how often predictions come true. Pure.

A refutation rests on few reruns and a dropped child on noisy scores, so every idea is told with the number of its tries.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from evolve.intervals import Interval, proportion
from evolve.iteration import KEPT, Claim, Iteration, Prediction
from evolve.predictions import UNNAMED, named
from evolve.quoting import line

LOOKS_BACK = 100
RATED = 1_000
ALIKE = 0.5
CHARACTERS = 8_000
MEASURED = (*KEPT, "dropped", "not_improved")
COMMON = frozenset(
    {"the", "and", "that", "this", "with", "for", "are", "not", "one", "can", "from", "which", "does"}
)


@dataclass(frozen=True)
class Try:
    """One iteration that acted on an idea. upheld: its prediction came true and the child was kept.

    why: what speaks for or against it. edit: what was changed, in the implementer's words.
    """

    iteration: int
    upheld: bool
    why: str
    edit: str


@dataclass(frozen=True)
class Idea:
    """A cause, or a change where none was diagnosed, with all its tries, newest first. title, kind: of the newest."""

    title: str
    kind: Claim
    tries: tuple[Try, ...]

    @property
    def upheld(self) -> int:
        """How many tries upheld it."""
        return sum(one.upheld for one in self.tries)


@dataclass(frozen=True)
class Rate:
    """How many documents named as fixes got better, and how many named as breaks got worse, each with its interval."""

    fixes: Interval
    breaks: Interval


@dataclass(frozen=True)
class HitRates:
    """Rates of what causes named, by kind and in all, beside those of the documents that no cause named.

    unnamed: of the same reruns, in which at least one fix, or one break, was checked. An edit that helps everywhere lifts
    both; what naming is worth is the difference. all: a document named by two causes counts twice.
    The intervals are Wilson's and take documents as independent. Those of one rerun share a child, so they are too narrow.
    """

    kinds: dict[Claim, Rate]
    all: Rate
    unnamed: Rate


def ideas(iterations: Sequence[Iteration]) -> tuple[Idea, ...]:
    """Every idea of the newest iterations that has been tested, the one tried last first; like titles are one idea.

    Of a surviving or dropped child count the causes whose prediction was checked, and those that predicted nothing if it
    was dropped. Where nothing was diagnosed, the change itself is the idea. The control arms teach evolution nothing.
    """
    measured = [one for one in iterations if one.outcome in MEASURED and one.arm == "evolution"]
    groups: list[tuple[frozenset[str], Idea]] = []
    for iteration in sorted(measured, key=lambda one: -one.number)[:LOOKS_BACK]:
        for title, kind, found in _tries(iteration):
            words = _words(title)
            at = next((at for at, (known, _) in enumerate(groups) if _alike(known, words)), None)
            if at is None:
                groups.append((words, Idea(title, kind, (found,))))
            elif groups[at][1].tries[-1].iteration != found.iteration:
                known, idea = groups[at]
                groups[at] = known, Idea(idea.title, idea.kind, (*idea.tries, found))
    return tuple(idea for _, idea in groups)


def refuted(known: Iterable[Idea]) -> tuple[Idea, ...]:
    """Ideas that were refuted more often than upheld."""
    return tuple(one for one in known if 2 * one.upheld < len(one.tries))


def lessons(known: Iterable[Idea]) -> tuple[Idea, ...]:
    """Ideas that were upheld at least as often as refuted."""
    return tuple(one for one in known if 2 * one.upheld >= len(one.tries))


def ideas_text(known: Sequence[Idea], limit: int = CHARACTERS) -> str:
    """One line an idea in at most about `limit` characters; how many do not fit is said at the end."""
    rows = list[str]()
    for place, one in enumerate(known):
        row = _row(one)
        if len(row) > limit:
            rows.append(f"- {len(known) - place} older ones are left out here.")
            break
        rows.append(row)
        limit -= len(row)
    return "\n".join(rows)


def hit_rates(iterations: Sequence[Iteration]) -> HitRates:
    """How often predictions came true, over the newest RATED iterations, of those whose child ran on the minibatch again."""
    reruns = [one.predictions for one in iterations[-RATED:] if one.predictions]
    claims = [one for rows in reruns for one in named(rows)]
    kinds: tuple[Claim, ...] = get_args(Claim)
    rates = {kind: _rate([one for one in claims if one.kind == kind]) for kind in kinds}
    return HitRates(
        {kind: rate for kind, rate in rates.items() if rate.fixes.trials or rate.breaks.trials},
        _rate(claims),
        Rate(_fixes(_unnamed(reruns, _has_fixes)), _breaks(_unnamed(reruns, _has_breaks))),
    )


def rates_text(rates: HitRates) -> str:
    """The rates as lines of text: counts, share and 95 % interval, those of unnamed documents last."""
    if not rates.all.fixes.trials:
        return "No prediction has been checked yet."
    rows = ["Failures named under `fixes` that got better in the edited scaffold's run (95 % interval):"]
    rows += [f"- {kind}: {_counted(one.fixes)}" for kind, one in rates.kinds.items() if one.fixes.trials]
    rows += [f"- all kinds: {_counted(rates.all.fixes)}"]
    rows += [
        f"- for comparison, failures of the same runs that no cause named: {_counted(rates.unnamed.fixes)}"
    ]
    if rates.all.breaks.trials:
        rows += [
            f"Accepted ones named under `breaks` that failed afterwards: {_counted(rates.all.breaks)}; "
            f"accepted ones of the same runs that no cause named: {_counted(rates.unnamed.breaks)}."
        ]
    return "\n".join(rows)


def _fate(one: Iteration) -> str:
    """What became of a measured child, and why: a survival rule's reason has its figures."""
    verb, why = "kept" if one.outcome in KEPT else "dropped", line(one.reason, 240)
    return f"{verb} ({why})" if why else verb


def _tries(one: Iteration) -> Iterator[tuple[str, Claim, Try]]:
    """What an iteration says of the ideas it acted on: title, kind and the try."""
    causes, kept = named(one.predictions), one.outcome in KEPT
    if not causes and one.summary and not kept:
        yield one.summary, "other", Try(one.number, False, f"the child was {_fate(one)}", one.summary)
    for cause in causes:
        if cause.outcome == "untested" and (kept or cause.fixes):
            continue  # nothing was predicted of a child that was kept, or the edit did not take the cause on
        upheld = kept and cause.outcome == "confirmed"
        yield (
            cause.title,
            cause.kind,
            Try(one.number, upheld, f"{_outcome(cause)}; the child was {_fate(one)}", one.summary),
        )


def _outcome(one: Prediction) -> str:
    if one.fixed is None:
        return "nothing was predicted"
    return f"{one.fixed} of {len(one.fixes)} failures named got better"


def _words(title: str) -> frozenset[str]:
    """The beginnings of the telling words."""
    found = re.findall(r"\w{3,}", title.lower())
    return frozenset(word[:5] for word in found if word not in COMMON)


def _alike(first: frozenset[str], second: frozenset[str]) -> bool:
    return first == second or len(first & second) > ALIKE * len(first | second)


def _row(one: Idea) -> str:
    count, upheld, last = len(one.tries), one.upheld, one.tries[0]
    numbers = ", ".join(str(each.iteration) for each in one.tries[:6])
    tried = "1 try" if count == 1 else f"{count} tries"
    edit = f" Edit: {line(last.edit, 160).rstrip('.')}." if last.edit not in ("", one.title) else ""
    return (
        f"- {line(one.title, 200)} ({one.kind}): {tried}, upheld {upheld}, refuted {count - upheld} "
        f"(iteration {numbers}).{edit} Last result: {last.why}."
    )


def _rate(claims: Sequence[Prediction]) -> Rate:
    return Rate(_fixes(claims), _breaks(claims))


def _fixes(rows: Iterable[Prediction]) -> Interval:
    counted = [(one.fixed, len(one.fixes)) for one in rows if one.fixed is not None]
    return proportion(sum(hits for hits, _ in counted), sum(count for _, count in counted))


def _breaks(rows: Iterable[Prediction]) -> Interval:
    counted = [(one.broken, len(one.breaks)) for one in rows if one.broken is not None]
    return proportion(sum(hits for hits, _ in counted), sum(count for _, count in counted))


def _has_fixes(one: Prediction) -> bool:
    return one.fixed is not None


def _has_breaks(one: Prediction) -> bool:
    return one.broken is not None


def _unnamed(
    reruns: Iterable[tuple[Prediction, ...]], checked: Callable[[Prediction], bool]
) -> list[Prediction]:
    """The rows of what no cause named, of the reruns in which a cause's claim was checked."""
    wanted = (rows for rows in reruns if any(checked(one) for one in named(rows)))
    return [one for rows in wanted for one in rows if one.title == UNNAMED]


def _counted(rate: Interval) -> str:
    if not rate.trials:
        return "none"
    hits = round(rate.value * rate.trials)
    return f"{hits} of {rate.trials}, {rate.value:.2f} [{rate.low:.2f}, {rate.high:.2f}]"
