"""The simulated solvers: they see context and question only, follow the links that are there, and make mistakes.

The strong solver follows long chains nearly as well as short ones; the weak one loses the thread.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from harness.models.simulated import world
from harness.models.simulated.world import Effect

CONTEXT = "\n## Context\n"
QUESTION = "\n## Question\n"
_WORD = re.compile(r"[A-Za-z][A-Za-z-]{3,}")


@dataclass(frozen=True)
class Ability:
    """Probabilities of being right. first: on the first link of a chain; fading: lost with each further link."""

    first: float
    fading: float
    deciding: float
    omits: float
    wordy: bool


WEAK = Ability(first=0.89, fading=0.2, deciding=0.5, omits=0.06, wordy=False)
STRONG = Ability(first=0.92, fading=0.02, deciding=0.85, omits=0.01, wordy=True)
EASY, HARD = 0.95, 0.2
KNOWN = 0.97
COPIED = 0.98


@dataclass(frozen=True)
class Task:
    """A context and question as a solver understands them. order: causes before results, with the depth of each."""

    driver: str | None
    start: int
    steps: tuple[tuple[str, str, int], ...]
    lost: tuple[str, ...]
    ends: tuple[str, ...]
    given: dict[str, Effect]
    given_decider: str | None
    words: tuple[str, ...]


def weak(prompt: str, rng: random.Random) -> str:
    """The weak solver's answer."""
    return answer(WEAK, prompt, rng)


def strong(prompt: str, rng: random.Random) -> str:
    """The strong solver's answer."""
    return answer(STRONG, prompt, rng)


def answer(ability: Ability, prompt: str, rng: random.Random) -> str:
    """Work through a task, step by step."""
    task = understand(prompt)
    if task.driver is None or not (task.steps or task.lost):
        return general(task, rng)
    parts = [_start(ability, task)]
    believed: dict[str, int] = {task.driver: task.start}
    for cause, result, depth in task.steps:
        parts.append(_step(ability, task, (cause, result, depth), believed, rng))
    parts += [_lost(ability, task, term, rng) for term in task.lost]
    if len(task.ends) > 1:
        parts.append(_decide(ability, task, rng))
    if ability.wordy:
        parts.append("Taken together, these effects follow from the premises with no further assumption.")
    return " ".join(part for part in parts if part)


@lru_cache(maxsize=512)
def understand(prompt: str) -> Task:
    """Find driver, links and what is asked in a rendered solver prompt."""
    at = prompt.find(CONTEXT)
    end = prompt.rfind(QUESTION)
    context = prompt[at + len(CONTEXT) : end] if 0 <= at < end else prompt
    question = prompt[end + len(QUESTION) :] if end >= 0 else prompt
    changed = world.change(question) or world.change(context)
    driver, start = changed or (None, 1)
    asked = tuple(dict.fromkeys(term for term in world.TERM.findall(question) if term != driver))
    steps = _walk(world.links(context), driver)
    reached = {result for _, result, _ in steps}
    named = world.DECIDER.search(context)
    return Task(
        driver,
        start,
        steps,
        tuple(term for term in asked if term not in reached),
        asked if "decides" in question else (),
        world.statements(context),
        named[1] if named else None,
        tuple(dict.fromkeys(word.lower() for word in _WORD.findall(f"{question} {context}")))[:60],
    )


def _walk(links: dict[str, list[str]], driver: str | None) -> tuple[tuple[str, str, int], ...]:
    """Cause, result and depth of every link that can be reached from the driver, causes first."""
    steps: list[tuple[str, str, int]] = []
    seen = {driver}
    frontier = [(driver, 0)] if driver else []
    for cause, depth in frontier:
        for result in links.get(cause, ()):
            if result not in seen:
                seen.add(result)
                steps.append((cause, result, depth + 1))
                frontier.append((result, depth + 1))
    return tuple(steps)


