"""How the simulated implementer edits where nobody tells it what fails: words put differently, and two texts made one."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

CLASH = re.compile(r"clash (\d+) (base|A|B) (.+)")
ABSENT = "(there is no such file)"
CARELESS = 0.2
SYNONYMS: Mapping[str, str] = {
    "must": "has to",
    "should": "ought to",
    "needs to": "has to",
    "Write": "Compose",
    "write": "put down",
    "document": "source document",
    "exactly": "precisely",
    "every": "each",
    "cannot": "can not",
    "because": "since",
    "enough": "sufficiently many",
    "only": "solely",
}


@dataclass(frozen=True)
class Clash:
    """A passage as base, A and B have it; None where there is no such file."""

    path: str
    base: str | None
    a: str | None
    b: str | None


def paraphrased(text: str, rng: random.Random) -> str:
    """The text with a few words of prose put differently; lines with placeholders, braces or code stay as they are."""
    lines = text.split("\n")
    spots = [at for at, line in enumerate(lines) if _prose(line) and _reworded(line) != line]
    for at in rng.sample(spots, min(len(spots), rng.randint(1, 3))):
        lines[at] = _reworded(lines[at])
    return "\n".join(lines)


def _prose(line: str) -> bool:
    return bool(line.strip()) and not re.search(r"[{}<>`|\"]|^#|^    ", line)


def _reworded(line: str) -> str:
    for old, new in SYNONYMS.items():
        if (changed := re.sub(rf"\b{re.escape(old)}\b", new, line, count=1)) != line:
            return changed
    return line


def clashes(shown: Mapping[str, str]) -> list[Clash]:
    """The clashes of a merge prompt, from its labelled texts."""
    found: dict[int, dict[str, str | None]] = {}
    paths: dict[int, str] = {}
    for label, text in shown.items():
        if match := CLASH.fullmatch(label):
            number = int(match[1])
            paths[number] = match[3]
            found.setdefault(number, {})[match[2]] = None if text == ABSENT else text
    return [
        Clash(paths[one], sides.get("base"), sides.get("A"), sides.get("B"))
        for one, sides in sorted(found.items())
    ]


def both(clash: Clash, rng: random.Random) -> str:
    """A's passage with what B added to the base; carelessly now and then: one side's alone, or both one after the other."""
    a, b = clash.a or "", clash.b or ""
    if rng.random() < CARELESS:
        return rng.choice((a, b, f"{a}\n{b}"))
    known = {line.strip() for line in (*(clash.base or "").split("\n"), *a.split("\n"))}
    added = [line for line in b.split("\n") if line.strip() and line.strip() not in known]
    fresh = [_beyond(clash.base or "", line) for line in added]
    return "\n".join([a, *(line for line in fresh if line)])


def _beyond(base: str, line: str) -> str:
    """What the line says that the base does not: a line that only got longer is cut down to its new sentences."""
    sentences = re.split(r"(?<=[.!?])\s+", line.strip())
    new = [one for one in sentences if one not in base]
    return line if len(new) == len(sentences) else " ".join(new)


def resolved(draft: Mapping[str, str], shown: Mapping[str, str], rng: random.Random) -> dict[str, str]:
    """The draft, which has A's text in every clash, with the clashes resolved as far as their places are found."""
    files = dict(draft)
    for clash in clashes(shown):
        text = files.get(clash.path, "")
        if clash.a and clash.b is not None and text.count(clash.a) == 1:
            files[clash.path] = text.replace(clash.a, both(clash, rng))
    return files
