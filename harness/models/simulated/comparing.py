"""What simulated models do besides attempting and marking: judges compare, agree and pick; solvers are probed.

A judge compares what two texts claim, in the language of `world.py`, and where they claim nothing in it by their words.
A solver without context falls back on what everybody knows, one without question on a guess at what will be asked.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

from harness.models.simulated import solvers, world
from harness.models.simulated.judge import BOUNDARY

ERRS = 0.03
UNSURE = 0.1
GUESSES = 0.5
SAME, OPEN = (
    0.35,
    0.15,
)  # shares of the reference's words that an answer has: the same result, or nothing to go by
_SUM = re.compile(r"What is (\d+) \+ (\d+)\? Answer with the number alone\.")
_EQUIVALENCE = "Decide whether they name the same object."
_AGREEMENT = "Decide whether the two come to the same result."
_PICK = "Pick the answer that you would trust most."
_CLOSED = "No context is given this time."
_WITHHELD = "The question is withheld."
_WORD = re.compile(r"[a-z][a-z-]{3,}")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NOISE = re.compile(r"\\(?:left|right|displaystyle|[dt]frac|[,;!: ])|[\s${}]|(?<=\w)\*(?=\w)")


@dataclass(frozen=True)
class Claims:
    """What a text claims: where each term goes, and which effect decides."""

    effects: dict[str, world.Effect]
    decider: str | None

    @classmethod
    def of(cls, text: str) -> "Claims":
        named = world.DECIDER.search(text)
        return cls(world.statements(text), named[1] if named else None)


def recognises(role: str, prompt: str) -> bool:
    """Whether the prompt is one of this world's."""
    return reader(role, prompt) is not None


def reply(role: str, prompt: str, rng: random.Random) -> str:
    """The answer to a prompt of this world."""
    answer = reader(role, prompt)
    assert answer is not None
    return answer(prompt, rng)


def reader(role: str, prompt: str) -> Callable[[str, random.Random], str] | None:
    """Who answers the prompt; None if it belongs elsewhere."""
    if _SUM.fullmatch(prompt.strip()):
        return added
    if role == "judge":
        asked = {_EQUIVALENCE: equivalent, _AGREEMENT: agreeing, _PICK: picked}
        return next((answer for words, answer in asked.items() if words in prompt[:600]), None)
    if role in ("weak", "strong") and _CLOSED in prompt and world.change(prompt):
        return lambda text, rng: without_context(role, text, rng)
    if role in ("weak", "strong") and _WITHHELD in prompt and world.LINK.search(prompt):
        return lambda text, rng: without_question(role, text, rng)
    return None


def added(prompt: str, rng: random.Random) -> str:
    """The sum."""
    found = _SUM.fullmatch(prompt.strip())
    assert found is not None
    return str(int(found[1]) + int(found[2]))


def sections(prompt: str) -> dict[str, str]:
    """Heading -> what stands between the two boundary lines below it."""
    named = BOUNDARY.search(prompt)
    if named is None:
        return {}
    edge = re.escape(named[1])
    found = re.findall(
        rf"^(?:## )?([A-Z][a-z]+(?: \d+)?)\n+{edge}\n(.*?)\n{edge}$", prompt, re.MULTILINE | re.DOTALL
    )
    return dict(found)


def verdict(word: str, reason: str, rng: random.Random) -> str:
    """The JSON of a comparison; now and then a wrong one."""
    if rng.random() < ERRS:
        word = rng.choice([other for other in ("same", "different", "unsure") if other != word])
    return json.dumps({"reason": reason, "verdict": word})


def equivalent(prompt: str, rng: random.Random) -> str:
    """Two short answers, compared as written: a simulated judge knows no algebra."""
    parts = sections(prompt)
    known, given = (
        _NOISE.sub("", parts.get(name, "")).lower().rstrip(".") for name in ("Reference", "Answer")
    )
    if known and (known == given or given.rpartition("=")[2] == known or known.rpartition("=")[2] == given):
        return verdict("same", "written alike", rng)
    if sorted(known) == sorted(given) or (known and rng.random() < UNSURE):
        return verdict("unsure", "perhaps only written differently", rng)
    return verdict("different", "written differently", rng)


def agreeing(prompt: str, rng: random.Random) -> str:
    """A reference answer and an answer in prose, compared by their conclusions."""
    parts = sections(prompt)
    reference, answer = Claims.of(parts.get("Reference", "")), Claims.of(parts.get("Answer", ""))
    if not reference.effects:
        return by_words(parts.get("Reference", ""), parts.get("Answer", ""), rng)
    asked = set(world.TERM.findall(parts.get("Question", ""))) & reference.effects.keys()
    results = [
        told(reference.effects[one], answer.effects.get(one)) for one in sorted(asked or reference.effects)
    ]
    counts = Counter(one for one in results if one)
    reason = f"{counts['agrees']} conclusions agree, {counts['contradicts']} contradict"
    if reference.decider and answer.decider:
        counts["agrees" if reference.decider == answer.decider else "contradicts"] += 1
    if 2 * counts.total() <= len(results):
        return verdict("unsure", f"little is said; {reason}", rng)
    return verdict("same" if counts["agrees"] > counts["contradicts"] else "different", reason, rng)


