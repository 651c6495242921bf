"""What the challenger and the verifier get out of a document: its terms and sentences worth quoting."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

READ = 24_000
MOST_TERMS = 48
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*")
_SENTENCE = re.compile(r"(?<=[\s.])[A-Z][^.!?`{}<>|\\]{50,180}[a-z)]\.(?=\s)")
_FUNCTION_WORDS = """
a about above after again against all also although always am among an and another any are as at available
back be because been before being below best better between both but by call called calls can cannot case
cases change changes come could default did different do does doing done down each either else end enough
even ever every example except exist false few file first follow following follows for found from full
further get give given gives go good had has have having he help hence her here high him his how however if
in instead into is it its itself just keep kind know known large last later least less let like list long
look low made make makes many may maybe me means might more most much must my name need needed needs neither
never new next no none nor not note nothing now number of off often on once one only onto or order other
others otherwise our out over own part parts per perhaps point possible probably put raise rather real
really right said same say says see seem seems seen set several shall she should show simple simply since so
some something sometimes still such sure take taken than that the their them then there therefore these they
thing things this those though three through thus time to together too true try two type under unless until
up upon us use used useful uses using usually value values version very want was way ways we well were what
whatever when where whether which while who whole whose why will with within without word words work works
would yes yet you your return returns returned returning def class self none param args kwargs import
"""
_STOP = frozenset(_FUNCTION_WORDS.split())


@dataclass(frozen=True)
class Source:
    """A document as read: terms, the most characteristic first, and complete plain sentences."""

    terms: tuple[str, ...]
    quotes: tuple[str, ...]


@lru_cache(maxsize=512)
def read(text: str) -> Source:
    """Terms and quotable sentences of a document; of long ones the first 24,000 characters are read."""
    text = text[:READ]
    counts: Counter[str] = Counter()
    before = ""
    for word in _WORD.findall(text):
        lowered = word.lower()
        if len(lowered) < 4 or lowered in _STOP:
            before = ""
            continue
        counts[lowered] += 1
        if before and before != lowered:
            counts[f"{before} {lowered}"] += 2
        before = lowered
    quotes = (" ".join(match[0].split()) for match in _SENTENCE.finditer(text))
    return Source(tuple(_characteristic(counts)), tuple(dict.fromkeys(quotes))[:60])


def _characteristic(counts: Counter[str]) -> Iterable[str]:
    """The most frequent pairs of words and single words, none contained in another."""
    ranked = sorted(
        counts.items(), key=lambda pair: (-min(pair[1], 12) * (2 if " " in pair[0] else 1), pair[0])
    )
    kept: list[str] = []
    taken: set[str] = set()
    for term, count in ranked:
        words = term.split()
        if len(kept) >= MOST_TERMS:
            break
        if (
            len(term) > 40
            or (len(words) == 1 and (count < 2 or len(term) < 5))
            or taken.intersection(word.rstrip("s") for word in words)
        ):
            continue
        taken.update(word.rstrip("s") for word in words)
        kept.append(term)
    return kept


@lru_cache(maxsize=512)
def spelled_out(text: str) -> str:
    """The words of a text in lower case, each between single spaces."""
    return f" {' '.join(_WORD.findall(text.lower()))} "
