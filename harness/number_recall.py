"""Does a task ask for a number that only has to be found in its document? Code alone, which errs towards no.

A number is recalled if the document states it, in a passage on what is asked, and it is neither given in context or
question nor comes out of the numbers there by a step of arithmetic. All on plain text; no model is asked.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import combinations, permutations

from harness.trajectory import Criterion, Example

HALF = 0.5
NEAR = 160  # characters on either side of a number in which the document speaks of it
SHARED = 2  # words that such a passage has in common with what is asked
BRIEF = 25  # words of a criterion that says no more than a number
MOST_GIVEN = 24  # numbers of which all pairs are tried
TOLERANCE = Decimal("0.005")

NUMERAL = re.compile(
    r"(?<![\w.])(?<![A-Za-z]-)(?P<whole>\d{1,3}(?:,\d{3})+|\d{1,15})(?P<part>\.\d{1,15})?(?![.,]?\d)(?!(?:st|nd|rd|th|[dD])\b)"
)
NAMED = re.compile(
    r"(?:\b(?:rfc|http|iso|ieee|pep|version|python|section|chapter|figure|fig|table|equation|eq|theorem|lemma"
    r"|example|exercise|page|step|line|status|code|item|appendix|issue|level|layer|phase|case|option)s?\.?"
    r"|[#(\[]|\n[ \t]*)[ \t]*$",
    re.IGNORECASE,
)
MARKER = re.compile(r"[.)\]]+(?:\s|$)")
MEASURES = (
    "number|percentage|percent|fraction|share|proportion|value|size|rate|ratio|score|accuracy|count|amount|length|width"
    "|depth|height|limit|threshold|year|date|temperature|speed|duration|total|average|mean|maximum|minimum|default|cost"
    "|price|latency|throughput|distance|weight|dimension|factor"
)
QUANTITY = re.compile(
    r"\bhow (?:many|much|often|large|big|long|high|fast|deep|far)\b"
    rf"|\b(?:what|which)\b(?: [\w'-]+){{0,4}}? (?:{MEASURES})s?\b"
    rf"|\b(?:state|give|name|report|recall|quote|find) (?:the|its|their)(?: [\w'-]+){{0,3}}? (?:{MEASURES})s?\b",
    re.IGNORECASE,
)
THOUGHT = re.compile(
    r"\b(?:why|would|could|should|suppose|assume|imagine|predict\w*|explain\w*|justif\w+|deriv\w+|argu\w+|estimat\w+"
    r"|comput\w+|calculat\w+|compar\w+|prov\w+|choos\w+|decid\w+|most likely|what happens)\b",
    re.IGNORECASE,
)
REASONED = re.compile(
    rf"{THOUGHT.pattern}|\b(?:because|since|so that|therefore|thus|hence|if|when|whenever|unless|leads?|causes?|due to"
    r"|rather than|depend\w*|impl(?:y|ies)|follows?|conclud\w+|outweigh\w*|dominat\w+|trade-?offs?|more than|less than"
    r"|at the (?:cost|expense))\b",
    re.IGNORECASE,
)
WORDS = """
two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
twenty
"""
SPELLED = {word: Decimal(number) for number, word in enumerate(WORDS.split(), 2)}
SPELLED_OUT = re.compile(rf"\b(?:{'|'.join(SPELLED)})\b", re.IGNORECASE)
COUNTED = re.compile(r"\bhow many ((?:[\w-]+ ){0,3}?[\w-]+)\b", re.IGNORECASE)
WORD = re.compile(r"[A-Za-z][A-Za-z-]{2,}")
FRAME = """
the and for are was were has have had does did that this these those with from into its their what which how many much
long often large when where who whom there here than then they them you your give state name report find according
document text paper source number value states says gives answer mentions correct
"""
STOP = frozenset(FRAME.split())


def number_recall(document: str, example: Example) -> str:
    """Why the task is only a look-up of a number, in one sentence; empty if it is not.

    Either the question asks for a quantity and nothing else, and all that the reference answer states in numbers is
    recalled; or at least half of the positive weight rests on criteria that say no more than a recalled number.
    """
    source = Source(document, example)
    if found := asked_for(source, example):
        told = ", ".join(f"{one:f}" for one in found)
        return f"The question asks for a number that only has to be found in the document: {told}."
    weight = sum(one.weight for one in example.rubric if one.weight > 0)
    bare = sum(one.weight for one in example.rubric if one.weight > 0 and only_a_number(source, one))
    if weight and bare >= HALF * weight:
        return (
            f"Criteria with {bare} of {weight} points ask for nothing but a number that stands in the document and that "
            "the context neither gives nor lets one work out."
        )
    return ""


@dataclass(frozen=True)
class Source:
    """A document, and what a solver is given of it."""

    document: str
    example: Example

    @cached_property
    def given(self) -> frozenset[Decimal]:
        """Numbers in context and question, spelled out or not."""
        text = f"{self.example.context}\n{self.example.question}"
        return frozenset(numbers(text)) | frozenset(SPELLED[one.lower()] for one in SPELLED_OUT.findall(text))

    @cached_property
    def places(self) -> dict[Decimal, list[frozenset[str]]]:
        """Number -> the words around each of its places in the document."""
        found: dict[Decimal, list[frozenset[str]]] = {}
        for value, at in (*located(self.document), *spelled(self.document)):
            around = stems(self.document[max(0, at - NEAR) : at + NEAR])
            found.setdefault(value, []).append(around)
        return found

    def states(self, value: Decimal, about: frozenset[str]) -> bool:
        """Whether the document states the number in a passage on what is asked."""
        needed = min(SHARED, len(about))
        return any(len(around & about) >= needed for around in self.places.get(value, ()))

    def worked_out(self, value: Decimal) -> bool:
        """Whether the number is given or comes out of given ones."""
        return value in self.given or derivable(value, self.given)

    def recalled(self, values: Iterable[Decimal], about: str) -> tuple[Decimal, ...]:
        """The numbers among these that are recalled; none if one of the others is neither given nor worked out."""
        words = stems(about)
        rest = [value for value in dict.fromkeys(values) if not self.worked_out(value)]
        return tuple(rest) if all(self.states(value, words) for value in rest) else ()


def asked_for(source: Source, example: Example) -> tuple[Decimal, ...]:
    """The recalled numbers that a question asks for, if it asks for a quantity and calls for no thought."""
    question = example.question
    if not QUANTITY.search(question) or THOUGHT.search(question):
        return ()
    answer = example.reference_answer
    stated = list(numbers(answer)) or counted(question, answer)
    return source.recalled(stated, question)


def counted(question: str, answer: str) -> list[Decimal]:
    """The number word of an answer to "how many things", if it stands right before these things or alone."""
    things = COUNTED.search(question)
    if not things:
        return []
    wanted = stems(things[1])
    found = [
        (SPELLED[one[0].lower()], answer[one.end() : one.end() + 40]) for one in SPELLED_OUT.finditer(answer)
    ]
    alone = len(answer.split()) <= 3
    return [value for value, after in found if alone or stems(after) & wanted][:1]


def only_a_number(source: Source, criterion: Criterion) -> bool:
    """Whether a criterion is met by a recalled number and asks for no reason or condition."""
    text = criterion.criterion
    if REASONED.search(text) or len(text.split()) > BRIEF:
        return False
    return bool(source.recalled(numbers(text), text))


def numbers(text: str) -> Iterator[Decimal]:
    """The numbers of a text in their order."""
    return (value for value, _ in located(text))


def located(text: str) -> Iterator[tuple[Decimal, int]]:
    """Numbers with their places: neither parts of names, versions and ordinals nor what things are numbered with."""
    for found in NUMERAL.finditer(text):
        before = (
            f"\n{text[: found.start()][-16:]}"
            if found.start() < 16
            else text[found.start() - 16 : found.start()]
        )
        named = NAMED.search(before)
        if named and (named[0].strip() not in ("", "(", "[", "#") or MARKER.match(text, found.end())):
            continue
        yield Decimal(found["whole"].replace(",", "") + (found["part"] or "")).normalize(), found.start()


def spelled(text: str) -> Iterator[tuple[Decimal, int]]:
    """Number words with their places."""
    return ((SPELLED[one[0].lower()], one.start()) for one in SPELLED_OUT.finditer(text))


def stems(text: str) -> frozenset[str]:
    """The first letters of the words that carry meaning, so that plural and past tense make no difference."""
    return frozenset(word[:5].rstrip("s") for word in WORD.findall(text.lower()) if word not in STOP)


def derivable(value: Decimal, given: frozenset[Decimal]) -> bool:
    """Whether one step of arithmetic with given numbers comes to this value, to within half a percent."""
    known = sorted(given)[:MOST_GIVEN]
    return any(abs(one - value) <= TOLERANCE * abs(value) for one in results(known))


def results(known: list[Decimal]) -> Iterator[Decimal]:
    """What comes out of one number doubled or halved, two by any operation or as a percentage, or three in a row."""
    for one in known:
        yield from (2 * one, one / 2, one * one, 100 - one, 1 - one)
    for one, other in permutations(known, 2):
        yield from (one + other, one - other, one * other)
        yield from (one * (100 + other) / 100, one * (100 - other) / 100, one * other / 100)
        if other:
            yield from (one / other, 100 * one / other, 100 * (one - other) / other)
    for one, other, third in combinations(known[:12], 3):
        yield from (one + other + third, one * other * third)
