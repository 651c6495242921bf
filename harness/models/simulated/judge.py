"""The simulated judge: decides each criterion from the answer and the criterion's own words, and nothing else."""

import json
import random
import re
from dataclasses import dataclass
from functools import lru_cache

from harness.models.simulated import world
from harness.models.simulated.world import Effect

NOISE = 0.03
BOUNDARY = re.compile(r"two lines that read (.+?)\. Everything")
_CRITERION = re.compile(r"^(\d+)\. \[(POSITIVE|NEGATIVE)\] (.*)$", re.MULTILINE)
_COUNT = re.compile(r"exactly (\d+) entr")
_WORD = re.compile(r"[a-z][a-z-]{3,}")
_VAGUE = re.compile(
    r"support|overlook|overconfiden|oversimplif|central|superficial|unclear|vague|lack|ignor|incomplete|speculat"
    r"|irrelevant|unjustified|inaccura|imprecis|weak|poor|consideration|nuance",
    re.IGNORECASE,
)
_STYLE = re.compile(
    r"\b(?:words?|sentences?|length|long|short|concise|style|polite|tone|format\w*|grammar|spelling|paragraphs?"
    r"|well[- ]written|structured?|english|readable|fluent|clear(?:ly)?)\b",
    re.IGNORECASE,
)
_FRAME = (
    "that this with from states claims names shows discusses mentions addresses explains what which their"
)
_STOP = frozenset(_FRAME.split())


@dataclass(frozen=True)
class Answer:
    """An answer as read: what it claims, which terms and words it uses, how much it says."""

    text: str
    claims: dict[str, Effect]
    terms: frozenset[str]
    words: frozenset[str]
    deciders: frozenset[str]

    @property
    def confidence(self) -> float:
        """0 for a few cautious words .. 1 for a long answer that commits itself throughout."""
        return min(1.0, max(0.0, (len(self.text) - 450) / 500))


def reply(prompt: str, rng: random.Random) -> str:
    """The judgement as JSON, one entry for each criterion."""
    answer = read_answer(prompt)
    listed = prompt[prompt.rfind("## Criteria") :]
    criteria = {int(number): (kind, text) for number, kind, text in _CRITERION.findall(listed)}
    counted = _COUNT.search(listed)
    count = int(counted[1]) if counted else len(criteria)
    rows = []
    for number in range(1, min(count, 60) + 1):
        kind, text = criteria.get(number, ("POSITIVE", ""))
        met = rng.random() < probability(kind, text, answer)
        evidence = _evidence(text, answer) if met else "none"
        rows.append({"number": number, "evidence": evidence, "met": met})
    return json.dumps({"criteria": rows}, ensure_ascii=False)


def read_answer(prompt: str) -> Answer:
    """The answer between its boundary lines."""
    named = BOUNDARY.search(prompt)
    text = ""
    if named:
        _, opened, rest = prompt.partition(f"\n## Answer\n\n{named[1]}\n")
        text = rest.partition(f"\n{named[1]}\n")[0] if opened else ""
    return Answer(
        text,
        world.statements(text),
        frozenset(world.TERM.findall(text)),
        frozenset(_WORD.findall(text.lower())),
        frozenset(world.DECIDER.findall(text)),
    )


@dataclass(frozen=True)
class Criterion:
    """A criterion as read once for all answers."""

    claims: tuple[tuple[str, Effect], ...]
    decider: str | None
    terms: tuple[str, ...]
    words: frozenset[str]
    vague: bool
    style: bool


@lru_cache(maxsize=8192)
def read_criterion(text: str) -> Criterion:
    """What a criterion looks for."""
    named = world.DECIDER.search(text)
    return Criterion(
        tuple(world.statements(text).items()),
        named[1] if named else None,
        tuple(world.TERM.findall(text)),
        frozenset(_WORD.findall(text.lower())) - _STOP,
        _VAGUE.search(text) is not None,
        _STYLE.search(text) is not None,
    )


def probability(kind: str, text: str, answer: Answer) -> float:
    """How likely the judge is to call the criterion met."""
    wanted = read_criterion(text)
    if wanted.claims:
        met = all(_claimed(answer, term, one) for term, one in wanted.claims)
        return 1 - NOISE if met else NOISE
    if wanted.decider:
        return 1 - NOISE if wanted.decider in answer.deciders else NOISE
    if kind == "NEGATIVE" and wanted.vague and not wanted.terms:
        return 0.2 + 0.55 * answer.confidence
    if wanted.style:
        return 0.5
    if wanted.terms and kind == "NEGATIVE":
        return NOISE
    if wanted.terms:
        return 0.95 if answer.terms.issuperset(wanted.terms) else NOISE
    overlap = len(wanted.words & answer.words) / len(wanted.words) if wanted.words else 0.0
    return 0.92 if overlap >= 0.4 else NOISE


def _claimed(answer: Answer, term: str, wanted: Effect) -> bool:
    one = answer.claims.get(term)
    if one is None or one.direction != wanted.direction:
        return False
    return wanted.regime is None or one.regime == wanted.regime


def _evidence(text: str, answer: Answer) -> str:
    named = world.TERM.search(text)
    if not named:
        return answer.text[:60]
    at = answer.text.find(named[0])
    return answer.text[max(0, at) : max(0, at) + 60]
