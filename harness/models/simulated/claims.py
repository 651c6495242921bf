"""What the simulated analyzer claims of the rollouts it read, and whether it takes two changes for one. Wrong now and then.

It knows what the prompt shows: where submissions ended, which rollouts failed, and where it saw a symptom.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

SILENT = 0.1
ASTRAY = 0.15
CAUTIOUS = 0.25
MISJUDGED = 0.08
ALIKE = 0.6
QUESTION = "# The proposed change\n"
KINDS: Mapping[str, str] = MappingProxyType(
    {"too_easy": "too_easy", "improve": "too_easy"}
    | {one: one for one in ("failed_on_strong", "quality", "malformed")}
)
EARLIER = re.compile(r"^- iteration (\d+), \w+: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Seen:
    """Where each submission (`rollout 2, submission 1`) ended, and the numbers of the rollouts that failed and passed."""

    stages: Mapping[str, str]
    failed: tuple[int, ...]
    passed: tuple[int, ...]


def claims(submissions: Iterable[str], seen: Seen, rng: random.Random) -> dict[str, object]:
    """kind, fixes and breaks of a cause that showed in these submissions; none: the reader guesses."""
    places = list(submissions)
    fixes = _fixes(places, seen, rng)
    breaks = [rng.choice(seen.passed)] if seen.passed and rng.random() < CAUTIOUS else []
    return {"kind": _kind(places, seen, rng), "fixes": fixes, "breaks": breaks}


def same(shown: Mapping[str, str], rng: random.Random) -> str:
    """The answer to whether a proposed change was made before. shown: label -> quoted text of the prompt."""
    proposed = _words(shown.get("proposed change", "").split("\n")[0])
    rows = EARLIER.findall(shown.get("earlier changes", ""))
    found = next((int(number) for number, summary in rows if _alike(proposed, _words(summary))), None)
    if rows and rng.random() < MISJUDGED:
        found = None if found is not None else int(rng.choice(rows)[0])
    why = "it asks for another thing" if found is None else "both ask for the same thing"
    return json.dumps({"same_as": found, "why": why})


def _fixes(places: Sequence[str], seen: Seen, rng: random.Random) -> list[int]:
    """The failed rollouts in which it shows; at times one of them is missed for one in which it does not."""
    if not seen.failed or rng.random() < SILENT:
        return []
    shown = sorted(
        {number for place in places if (number := int(place.split(",")[0].split()[1])) in seen.failed}
    )
    if not shown or rng.random() < ASTRAY:
        shown = sorted({*shown[1:], rng.choice(seen.failed)})
    return shown


def _kind(places: Sequence[str], seen: Seen, rng: random.Random) -> str:
    """The stage at which most of the submissions ended that show it."""
    ended = Counter(KINDS.get(seen.stages.get(place, ""), "other") for place in dict.fromkeys(places))
    if not ended or rng.random() < ASTRAY:
        return rng.choice(("too_easy", "failed_on_strong", "quality", "other"))
    return ended.most_common(1)[0][0]


def _words(text: str) -> frozenset[str]:
    return frozenset(word[:5] for word in re.findall(r"\w{3,}", text.lower()))


def _alike(first: frozenset[str], second: frozenset[str]) -> bool:
    return bool(first) and len(first & second) >= ALIKE * len(first | second)