def told(known: world.Effect, given: world.Effect | None) -> str:
    """What an answer says about one conclusion; nothing if it leaves it open."""
    if given is None:
        return ""
    same = known.direction == given.direction and (
        None in (known.regime, given.regime) or known.regime == given.regime
    )
    return "agrees" if same else "contradicts"


def by_words(reference: str, answer: str, rng: random.Random) -> str:
    """The same for texts that claim nothing in the simulated language; a number that is not repeated is contradicted."""
    wanted = set(_WORD.findall(reference.lower()))
    share = len(wanted & set(_WORD.findall(answer.lower()))) / len(wanted) if wanted else 0.0
    numbers = set(_NUMBER.findall(reference)) - set(_NUMBER.findall(answer))
    word = "unsure" if share < OPEN else "different" if share < SAME or numbers else "same"
    return verdict(word, f"{share:.0%} of the reference's words", rng)


def picked(prompt: str, rng: random.Random) -> str:
    """The answer that the others agree with most."""
    texts = [text for name, text in sections(prompt).items() if name.startswith("Answer ")]
    support = [0.0] * len(texts)
    for one, other in combinations(range(len(texts)), 2):
        alike = likeness(texts[one], texts[other])
        support[one] += alike
        support[other] += alike
    best = max(support, default=0.0)
    number = rng.choice([at for at, one in enumerate(support, 1) if one >= best - 1e-9] or [1])
    if texts and rng.random() < ERRS:
        number = rng.randint(1, len(texts))
    return json.dumps({"reason": "most of the others come to the same", "number": number})


def likeness(one: str, other: str) -> float:
    """How far two answers come to the same, in [0, 1]."""
    first, second = world.statements(one), world.statements(other)
    shared = first.keys() & second.keys()
    if shared:
        return sum(told(first[term], second[term]) == "agrees" for term in shared) / len(
            first.keys() | second.keys()
        )
    words, others = set(_WORD.findall(one.lower())), set(_WORD.findall(other.lower()))
    return (
        len(words & others) / len(words | others) if words | others else float(one.strip() == other.strip())
    )


def without_context(role: str, prompt: str, rng: random.Random) -> str:
    """A solver's answer from what everybody knows: it puts the links of common knowledge where the context would be."""
    question = prompt[prompt.rfind("## Question") :]
    driver = world.change(question)
    ends = set(world.TERM.findall(question)) - {driver[0] if driver else ""}
    known = " ".join(
        f"`{cause}` acts on `{result}`." for cause, result in ways(driver[0] if driver else "", ends)
    )
    return attempted(role, f"## Context\n\n{known}\n\n{question}", rng)


def ways(driver: str, ends: set[str]) -> list[tuple[str, str]]:
    """The links of common knowledge that lead from the changed term to what is asked about."""
    wanted, found = set(ends), []
    before = -1
    while before != len(wanted):
        before = len(wanted)
        wanted |= {cause for cause, result in world.COMMON if result in wanted}
    reached, frontier = {driver}, [driver]
    for cause in frontier:
        for first, result in world.COMMON:
            if first == cause and result in wanted and result not in reached:
                reached.add(result)
                frontier.append(result)
                found.append((first, result))
    return found


def without_question(role: str, prompt: str, rng: random.Random) -> str:
    """A solver's conclusions from a context: what it states, and half the time a good guess at what will be asked."""
    at, end = prompt.find("## Context"), prompt.rfind("## Question")
    context = prompt[at:end]
    stated = [
        sentence.strip() for sentence in re.split(r"(?<=\.)\s+", context) if world.STATEMENT.search(sentence)
    ]
    parts = [f"The context itself says: {one}" for one in stated]
    causes = world.links(context)
    results = {result for found in causes.values() for result in found}
    drivers = [cause for cause in causes if cause not in results]
    if drivers and rng.random() < GUESSES:
        ends = " and ".join(f"`{one}`" for one in sorted(results - causes.keys()))
        guess = f"`{drivers[0]}` is {rng.choice(('raised', 'lowered'))}. Predict which way {ends} go."
        parts.append(attempted(role, f"{context}\n\n## Question\n\n{guess}", rng))
    else:
        parts += [
            f"`{cause}` bears on `{found[0]}`, one way or the other." for cause, found in causes.items()
        ]
    return " ".join(parts)


def attempted(role: str, prompt: str, rng: random.Random) -> str:
    """What that solver would answer."""
    return solvers.weak(f"\n{prompt}", rng) if role == "weak" else solvers.strong(f"\n{prompt}", rng)
