"""The simulated writer's hand in the legal world: a client's message about chains of effects, and its banded rubric.

The chains, and what follows from them, are those of `items` and `world`; only who speaks and what is counted differ.
"""

import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

from harness.models.simulated import items
from harness.models.simulated.items import Plan
from harness.models.simulated.sources import Source
from harness.models.simulated.world import Effect

DRIVERS = ("late payments", "rent arrears", "notice period", "kept evidence")
LONGEST_TERM = 16
OPENINGS = (
    "I run a small firm and have signed something that has to do with {subject}.",
    "My business partner and I are at odds about {subject}.",
    "I am about to agree to a change in {subject} and want to know where I stand.",
    "We are three people in a workshop, and {subject} is giving us trouble.",
)
ENDS = ("", " in our case", " the way we work")
FRIENDS = ("A friend tells me that {told}.", "The other side admits that {told}.")
ASKS = (
    "For me, which way do {asked} go, and is that at once, with a delay, past a threshold or up to a ceiling?",
    "What should I expect of {asked}: up or down, and at once, later, past a threshold or up to a ceiling?",
)
CAPABILITIES = (
    "applying rules to new facts",
    "following consequences through",
    "weighing competing duties",
    "finding the decisive condition",
)
BESIDES = ("advising in plain words", "spotting what is not asked", "judging what comes first")
BROAD = (
    "Discusses how `{a}` and `{b}` bear on the client's position.",
    "Shows an understanding of the client's concern about `{b}`.",
    "Addresses `{b}` in the advice.",
    "Mentions `{b}` together with `{a}`.",
)
VAGUE_NEGATIVES = (
    "Makes claims that are not sufficiently supported.",
    "Overlooks considerations that could matter to a client.",
    "Is overconfident about the client's position.",
    "Oversimplifies the situation.",
)
PHRASES = (
    "Derives from `{cause}` that {told}.",
    "Advises the client on the footing that {told}.",
    "Warns the client in time that {told}.",
)
EXAMINER = "Discuss the rights and obligations of the parties."
RECAP = "The court held that the duty was broken."
YEAR = "The papers go back to 1931."
WORDY = (
    "I have lain awake over this for weeks and talked to everybody I know, my sister, the people next door, the man at "
    "the bank, and each of them told me something else, so that in the end I knew less than before."
)


def plan(rng: random.Random, source: Source, flaws: frozenset[str]) -> Plan:
    """Choose what the case is about: short terms only, since a message has to be short."""
    short = tuple(term for term in source.terms if len(term) <= LONGEST_TERM)
    return items.plan(rng, Source(short, ()), flaws, DRIVERS)


def shorter(made: Plan) -> Plan:
    """The same case with one chain less."""
    chains = made.chains[:-1]
    left = {term for chain in chains for term in chain}
    return replace(
        made,
        chains=chains,
        effects={term: one for term, one in made.effects.items() if term in left},
        withheld=tuple(chain for chain in made.withheld if chain in chains),
        leaked=tuple(term for term in made.leaked if term in left),
    )


def message(rng: random.Random, made: Plan, slips: frozenset[str]) -> str:
    """What the client writes. slips: of the client's voice, see `legal.VOICE`."""
    subject = made.subject if made.subject != "a server under load" else "an old contract"
    facts = []
    for chain in made.chains:
        pairs = list(pairwise(chain))
        for cause, result in pairs[1:] if chain in made.withheld else pairs:
            facts.append(items.premise(rng, cause, result, ENDS))
    rng.shuffle(facts)
    told = [
        rng.choice(FRIENDS).format(told=items.told(rng, term, made.effects[term])) for term in made.leaked
    ]
    extra = {"long": f"{WORDY} {WORDY}", "recap": RECAP, "year": YEAR}
    said = [text for name, text in extra.items() if name in slips]
    closing = [EXAMINER] if "exam" in slips else []
    return " ".join(
        [rng.choice(OPENINGS).format(subject=subject), *facts, *told, *said, ask(rng, made), *closing]
    )


def ask(rng: random.Random, made: Plan) -> str:
    """What is changed, and what the client wants to know."""
    verb = rng.choice(
        ("raised", "doubled", "increased") if made.start > 0 else ("lowered", "halved", "reduced")
    )
    ends = [f"`{end}`" for end in made.ends]
    asked = ", ".join(ends[:-1]) + f" and {ends[-1]}" if len(ends) > 1 else ends[0]
    which = " And which of them decides what I should do?" if len(ends) > 1 else ""
    return f"Now `{made.driver}` is {verb}. {rng.choice(ASKS).format(asked=asked)}{which}"


def capabilities(rng: random.Random) -> dict[str, list[str]]:
    """Those that the case is said to exercise."""
    return {"primary": rng.sample(CAPABILITIES, rng.choice((2, 3))), "secondary": rng.sample(BESIDES, 1)}


def rubric(
    rng: random.Random, made: Plan, named: dict[str, list[str]], flaws: frozenset[str]
) -> list[dict[str, Any]]:
    """Criteria with their bands: what comes last in a chain decides, what comes before supports it."""
    paths = [(chain, at) for chain in made.chains for at in range(1, len(chain))]
    rows = [claim(rng, made, chain, at, broad="lenient" in flaws) for chain, at in paths]
    if len(made.chains) > 1:
        rows.append((f"Says that `{made.deciding}` decides what the client should do.", "decisive"))
    wanted = rng.randint(14, 17)
    for phrase in PHRASES:
        rng.shuffle(paths)
        for chain, at in paths:
            if len(rows) < wanted:
                one = items.told(rng, chain[at], made.effects[chain[at]])
                rows.append((phrase.format(cause=chain[at - 1], told=one), "supporting"))
    vague = "misfire" in flaws
    wrong = rng.sample(VAGUE_NEGATIVES, 3) if vague else errors(rng, made)
    declared = [*named["primary"], *named["secondary"]]
    everything = [(text, kind, "positive") for text, kind in rows] + [
        (text, "error", "negative") for text in wrong
    ]
    return [
        {
            "number": number,
            "criterion": text,
            "category": category,
            "capability": declared[number % len(declared)],
            "weight_class": kind,
            "weight": weight(rng, kind, vague=vague),
        }
        for number, (text, kind, category) in enumerate(everything, 1)
    ]


def claim(rng: random.Random, made: Plan, chain: items.Chain, at: int, *, broad: bool) -> tuple[str, str]:
    """The criterion on one link, and its class."""
    kind = "decisive" if at == len(chain) - 1 else "substantial"
    if broad and rng.random() < 0.9:
        return rng.choice(BROAD).format(a=chain[at - 1], b=chain[at]), kind
    return f"States that {items.told(rng, chain[at], made.effects[chain[at]])}.", kind


def errors(rng: random.Random, made: Plan) -> list[str]:
    """One to three negative criteria that name a definite error."""
    terms = sorted(made.effects)
    rng.shuffle(terms)
    wrong = [(term, Effect(-made.effects[term].direction, None)) for term in terms[: rng.randint(1, 3)]]
    return [f"Claims that {items.told(rng, *one)}." for one in wrong]


def weight(rng: random.Random, kind: str, *, vague: bool) -> int:
    """A weight of the class's band; vague errors are punished hardest."""
    bands = {
        "decisive": (8, 10),
        "substantial": (5, 7),
        "supporting": (2, 4),
        "error": (-10, -8) if vague else (-5, -2),
    }
    return rng.randint(*bands[kind])
