"""Two instruments of the legal world: the extractor, who reads the document, and the loop judge, who reads the packet."""

import json
import random
import re
from dataclasses import dataclass

from harness.models.simulated import sources
from harness.models.simulated.judge import BOUNDARY

EXTRACTOR, LOOP_JUDGE = "You read a document for a lawyer", "You decide whether a practice case"
SHORT, BRIEF = 1_200, 3_000
RULE = re.compile(
    r"\b(?:shall|must|may not|provided that|unless|is liable|entitled|required|permitted|if|except|prohibited)\b",
    re.IGNORECASE,
)
PROCEDURE = re.compile(
    r"\b(?:affirmed|so ordered|it is ordered|docket|docketed|continued until|extension of time|motion (?:is )?granted"
    r"|motion (?:is )?denied|served (?:on|upon)|minute entry|dismissed)\b",
    re.IGNORECASE,
)
KINDS = (
    "licence",
    "license",
    "agreement",
    "contract",
    "act",
    "statute",
    "regulation",
    "order",
    "opinion",
    "terms",
)
MEANS = re.compile(r"^Weak (\d\.\d+), strong (\d\.\d+), gap ([+-]\d\.\d+)\.$", re.MULTILINE)
ROW = re.compile(r"^\| ([WS]\d+) \| (\d\.\d+) \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)
FLAG = re.compile(r"^- (\w+)(?: \([^)]*\))?: (.*)$", re.MULTILINE)
COUNT = re.compile(r"(\d+) criteria, (\d+) points")
GAP, CLEAR_GAP, WEAK, STRONG = 0.25, 0.35, 0.45, 0.55
UNSURE = 0.06
ADVICE = {
    "nobody_met": "Look at the criteria that nobody meets.",
    "everybody_met": "Some criteria cost nobody any effort.",
    "weak_only": "Some criteria are met by the wrong answers.",
    "negative_on_strong": "A negative criterion fires where it should not.",
    "gap": "Make more of what tells the attempts apart.",
    "weak": "It is within everybody's reach as it stands.",
    "strong": "Even the stronger attempts are at a loss.",
    "smaller_rubric": "Do not shrink the rubric.",
    "": "One more round will show whether it holds.",
}


def extract(prompt: str, rng: random.Random) -> str:
    """What is in a document, as JSON. It has no rule in it if it hardly speaks of any; in doubt it has."""
    document = between(prompt, "\n## Document\n")
    rules, procedure = len(RULE.findall(document)), len(PROCEDURE.findall(document))
    if (len(document) < SHORT and rules < 3) or (len(document) < BRIEF and procedure > rules):
        note = "It only disposes of a matter of procedure." if procedure else "No rule can be taken from it."
        nothing: dict[str, object] = dict.fromkeys(("keywords", "issues", "facts", "holdings"), ())
        return json.dumps({"suitable": False, "note": note, "document_type": "short entry", **nothing})
    source = sources.read(document)
    terms = [*source.terms, "duty", "right", "notice"]
    quotes = list(source.quotes) or ["It sets out who may do what."]
    lowered = document.lower()
    found = {
        "suitable": True,
        "note": f"It lays down rules on {terms[0]}.",
        "document_type": next((kind for kind in KINDS if kind in lowered), "document"),
        "keywords": terms[: rng.randint(3, 5)],
        "issues": [f"Under which condition does {terms[0]} depend on {terms[1]}?"],
        "facts": rng.sample(quotes, min(2, len(quotes))),
        "holdings": [
            {"rule": quote, "reasoning": "The document says so."}
            for quote in rng.sample(quotes, min(3, len(quotes)))
        ],
    }
    return json.dumps(found, ensure_ascii=False)


@dataclass(frozen=True)
class Packet:
    """What a diagnostic packet says, as read. attempts: label -> score; flags: name -> what it names."""

    weak: float
    strong: float
    attempts: dict[str, float]
    flags: dict[str, str]
    criteria: int

    @property
    def gap(self) -> float:
        return self.strong - self.weak

    def flagged(self, *names: str) -> int:
        """How many criteria carry one of these flags."""
        return sum(len(self.flags[name].split(", ")) for name in names if name in self.flags)


def decide(prompt: str, rng: random.Random) -> str:
    """The loop judge's verdict as JSON, from the numbers and flags of the packet; unsure now and then, as it was told."""
    packet = read_packet(between(prompt, "\n## Diagnostic packet\n"))
    against = objection(packet)
    unsure = not against and rng.random() < UNSURE
    suitability = (
        "low" if packet.gap < GAP / 2 else "high" if packet.gap >= CLEAR_GAP and not against else "medium"
    )
    best_weak, best_strong = (best(packet, letter) for letter in "WS")
    if against or unsure:
        reason = (
            f"As {best_weak} and {best_strong} show, the case does not tell the two apart well enough yet."
        )
    else:
        reason = f"{best_strong} reaches what {best_weak} misses, by reasoning that can be learnt."
    concerns = "; ".join(f"{name} {listed}" for name, listed in packet.flags.items()) or "none"
    verdict = {
        "weak_pattern": f"The best of them, {best_weak}, has {packet.attempts.get(best_weak, 0):.2f}; later links get lost.",
        "strong_pattern": f"{best_strong} follows the facts further and has {packet.attempts.get(best_strong, 0):.2f}.",
        "gap_interpretation": meaning(packet, best_weak, best_strong),
        "rubric_concerns": concerns,
        "grpo_suitability": suitability,
        "verdict": "improve" if against or unsure else "accept",
        "reason": reason,
        "suggestion": ADVICE[against] if against or unsure else "",
    }
    return json.dumps(verdict, ensure_ascii=False)


def between(prompt: str, heading: str) -> str:
    """The text between the boundary lines under a heading of a frozen prompt; empty if there are none."""
    named = BOUNDARY.search(prompt)
    if not named:
        return ""
    rest = prompt.partition(f"{heading}\n{named[1]}\n")[2]
    return rest.partition(f"\n{named[1]}\n")[0]


def read_packet(text: str) -> Packet:
    """A packet's numbers. One that cannot be read counts as no gap at all."""
    means, count = MEANS.search(text), COUNT.search(text)
    flags = text.partition("\n## Flags\n")[2].partition("\n## ")[0]
    return Packet(
        float(means[1]) if means else 0.0,
        float(means[2]) if means else 0.0,
        {label: float(score) for label, score, _, _ in ROW.findall(text)},
        dict(FLAG.findall(flags)),
        int(count[1]) if count else 0,
    )


def objection(packet: Packet) -> str:
    """The first thing that speaks against a case; empty if nothing does."""
    many = max(2, packet.criteria // 4)
    found = {
        "negative_on_strong": packet.flagged("negative_on_strong") >= 2,
        "weak": packet.weak > WEAK,
        "strong": packet.strong < STRONG,
        "nobody_met": packet.flagged("nobody_met") > many,
        "everybody_met": packet.flagged("everybody_met") > many + 1,
        "gap": packet.gap < GAP,
        "weak_only": packet.flagged("weak_only") > 2,
        "smaller_rubric": "smaller_rubric" in packet.flags and packet.gap < CLEAR_GAP,
    }
    return next((name for name, speaks in found.items() if speaks), "")


def best(packet: Packet, letter: str) -> str:
    """The label of a solver's best attempt."""
    labels = [label for label in packet.attempts if label.startswith(letter)]
    return max(labels, key=lambda label: packet.attempts[label], default=f"{letter}1")


def meaning(packet: Packet, weak: str, strong: str) -> str:
    """What the gap is taken for."""
    if packet.gap < GAP:
        return f"{strong} is hardly ahead of {weak}: a gap of {packet.gap:.2f} teaches little."
    if packet.flagged("nobody_met") > packet.criteria // 4:
        return f"Partly a knowledge ceiling: neither {weak} nor {strong} meets several criteria."
    return f"Fertile ground: {weak} takes up the same questions as {strong} and loses its way later."