def _start(ability: Ability, task: Task) -> str:
    deepest = max((depth for _, _, depth in task.steps), default=0)
    if deepest == 1 and not task.lost:
        return "This follows directly in one step from what is given."
    if ability.wordy:
        return f"I follow the change of `{task.driver}` through the system one step at a time."
    return ""


def _step(
    ability: Ability, task: Task, step: tuple[str, str, int], believed: dict[str, int], rng: random.Random
) -> str:
    """One sentence on one link; what is believed of its cause carries over to its result, mistakes included."""
    cause, result, _ = step
    given = task.given.get(result)
    if given and rng.random() < COPIED:
        believed[result] = given.direction
        return f"As the context says, {_told(result, given, rng)}."
    true = world.effect(cause, result)
    common = (cause, result) in world.COMMON
    right = rng.random() < (KNOWN if common else _chance(ability, step))
    one = true if right else _mistaken(true, rng)
    direction = believed.get(cause, 1) * one.direction
    believed[result] = direction
    if rng.random() < ability.omits:
        return ""
    told = _told(result, Effect(direction, one.regime), rng)
    if common:
        return f"It is well known in the field how `{cause}` bears on this: {told}."
    return f"Through `{cause}`, {told}{_reason(ability, rng)}."


def _chance(ability: Ability, step: tuple[str, str, int]) -> float:
    """Probability of getting one link right. Some links come easily to a solver, others do not, every time anew."""
    cause, result, depth = step
    ease = crc32(f"{ability.first}{cause}\0{result}".encode("utf-8", "replace")) % 1000 / 1000
    middle = ability.first - ability.fading * (depth - 1)
    return EASY if ease < (middle - HARD) / (EASY - HARD) else HARD


def _mistaken(true: Effect, rng: random.Random) -> Effect:
    """A wrong idea of a link: the wrong way, the wrong circumstances, or both."""
    regime = (true.regime or 0) + rng.randint(1, len(world.REGIMES) - 1)
    direction = -true.direction if rng.random() < 0.6 else true.direction
    return Effect(direction, regime % len(world.REGIMES))


def _told(term: str, one: Effect, rng: random.Random) -> str:
    verb = rng.choice(world.RISING if one.direction > 0 else world.FALLING)
    phrase = f" {rng.choice(world.REGIMES[one.regime])}" if one.regime is not None else ""
    return f"`{term}` {verb}{phrase}"


def _reason(ability: Ability, rng: random.Random) -> str:
    if not ability.wordy:
        return ""
    return rng.choice(
        (
            ", which the premises force",
            ", because the link passes the change on",
            ", and this carries over",
            "",
        )
    )


def _lost(ability: Ability, task: Task, term: str, rng: random.Random) -> str:
    """A term that is asked about but that nothing in the context connects to the change."""
    guess = f"My guess is that {_told(term, Effect(rng.choice((1, -1)), rng.randrange(4)), rng)}."
    if ability.wordy:
        missing = f"The context does not say how `{term}` is connected to `{task.driver}`, so this cannot be worked out."
        return f"{missing} {guess}" if rng.random() < 0.5 else missing
    return guess if rng.random() < 0.7 else f"It is hard to say what happens to `{term}`."


def _decide(ability: Ability, task: Task, rng: random.Random) -> str:
    true = world.decider(task.ends)
    if task.given_decider:
        return f"As the context says, `{task.given_decider}` decides the outcome."
    common = all(end in world.COMMON_TERMS for end in task.ends)
    if rng.random() < (KNOWN if common else ability.deciding):
        return f"Of these, `{true}` decides the outcome."
    return f"Of these, `{rng.choice([end for end in task.ends if end != true])}` decides the outcome."


def general(task: Task, rng: random.Random) -> str:
    """Prose on a task without premises to reason from: both solvers know it equally well."""
    words = list(task.words)
    start = rng.randint(0, 3)
    return (
        "This can be answered from general knowledge; it is well known in the field. What matters here: "
        f"{', '.join(words[start:])}. The answer follows directly."
    )


Responder = Callable[[str, random.Random], str]
