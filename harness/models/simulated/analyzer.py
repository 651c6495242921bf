"""The simulated analyzer: reads the analyzer's prompt, counts symptoms in the exchanges, names causes with quotes.

It sees nothing but the prompt, knows no more of the other simulated roles than a reader of their answers would, and is
wrong now and then. A pure function of prompt and random state.
"""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harness.models.simulated.claims import QUESTION, Seen, claims, same
from harness.models.simulated.wording import RESEARCH, Words, compose, topics

WRONG = 0.15
UNREADABLE = 0.03
EASY = ("too_easy", "improve")
AGAIN = "## Your earlier tries could not be used"
MARKED = re.compile(
    r"^--- (?P<boundary>[0-9a-f]{12}) (?!end$)(?P<label>[^\n]+)\n(?P<text>.*?)\n--- (?P=boundary) end$"
    r"|^## Rollout (?P<rollout>\d+):(?P<heading>[^\n]*)"
    r"|^### Request \d+: submission (?P<submission>\d+)(?: -> (?P<stage>\w+))?",
    re.MULTILINE | re.DOTALL,
)
CRITERION = re.compile(
    r"^(\d+)\. \[(positive|negative) [+-]\d+\] (.*) \| met by weak (?:(\d+)/(\d+)|not run), strong (?:(\d+)/(\d+)|not run)$",
    re.MULTILINE,
)
BROAD = re.compile(
    r"\b(discuss|mention|address|touch|cover|talk|consider|engage|demonstrat|show|relevant|understand|describ|explain)",
    re.IGNORECASE,
)
SIGNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        key: re.compile(pattern, re.IGNORECASE)
        for key, pattern in {
            "generic": r"common knowledge|well[- ]known|widely known|textbook|general(ly)? know|everybody|everyone|"
            r"any (engineer|practitioner|programmer|introduct)|known in the field|taught|standard (knowledge|result)|"
            r"without (having )?(seen|read|the document)",
            "shallow": r"\b(one|single) (short |small |obvious )?(step|inference)\b(?! at a time)|nothing else (is|to)|"
            r"follows (directly|immediately|at once)|directly follows|straightforward|no further (thought|reasoning|step)|"
            r"simple consequence",
            "leak": r"(as|according to|what) (the context|your message)|"
            r"context (itself )?(already )?(says|states|tells|gives)|"
            r"(already|simply) (stated|given|says|states)|restat|repeat|quot",
            "underspecified": r"(context|text|question|it|passage|message)\b[^.]{0,30}"
            r"(does not|doesn't|never|nowhere|without)\b"
            r"[^.]{0,20}(say|said|defin|stat|giv|specif|mention|tell|explain)|(not|never|un|nowhere) ?(defined|specified|"
            r"given|stated)|missing|absent|left open|would (need|have) to know|lacks?\b",
        }.items()
    }
)
TITLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "generic": (
            "Questions can be answered from general knowledge",
            "No insight of this very document is asked for",
        ),
        "shallow": ("One inference is enough to answer", "Questions do not need several steps"),
        "leak": ("The context gives the answer away", "Leaks: the conclusion is stated in the context"),
        "underspecified": (
            "The context is not self-contained",
            "Contexts leave terms undefined that the answer depends on",
        ),
        "misfire": ("Negative criteria hit good answers", "Vague negative criteria sink strong answers"),
        "lenient": ("Broad criteria reward general talk", "Criteria credit answers without a specific claim"),
        "format": ("Submissions are malformed JSON", "The JSON format is stated too loosely"),
    }
)
LACKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "generic": (
            "Nothing demands a question about what only this document shows, so general knowledge suffices.",
            "The prompts let the question be about the field as such, which weak models know anyway.",
        ),
        "shallow": (
            "Nothing asks for several steps, so a single inference leads to the answer.",
            "A chain of inferences is never required; questions with one step pass for reasoning.",
        ),
        "leak": (
            "There is no check against a leak: the context may state the conclusion, and weak answers repeat it.",
            "The conclusion is not held back; answers get by with quoting the context.",
        ),
        "underspecified": (
            "The context need not be self-contained, so strong solvers find that it does not say what they need.",
            "Nothing makes the challenger give every premise; strong answers name what is lacking.",
        ),
        "misfire": (
            "Negative criteria may be vague, so the judge finds them met in good answers and takes points away.",
            "Nothing keeps negative criteria to definite errors; they are marked for strong answers too.",
        ),
        "lenient": (
            "Criteria may be broad, so general talk about the subject earns credit.",
            "No criterion has to test a specific claim; vague answers collect points.",
        ),
        "format": (
            "The answer's form is described in passing; JSON comes back unreadable or with weights as text.",
            "Nothing fixes strict JSON with integer weights, and the code submits malformed replies as they come.",
        ),
    }
)
ODD = (
    (
        "The prompts have the wrong tone",
        "The tone is dry, which may tire the challenger.",
        "Warm up the wording.",
    ),
    (
        "Documents are read in the wrong order",
        "The end is perhaps overlooked.",
        "Mention the end of the document.",
    ),
    ("Answers are wordy", "Long answers may confuse the judge.", "Ask for shorter sentences."),
)


