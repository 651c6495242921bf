"""What a prompt's instructions ask for, as a real writer would take them: a strength in [0, 1] for each remedy.

A concept is understood when several facets of its meaning meet in one sentence, whatever the words; forbidding what
should be done, or shrugging at it, counts against it. The document never counts: see `reading.take_apart`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from harness.models.simulated.clauses import CAUSES, CLAUSES, Cause
from harness.models.simulated.lexicon import (
    FORBIDS,
    GENEROUS,
    LEAVES_DOCUMENT,
    POLARITY,
    SHRUGS,
    STATES_RESULT,
    TAKES_UP,
    WITHHOLDS_NOTHING,
    facets,
)

ROOMY = 9_000


DAMPING = 0.3
TOGETHER = 0.7
_SENTENCE = re.compile(r"(?<=[.!?])[\"')*]*\s+(?=[A-Z`\"'*(0-9-])|\n")
_ITEM = re.compile(r"\n(?=[ \t]*(?:[-*•#>]|\d+[.)]|<|```|$))|\n[ \t]*\n")
_NUMBER = re.compile(r"(?<![\w.])[+-]?(\d{1,2})(?![\w.]*\d)")
_COUNTED = re.compile(
    r"\d+ (?:to|-|–|or) \d+ (?:criteri\w*|of them|are|items?|positives?|negatives?|entries|words)"
)
_WORD_NUMBERS = {"seven": 7, "six": 6, "five": 5, "ten": 10, "eight": 8}


@dataclass(frozen=True)
class Reading:
    """One sentence as understood: (cause, strength) of what it asks, causes it shrugs at, and the harm it does."""

    asks: tuple[tuple[Cause, float], ...]
    shrugs: tuple[Cause, ...]
    harms: tuple[str, ...]


@dataclass(frozen=True)
class Brief:
    """Instructions as understood. strengths: 0 unasked .. 1 insisted on, below 0 discouraged.

    positive_only: how clearly no negative criteria are wanted. policy: value of rubric_policy that is asked for.
    heaviest: largest weight that is asked for. crowding: 0 for prompts of sensible length, rising with excess.
    """

    strengths: dict[Cause, float]
    harms: frozenset[str]
    positive_only: bool
    policy: Literal["signed", "positive-only", "both"]
    heaviest: int
    crowding: float
    wants_task: bool


def passages(text: str) -> list[tuple[str, ...]]:
    """Sentences in lower case, by paragraph or list item; hard-wrapped lines are joined."""
    found = []
    for block in _ITEM.split(text):
        joined = " ".join((block or "").split())
        found.append(tuple(part.strip().lower() for part in _SENTENCE.split(joined) if len(part.strip()) > 8))
    return [one for one in found if one]


@lru_cache(maxsize=16384)
def understand(sentence: str, shunning: bool = False) -> Reading:
    """One lower-case sentence. shunning: heed only what it turns down."""
    sentence = sentence.replace("’", "'")
    present = {
        name for name, pattern in facets().items() if name not in POLARITY and pattern.search(sentence)
    }
    if WITHHOLDS_NOTHING.search(sentence):
        present.discard("withhold")
    shuns = facets()["avoidance"].search(sentence) is not None
    backwards = forbids_what_is_good(sentence)
    dismissed = SHRUGS.search(sentence) is not None
    asks: dict[Cause, float] = {}
    shrugs: set[Cause] = set()
    for clause in CLAUSES:
        if (shunning and not clause.shun) or not present.issuperset(clause.facets.split()):
            continue
        if dismissed or (backwards and not clause.shun):
            shrugs.add(clause.cause)
        elif shuns or not clause.shun:
            doubtful = clause.damped and not present.isdisjoint(clause.damped.split())
            strength = clause.strength * (DAMPING if doubtful else 1)
            asks[clause.cause] = max(asks.get(clause.cause, 0.0), strength)
    shrugs.update(_spoils(sentence, present, shuns))
    for cause in shrugs:
        asks.pop(cause, None)
    return Reading(tuple(asks.items()), tuple(sorted(shrugs)), harms(sentence, present, shuns))


@lru_cache(maxsize=8192)
def together(part: tuple[str, ...]) -> Reading:
    """What neighbouring sentences ask for only when taken together, less firmly than one sentence would."""
    alone = {cause for one in part for cause in (*dict(understand(one).asks), *understand(one).shrugs)}
    asks: dict[Cause, float] = {}
    for first, second in pairwise(part):
        if SHRUGS.search(first) or SHRUGS.search(second) or not TAKES_UP.search(second):
            continue
        for cause, strength in understand(f"{first} {second}", shunning=True).asks:
            if cause not in alone:
                asks[cause] = max(asks.get(cause, 0.0), strength * TOGETHER)
    return Reading(tuple(asks.items()), (), ())


def _spoils(sentence: str, present: set[str], shuns: bool) -> set[Cause]:
    """Remedies whose opposite a sentence asks for outright."""
    found: set[Cause] = set()
    if "context" in present and not shuns and STATES_RESULT.search(sentence):
        found.add("leak")
    if LEAVES_DOCUMENT.search(sentence):
        found.add("generic")
    if "criterion" in present and not shuns and GENEROUS.search(sentence):
        found.add("lenient")
    return found


def forbids_what_is_good(sentence: str) -> bool:
    """Does a negation fall on what should be done ("do not require several steps"), without being turned round again?"""
    match = FORBIDS.search(sentence)
    if match is None:
        return False
    rest = sentence[match.start() :]
    return not facets()["exempting"].search(rest) and len(facets()["negation"].findall(rest)) == 1


def harms(sentence: str, present: set[str], shuns: bool) -> tuple[str, ...]:
    """What a sentence asks for that spoils a task."""
    found = []
    if "tamper" in present:
        found.append("tamper")
    if not shuns and "too easy" not in sentence and ("question" in present or "answer" in present):
        if "easy" in present:
            found.append("easy")
        if re.search(
            r"\b(?:ask|question|task)s?\b[^.]*\b(?:explain|describe|summari[sz]e|define|recall|recite)",
            sentence,
        ):
            found.append("recite")
        if "hopeless" in present:
            found.append("hopeless")
    return tuple(found)


@lru_cache(maxsize=4096)
def brief(instructions: str) -> Brief:
    """All instructions of a prompt together. A sentence that stands twice counts once."""
    parts = list(dict.fromkeys(passages(instructions)))
    found = list(dict.fromkeys(sentence for part in parts for sentence in part))
    missing = dict.fromkeys(CAUSES, 1.0)
    shrugged = dict.fromkeys(CAUSES, 0)
    spoiled: set[str] = set()
    for reading in [understand(sentence) for sentence in found] + [together(part) for part in parts]:
        for cause, strength in reading.asks:
            missing[cause] *= 1 - strength
        for cause in reading.shrugs:
            shrugged[cause] += 1
        spoiled.update(reading.harms)
    crowding = max(0.0, len(instructions) / ROOMY - 1)
    strengths = {
        cause: (1 - missing[cause]) * 0.3 ** shrugged[cause] / (1 + crowding) - 0.3 * min(1, shrugged[cause])
        for cause in CAUSES
    }
    return Brief(
        strengths,
        frozenset(spoiled),
        positive_only=any(_only_positive(one) for one in found),
        policy=_policy(found),
        heaviest=_heaviest(found),
        crowding=crowding,
        wants_task="question" in instructions and ("rubric" in instructions or "criteri" in instructions),
    )


def _only_positive(sentence: str) -> bool:
    return bool(facets()["no_negatives"].search(sentence)) and not SHRUGS.search(sentence)


def _policy(found: list[str]) -> Literal["signed", "positive-only", "both"]:
    """Which value of rubric_policy the instructions name where they speak of the field."""
    about = [one for one in found if "polic" in one]
    signed = any(re.search(r"[\"'`]signed[\"'`]|\bis signed\b", one) for one in about)
    positive = any(re.search(r"positive[-_ ]only", one) for one in about)
    if signed and positive:
        return "both"
    return "positive-only" if positive else "signed"


def _heaviest(found: list[str]) -> int:
    """The largest positive weight that is allowed: where several limits are named, the lowest."""
    limits = [10]
    for one in found:
        if not re.search(r"\bweight|\bpoints?\b", one):
            continue
        bare = _COUNTED.sub("", one)
        numbers = [int(number) for number in _NUMBER.findall(bare)]
        numbers += [value for word, value in _WORD_NUMBERS.items() if re.search(rf"\b{word}\b", bare)]
        sensible = [number for number in numbers if 5 <= number <= 10]
        if sensible and re.search(
            r"\bto\b|\bat most\b|\bbetween\b|\babove\b|\bup to\b|\bexceed|\bmax|\bcap|\blimit|–|-\d|\.\.",
            bare,
        ):
            limits.append(max(sensible))
    return min(limits)
