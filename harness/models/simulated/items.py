"""The simulated challenger's hand: one task about chains of effects, written with or without each of the known flaws.

Which flaws a task has is decided in `challenger.py`; what follows from them is up to those who read the text.
"""

import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from harness.models.simulated import world
from harness.models.simulated.sources import Source
from harness.models.simulated.world import Effect

Chain = tuple[str, ...]

TYPES = (
    ("prediction under intervention", "causal reasoning", "tracing interacting effects"),
    ("decision under competing effects", "weighing effects", "causal reasoning"),
    ("diagnosis from a change", "abductive reasoning", "tracing interacting effects"),
    ("comparison of outcomes", "comparative reasoning", "weighing effects"),
)
OPENINGS = (
    "The setting is {subject} as it is found in this design.",
    "Consider a system that is built around {subject}.",
    "A team maintains {subject} and is about to change one part of it.",
    "This task is set in the part of the system that deals with {subject}.",
)
DRIVERS = ("cache size", "concurrency", "batch size", "request rate")
PREMISE_ENDS = ("", " here", " in this design", ", and nothing else does")
CLOSINGS = (
    "Everything that is not named is held fixed.",
    "No other part of the system changes meanwhile.",
)
BROAD = (
    "Discusses how `{a}` and `{b}` are related.",
    "Shows an understanding of the role of `{b}`.",
    "Addresses the part that `{b}` plays in the behaviour.",
    "Mentions the effects on `{b}` and on `{a}`.",
)
VAGUE_NEGATIVES = (
    "Makes claims that are not sufficiently supported.",
    "Overlooks considerations that could matter.",
    "Is overconfident about how the system behaves.",
    "Oversimplifies the situation.",
    "Goes into matters that are not central to the question.",
)


@dataclass(frozen=True)
class Plan:
    """What a task is about. chains: from the changed term to each end; effects: where each term goes in the end.

    withheld: chains whose first link the context keeps to itself. leaked: terms whose fate the context gives away.
    """

    subject: str
    quote: str
    start: int
    chains: tuple[Chain, ...]
    effects: dict[str, Effect]
    withheld: tuple[Chain, ...] = ()
    leaked: tuple[str, ...] = ()

    @property
    def driver(self) -> str:
        return self.chains[0][0]

    @property
    def ends(self) -> Chain:
        return tuple(chain[-1] for chain in self.chains)

    @property
    def deciding(self) -> str:
        return world.decider(self.ends)


@dataclass(frozen=True)
class Style:
    """How the rubric is written."""

    positive_only: bool = False
    policy: str = "signed"
    heaviest: int = 10
    broad: bool = False
    vague_negatives: bool = False
    extra: dict[str, str] = field(default_factory=dict)