@dataclass(frozen=True)
class Sign:
    """One symptom: which cause it speaks for, where it stands, and the words."""

    cause: str
    where: str
    words: str

    @property
    def submission(self) -> str:
        """The submission it stands in."""
        return ", ".join(self.where.split(", ")[:2])


@dataclass(frozen=True)
class View:
    """What the analyzer looks for in one world and how it speaks of it. block: label, text, stage, place -> signs.

    The last of the words' causes is what a malformed submission is a sign of.
    """

    words: Words
    titles: Mapping[str, tuple[str, ...]]
    lacks: Mapping[str, tuple[str, ...]]
    block: Callable[[str, str, str, str], Iterator[Sign]]


def reply(prompt: str, rng: random.Random, view: View | None = None) -> str:
    """The analyzer's answer to its prompt: one JSON object, rarely unreadable at the first try."""
    if QUESTION in prompt:
        return same({one["label"]: one["text"] for one in MARKED.finditer(prompt) if one["label"]}, rng)
    view = view or View(RESEARCH, TITLES, LACKS, _block)
    signs, seen = list(_signs(prompt, view)), _seen(prompt)
    chosen = _chosen(signs, _said(prompt, view.words), view.words.causes, rng)
    causes = [_cause(key, [one for one in signs if one.cause == key], view, rng) for key in chosen]
    places = [[one.submission for one in signs if one.cause == key] for key in chosen]
    if not causes or rng.random() < WRONG:
        causes, places = [_mistaken(chosen, view, rng), *causes[1:]], [[], *places[1:]]
    unreadable = AGAIN not in prompt and rng.random() < UNREADABLE
    fenced = not unreadable and rng.random() < 0.2
    causes = [cause | claims(where, seen, rng) for cause, where in zip(causes, places, strict=True)]
    answer = json.dumps({"summary": _summary(signs, causes), "causes": causes}, ensure_ascii=False, indent=1)
    if unreadable:
        return answer.replace('"remedy"', '"fix"')
    return f"```json\n{answer}\n```" if fenced else answer


def _signs(prompt: str, view: View) -> Iterator[Sign]:
    """Every symptom of the exchanges, in order."""
    where = stage = ""
    rollout = "0"
    for match in _marked(prompt):
        if match["rollout"]:
            rollout = match["rollout"]
        elif match["submission"]:
            where, stage = f"rollout {rollout}, submission {match['submission']}", match["stage"] or ""
            if stage == "malformed":
                yield Sign(view.words.causes[-1], where, "stage malformed")
        elif match["label"] and where and stage != "accepted":
            yield from view.block(match["label"], match["text"], stage, where)


def _marked(prompt: str) -> Iterator[re.Match[str]]:
    """The marks of the exchanges alone."""
    return MARKED.finditer(prompt[prompt.rfind("\n# What happened on the minibatch") :])


def _seen(prompt: str) -> Seen:
    """Where submissions ended and which rollouts failed or passed."""
    stages, numbers, rollout = dict[str, str](), dict[str, list[int]](), "0"
    for match in _marked(prompt):
        if match["rollout"]:
            rollout = match["rollout"]
            numbers.setdefault(match["heading"].rpartition(", ")[2], []).append(int(rollout))
        elif match["submission"]:
            stages[f"rollout {rollout}, submission {match['submission']}"] = match["stage"] or ""
    return Seen(stages, tuple(numbers.get("score 0", ())), tuple(numbers.get("score 1", ())))


