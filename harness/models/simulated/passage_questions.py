"""Real sentences made into questions whose answer stands in them, and what a reader finds for such a question.

Both directions are here, so that challenger and solvers of this world share a language and nothing else: a cloze shows
a sentence with a gap, a `which` or `what` question puts the subject of a sentence in question, a choice names two words.
"""

import random
import re
from dataclasses import dataclass
from functools import lru_cache

GAP = "____"
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(`])")
NUMBER = re.compile(r"(?<![\w.,#-])\d[\d,]*(?:\.\d+)?(?![\w.,-]*\w)")
TERM = re.compile(
    r"(?<![\w.\"'/-])(?:[a-z]+[A-Z_]\w*|[A-Z]{2,}[A-Z0-9_]*|[a-z0-9]+_\w+|[A-Z][a-z]{2,}[A-Z]\w*)(?:\(\))?(?![\w\"'/-])"
)
VERBS = "is|are|was|were|has|have|can|must|will|takes|returns|uses|contains|may|causes|allows|provides|does|reads|writes"
NAMED = re.compile(rf"^(?:The|An|A) ([\w()%.]+) ([a-z]{{4,14}}) ((?:{VERBS}) .{{15,150}})[.]$")
SUBJECT = re.compile(rf"^((?:The |An? )?(?:[\w()'-]+ ){{1,4}}?)((?:{VERBS}) .{{15,150}})[.]$")
OPENINGS = """
it this that there they these those if you we other each what which note but so in when one i he she such some and or
all here both most many no not for as at by on to with any
"""
VAGUE = frozenset(OPENINGS.split())
FORCED = {
    "according": "to", "instead": "of", "because": "of", "rather": "than", "such": "as", "depends": "on", "based": "on",
    "due": "to", "able": "to", "number": "of", "used": "to", "consists": "of", "more": "than", "less": "than",
    "order": "to", "part": "of", "list": "of", "set": "of", "similar": "to", "same": "as", "need": "to", "size": "of",
    "value": "of", "end": "of", "case": "of", "name": "of", "kind": "of", "want": "to", "at": "least", "associated": "with",
    "different": "from", "equal": "to", "refers": "to", "form": "of", "type": "of", "well": "as", "out": "of",
}  # fmt: skip
WHICH_GAP = "Which word or number is missing here?"
QUOTED = re.compile(r'"(.*)"', re.DOTALL)
CHOICE = re.compile(r"^(.*), (\S+) or (\S+)\?$", re.DOTALL)


@dataclass(frozen=True)
class Question:
    """A question about one sentence. kind: as the domain names kinds of answers."""

    text: str
    answer: str
    kind: str
    sentence: str


@lru_cache(maxsize=1024)
def sentences(passage: str) -> tuple[str, ...]:
    """The sentences of a passage on one line each."""
    return tuple(" ".join(one.split()) for one in SENTENCE_END.split(passage.strip()) if one.strip())


def good(passage: str) -> list[Question]:
    """Questions that only the passage answers, one for every number, name and subject that stands in it just once."""
    found: list[Question] = []
    for one in sentences(passage):
        if not 40 <= len(one) <= 260:
            continue
        for pattern, kind in ((NUMBER, "number"), (TERM, "string")):
            found += [
                Question(gapped(one, match.span()), match[0], kind, one)
                for match in pattern.finditer(one)
                if passage.count(match[0]) == 1 and match.start() > 15
            ]
        if (asked := about_subject(one)) is not None:
            found.append(asked)
    return found or plain_gaps(passage)


def plain_gaps(passage: str) -> list[Question]:
    """The same for a passage without names and numbers: gaps for long words that stand in it just once."""
    return [
        Question(gapped(one, match.span()), match[0], "string", one)
        for one in sentences(passage)
        for match in re.finditer(r"(?<= )[a-z]{7,}(?= )", one)
        if len(one) <= 260 and passage.count(match[0]) == 1
    ]


def gapped(sentence: str, span: tuple[int, int]) -> str:
    """The sentence with a gap in it, as a question."""
    return f'{WHICH_GAP} "{sentence[: span[0]]}{GAP}{sentence[span[1] :]}"'


def about_subject(sentence: str) -> Question | None:
    """The subject of a sentence put in question, if it has a plain one."""
    if match := NAMED.match(sentence):
        return Question(f"Which {match[2]} {match[3]}?", match[1], "string", sentence)
    match = SUBJECT.match(sentence)
    if match is None or match[1].split()[0].lower() in VAGUE:
        return None
    return Question(f"What {match[2]}?", match[1].strip(), "string", sentence)


def forced(passage: str) -> list[Question]:
    """Questions that grammar answers: the word before the gap leaves one word to follow it."""
    found = []
    for one in sentences(passage):
        for match in re.finditer(r"\b(\w+) (\w+)\b", one):
            if FORCED.get(match[1].lower()) == match[2] and len(one) <= 260:
                found.append(Question(gapped(one, match.span(2)), match[2], "string", one))
    return found


def offered(passage: str, question: Question, rng: random.Random) -> Question:
    """The question as a choice between its answer and another name or number of the passage."""
    others = [one for one in things(passage) if one != question.answer and " " not in one]
    if not others or " " in question.answer:
        return question
    pair = [question.answer, rng.choice(others)]
    rng.shuffle(pair)
    text = f"{question.text.rstrip('?')}, {pair[0]} or {pair[1]}?"
    return Question(text, question.answer, "choice", question.sentence)


def things(text: str) -> list[str]:
    """Names and numbers of a text, each once."""
    found = [match[0] for pattern in (NUMBER, TERM) for match in pattern.finditer(text)]
    return list(dict.fromkeys(found))


def guess(question: str) -> str | None:
    """What grammar makes of the gap in a question; None if it leaves it open."""
    before = re.search(rf"(\w+) {GAP}", question)
    return FORCED.get(before[1].lower()) if before else None


def options(question: str) -> list[str]:
    """The two words that a choice names."""
    found = CHOICE.match(question.strip())
    return [found[2], found[3].strip('"')] if found else []


def found_in(passage: str, question: str) -> str | None:
    """What a careful reader finds in the passage for the question; None if it is not clear."""
    asked = question.strip()
    if chosen := CHOICE.match(asked):
        answer = found_in(passage, f"{chosen[1]}?")
        return answer if answer in options(asked) else None
    flat = " ".join(passage.split())
    quoted = QUOTED.search(asked)
    if quoted and GAP in quoted[1]:
        return between(flat, *quoted[1].split(GAP, 1))
    match = re.match(rf"^(?:What|Which (\w+)) ((?:{VERBS}) .*?)\?$", asked, re.DOTALL)
    if match is None or (at := flat.find(f" {match[2]}")) < 0 or flat.count(f" {match[2]}") > 1:
        return None
    subject = SENTENCE_END.split(flat[:at])[-1]
    return re.sub(rf" {match[1]}$", "", subject) if match[1] else subject


def between(text: str, left: str, right: str) -> str | None:
    """What stands between two pieces of the text, if that is one place."""
    left, right = " ".join(left.split()), " ".join(right.split())
    found = re.findall(rf"{re.escape(left)}\s*(\S{{1,60}}?)\s*{re.escape(right)}", text)
    return found[0] if len(set(found)) == 1 else None