def plan(
    rng: random.Random, source: Source, flaws: frozenset[str], drivers: tuple[str, ...] = DRIVERS
) -> Plan:
    """Choose what the task is about. drivers: what a task begins with that needs no reading."""
    terms = list(source.terms[:36])
    rng.shuffle(terms)
    subject = f"the {terms[0]}" if terms else "a server under load"
    lengths = [1] * 6 if "shallow" in flaws else rng.choice(([3, 3, 2], [3, 2, 2], [2, 2, 2, 2], [3, 3, 3]))
    chains = (
        _common_chains(rng, lengths, drivers)
        if "generic" in flaws or len(terms) < 5
        else _own_chains(terms, lengths)
    )
    start = rng.choice((1, -1))
    effects: dict[str, Effect] = {}
    for chain in chains:
        direction = start
        for cause, result in pairwise(chain):
            one = world.effect(cause, result)
            direction *= one.direction
            effects[result] = Effect(direction, one.regime)
    withheld = tuple(chains[: max(1, len(chains) * 2 // 3)]) if "underspecified" in flaws else ()
    leaked = (
        tuple(term for chain in chains for term in chain[-2:] if term in effects) if "leak" in flaws else ()
    )
    quote = rng.choice(source.quotes).replace("`", "'") if source.quotes else ""
    return Plan(subject, quote, start, tuple(chains), effects, withheld, tuple(dict.fromkeys(leaked)))


def _own_chains(terms: list[str], lengths: list[int]) -> list[Chain]:
    """Disjoint chains of the document's terms behind one common driver, as many as the terms suffice for."""
    driver, rest = terms[1], terms[2:]
    chains = []
    for length in lengths:
        if len(rest) < length:
            break
        chains.append((driver, *rest[:length]))
        rest = rest[length:]
    return chains or [(driver, *rest)]


def _common_chains(rng: random.Random, lengths: list[int], drivers: tuple[str, ...]) -> list[Chain]:
    """Chains of effects that everybody in the field knows."""
    driver = rng.choice(drivers)
    used = {driver}
    chains = []
    for length in lengths:
        chain = [driver]
        while len(chain) <= length:
            following = [b for a, b in world.COMMON if a == chain[-1] and b not in used]
            if not following:
                break
            chain.append(rng.choice(following))
            used.add(chain[-1])
        if len(chain) > 1:
            chains.append(tuple(chain))
    return chains


def context(rng: random.Random, made: Plan) -> str:
    """The context: setting, premises in no particular order, and whatever it should have kept to itself."""
    sentences = []
    for chain in made.chains:
        pairs = list(pairwise(chain))
        for cause, result in pairs[1:] if chain in made.withheld else pairs:
            sentences.append(premise(rng, cause, result))
    rng.shuffle(sentences)
    opening = rng.choice(OPENINGS).format(subject=made.subject)
    if made.quote:
        opening += f' Of this it is known: "{made.quote}"'
    conclusions = [f"In the end {told(rng, term, made.effects[term])}." for term in made.leaked]
    return " ".join([opening, *sentences, *conclusions, rng.choice(CLOSINGS)])


def premise(rng: random.Random, cause: str, result: str, ends: tuple[str, ...] = PREMISE_ENDS) -> str:
    """A link in words, from either side."""
    forward = rng.random() < 0.6
    first, second = (f"`{cause}`", f"`{result}`") if forward else (f"`{result}`", f"`{cause}`")
    verb = rng.choice(world.FORWARD if forward else world.BACKWARD)
    return f"{first} {verb} {second}{rng.choice(ends)}."


def told(rng: random.Random, term: str, one: Effect, *, regime: bool = True) -> str:
    """A term's fate in words."""
    verb = rng.choice(world.RISING if one.direction > 0 else world.FALLING)
    phrase = f" {rng.choice(world.REGIMES[one.regime])}" if regime and one.regime is not None else ""
    return f"`{term}` {verb}{phrase}"


def question(rng: random.Random, made: Plan) -> str:
    """The question: what is changed, and what is asked about."""
    verb = rng.choice(world.RAISED if made.start > 0 else world.LOWERED)
    ends = [f"`{end}`" for end in made.ends]
    asked = ", ".join(ends[:-1]) + f" and {ends[-1]}" if len(ends) > 1 else ends[0]
    which = f" Which of {asked} decides the outcome?" if len(ends) > 1 else ""
    return (
        f"`{made.driver}` is {verb}. Predict which way {asked} go, and whether at once, with a delay, past a "
        f"threshold or up to a ceiling.{which}"
    )


def reference(rng: random.Random, made: Plan) -> str:
    """The reference answer, one sentence a chain."""
    parts = []
    for chain in made.chains:
        parts.append(", so ".join(told(rng, term, made.effects[term]) for term in chain[1:]) + ".")
    return (
        f"When `{made.driver}` is changed like this, {' '.join(parts)} `{made.deciding}` decides the outcome."
    )


def rubric(rng: random.Random, made: Plan, style: Style) -> list[dict[str, Any]]:
    """Criteria with their weights. Later effects weigh more than earlier ones."""
    rows = [_claim(rng, made, chain, at, style) for chain in made.chains for at in range(1, len(chain))]
    wanted = rng.randint(10, 12) if style.positive_only else rng.randint(7, 9)
    if len(made.chains) > 1:
        rows.append((f"Names `{made.deciding}` as the effect that decides the outcome.", 8))
    paths = [(chain, at) for chain in made.chains for at in range(1, len(chain))]
    rng.shuffle(paths)
    for chain, at in paths * 2:
        if len(rows) >= wanted:
            break
        rows.append(
            (f"Derives from `{chain[at - 1]}` that {told(rng, chain[at], made.effects[chain[at]])}.", 4)
        )
    rows = rows[: max(wanted, 10 if style.positive_only else 7)]
    positives = [
        _row(text, min(style.heaviest, max(1, weight + rng.randint(-1, 1))), "positive")
        for text, weight in rows
    ]
    return positives if style.positive_only else positives + _negatives(rng, made, style)


def _claim(rng: random.Random, made: Plan, chain: Chain, at: int, style: Style) -> tuple[str, int]:
    if style.broad and rng.random() < 0.8:
        return rng.choice(BROAD).format(a=chain[at - 1], b=chain[at]), 4 + at
    return f"States that {told(rng, chain[at], made.effects[chain[at]])}.", 3 + 2 * at


def _negatives(rng: random.Random, made: Plan, style: Style) -> list[dict[str, Any]]:
    count = rng.randint(3, 4)
    if style.vague_negatives:
        return [_row(text, -rng.randint(8, 10), "negative") for text in rng.sample(VAGUE_NEGATIVES, count)]
    terms = sorted(made.effects)
    rng.shuffle(terms)
    wrong = [(term, Effect(-made.effects[term].direction, None)) for term in terms]
    wrong += [(term, _other_regime(made.effects[term])) for term in terms * count]
    return [_row(f"Claims that {told(rng, *one)}.", -rng.randint(2, 5), "negative") for one in wrong[:count]]


def _other_regime(one: Effect) -> Effect:
    return Effect(one.direction, ((one.regime or 0) + 1) % len(world.REGIMES))


def _row(text: str, weight: int, category: str) -> dict[str, Any]:
    return {"criterion": text, "weight": weight, "category": category}