def _block(label: str, text: str, stage: str, where: str) -> Iterator[Sign]:
    if label.startswith("weak attempt") and stage in EASY:
        yield from _spoken(("generic", "shallow", "leak"), label, text, where)
    elif label.startswith("strong attempt"):
        yield from _spoken(("underspecified",), label, text, where)
    elif label == "verifier":
        if "leak yes" in text:
            yield Sign("leak", f"{where}, verifier", sentence(text, re.compile("leak yes")))
        if "quality RECALL" in text or "quality TOO_EASY" in text:
            yield Sign("shallow", f"{where}, verifier", sentence(text, re.compile("quality")))
    elif label == "rubric":
        yield from _rubric(text, stage, where)


def _spoken(causes: tuple[str, ...], label: str, text: str, where: str) -> Iterator[Sign]:
    """What a solver's own words say."""
    for key in causes:
        if SIGNS[key].search(text):
            yield Sign(key, f"{where}, {label.split(',')[0]}", sentence(text, SIGNS[key]))


def _rubric(text: str, stage: str, where: str) -> Iterator[Sign]:
    """What the criteria and who met them say; a single broad criterion is no sign yet."""
    broad = []
    for number, category, criterion, weak, weak_of, strong, strong_of in CRITERION.findall(text):
        if category == "negative" and strong and 2 * int(strong) >= int(strong_of):
            yield Sign(
                "misfire",
                where,
                f"criterion {number}, negative, met by strong {strong}/{strong_of}: {criterion}",
            )
        easy = category == "positive" and weak and 3 * int(weak) >= 2 * int(weak_of)
        if easy and stage in EASY and BROAD.search(criterion):
            broad.append(
                Sign("lenient", where, f"criterion {number}, met by weak {weak}/{weak_of}: {criterion}")
            )
    yield from broad if len(broad) > 1 else ()


def sentence(text: str, pattern: re.Pattern[str]) -> str:
    """The first sentence that shows the pattern, at most forty words of it."""
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(text.split()))
    found = next((one for one in sentences if pattern.search(one)), sentences[0])
    return " ".join(found.split()[:40])


def _said(prompt: str, words: Words) -> set[str]:
    """The causes that the scaffold's prompt files already speak about with some insistence."""
    files = [
        one["text"] for one in MARKED.finditer(prompt) if (one["label"] or "").startswith("file prompts/")
    ]
    return {key for key, count in topics("\n".join(files), words).items() if count >= 2}


def _chosen(signs: list[Sign], said: set[str], causes: tuple[str, ...], rng: random.Random) -> list[str]:
    """Three or four causes, drawn by how many submissions show them; less readily if the prompts speak of them."""
    weight = {key: float(len({one.submission for one in signs if one.cause == key})) for key in causes}
    for key in said:
        weight[key] *= 0.3
    order = sorted(causes, key=lambda key: -weight[key] * rng.uniform(0.6, 1.4))
    shown = [key for key in order if weight[key] > 0]
    return shown[: rng.choice((3, 3, 4))]


def _cause(key: str, signs: list[Sign], view: View, rng: random.Random) -> dict[str, object]:
    evidence = [f'{one.where}: "{one.words}"'[:600] for one in signs[:3]]
    seen = len({one.submission for one in signs})
    return {
        "title": rng.choice(view.titles[key]),
        "explanation": f"{rng.choice(view.lacks[key])} It shows in {seen} of the submissions.",
        "evidence": evidence,
        "remedy": "Say to the challenger: " + compose(rng, view.words.instructions[key]),
    }


def _mistaken(right: list[str], view: View, rng: random.Random) -> dict[str, object]:
    """A wrong reading: a cause that did not show, or something beside the point."""
    evidence = ["rollout 1: the general impression"]
    if rng.random() < 0.5:
        key = rng.choice([key for key in view.words.causes if key not in right])
        return {**_cause(key, [], view, rng), "evidence": evidence}
    title, explanation, remedy = rng.choice(ODD)
    return {"title": title, "explanation": explanation, "evidence": evidence, "remedy": remedy}


def _summary(signs: list[Sign], causes: list[dict[str, object]]) -> str:
    return f"{len(signs)} signs of trouble in the exchanges. Above all: {causes[0]['title']}."
