"""The simulated implementer: reads the implementer's prompt and edits whatever scaffold files it sees there.

It follows the diagnosis in its own words, heeds the history, and like a real one sometimes writes edits that are
beside the point, harmful, broken, out of scope, or do not apply. Without a diagnosis it edits blindly; two versions it
merges. A pure function of prompt and random state.
"""

import random
import re
from collections.abc import Callable, Sequence

from harness.models.simulated.analyzer import AGAIN, MARKED
from harness.models.simulated.rewriting import (
    edit_blocks,
    in_agent,
    insert,
    plain_weights,
    positive_only,
    tidying,
)
from harness.models.simulated.variations import paraphrased, resolved
from harness.models.simulated.wording import CAUSES, INSTRUCTIONS, RESEARCH, Words, compose, topics

STUMBLE = 0.28
STUBBORN = 0.85
ASTRAY = 0.08
CODE = 0.4
HOPELESS = 0.3
BLIND = "\n# A change without a diagnosis\n"
MERGING = "\n# How to resolve a clash\n"
LUCKY = 0.3
HARMFUL = 0.2
POSITIVE_ONLY = 0.5
ENTRY = re.compile(r"^- iteration \d+, from \w+: ([^\n]*)\n  change: ([^\n]*)", re.MULTILINE)
CAUSE = re.compile(r"^### Cause \d+: (.*?)(?=^### Cause |\Z)", re.MULTILINE | re.DOTALL)

Files = dict[str, str]


def reply(prompt: str, rng: random.Random, words: Words = RESEARCH) -> str:
    """The implementer's answer to its prompt: a summary and edits, most of them useful."""
    shown = _shown(prompt)
    files = {label.removeprefix("file "): text for label, text in shown.items() if label.startswith("file ")}
    again = AGAIN in prompt
    if MERGING in prompt:
        return _merged(files, shown, rng)
    if rng.random() < (STUBBORN if again and _stumbled(prompt) else 0.0 if again else STUMBLE):
        kind = _stumbled(prompt) if again else rng.choice(tuple(STUMBLES))
        return STUMBLES[kind](files, rng)
    if BLIND in prompt:
        return _blind(files, rng, words)
    if rng.random() < ASTRAY:
        return _astray(files, rng, words)
    wanted = _wanted(shown, rng, words)
    return _useful(files, wanted, rng, words) if wanted else _astray(files, rng, words)


def _shown(prompt: str) -> dict[str, str]:
    """Label -> text of everything between boundary lines."""
    return {one["label"]: one["text"] for one in MARKED.finditer(prompt) if one["label"]}


def _wanted(shown: dict[str, str], rng: random.Random, words: Words) -> list[str]:
    """Which causes of the diagnosis are taken on: two to four, less readily those whose remedy was refuted."""
    weights: dict[str, float] = {}
    for place, text in enumerate(CAUSE.findall(shown.get("diagnosis", ""))):
        if found := topics(text, words):
            key = max(found, key=lambda key: found[key])
            weights[key] = max(weights.get(key, 0.0), 1.0 - 0.2 * place)
    for result, change in ENTRY.findall(shown.get("history", "")):
        for key in topics(change, words).keys() & weights.keys():
            if result.startswith("REFUTED"):
                weights[key] *= 0.75
            elif "part of the current files" in result:
                weights[key] *= 0.5
    order = sorted(weights, key=lambda key: -weights[key] * rng.uniform(0.5, 1.5))
    hopeful = [key for key in order if weights[key] >= HOPELESS] or order[:1]
    return hopeful[: rng.choice((2, 3, 3, 4))]


def _useful(files: Files, wanted: Sequence[str], rng: random.Random, words: Words) -> str:
    """Edits against the wanted causes, each in the file and place that fits it."""
    edited, done = dict(files), []
    for key in wanted:
        done.append(_address(edited, key, rng, words))
    summary = " and ".join(rng.choice(words.summaries[one]) for one in done)
    return _answer(summary, files, edited)


def _address(edited: Files, key: str, rng: random.Random, words: Words) -> str:
    """Change the files against one cause; which kind of change it was."""
    if key == "format":
        for path in _prompts(edited):
            edited[path] = plain_weights(edited[path])
        if rng.random() < CODE and (tidied := tidying(edited.get("agent.py", ""), rng)):
            edited["agent.py"] = tidied
            return "code"
    if key == "misfire" and rng.random() < POSITIVE_ONLY and _signed(edited):
        sentence = compose(rng, INSTRUCTIONS["positive-only"])
        edited.update(positive_only({path: edited[path] for path in _editable(edited)}, sentence))
        return "positive-only"
    path = _target(edited, rng)
    if path:
        edited[path] = insert(edited[path], key, compose(rng, words.instructions[key]), rng, words)
    return key


def _blind(files: Files, rng: random.Random, words: Words) -> str:
    """An edit that follows no diagnosis: by luck the remedy of something, else without effect or harmful."""
    chance = rng.random()
    if chance < LUCKY:
        return _useful(files, [rng.choice(words.causes)], rng, words)
    if chance < LUCKY + HARMFUL:
        return _astray(files, rng, words, ("harmful",))
    path = _target(files, rng)
    edited = {**files, path: paraphrased(files[path], rng)} if path else files
    if edited == files:
        return _astray(files, rng, words, ("irrelevant",))
    return _answer("puts an instruction in other words", files, edited)


def _merged(files: Files, shown: dict[str, str], rng: random.Random) -> str:
    """A merge of two versions: what both ask for, mostly well put. After a try that did not start it keeps A's code."""
    edited = resolved(files, shown, rng)
    if _stumbled_text(shown, "does not start"):
        edited |= {path: text for path, text in files.items() if path.endswith(".py")}
    if edited != files:
        return _answer("keeps what both versions ask for", files, edited)
    path = next((label.split(" ", 3)[3] for label in shown if label.startswith("clash ")), "agent.py")
    whole = f"WRITE: {path}\n<<<<<<<<<<<< CONTENT\n{files.get(path, '').rstrip()}\n>>>>>>>>>>>> END\n"
    return f"SUMMARY: Keeps the first version where the two clash.\n\n{whole}"


def _astray(
    files: Files, rng: random.Random, words: Words, kinds: Sequence[str] = ("irrelevant", "harmful")
) -> str:
    """An edit that applies and starts but does not help."""
    kind = rng.choice(kinds)
    edited, path = dict(files), _target(files, rng)
    if path:
        edited[path] = insert(
            files[path], words.causes[0], compose(rng, words.instructions[kind]), rng, words
        )
    return _answer(rng.choice(words.summaries[kind]), files, edited)


def _prompts(files: Files) -> list[str]:
    return sorted(path for path in files if path.startswith("prompts/") and path.endswith((".md", ".txt")))


def _editable(files: Files) -> list[str]:
    return [*_prompts(files), *(path for path in files if path == "agent.py" or path.startswith("lib/"))]


def _signed(files: Files) -> bool:
    """Whether the prompts still ask for the signed policy."""
    return any(re.search(r"\bsigned\b", files[path]) for path in _prompts(files))


def _target(files: Files, rng: random.Random) -> str:
    """The prompt file to edit: nearly always the one that says most about context, question and rubric."""
    prompts = _prompts(files)
    if not prompts:
        return ""
    if rng.random() < 0.1:
        return rng.choice(prompts)
    words = re.compile(r"\b(context|question|rubric|criteri\w+|reference answer)\b", re.IGNORECASE)
    return max(prompts, key=lambda path: len(words.findall(files[path])))


def _answer(summary: str, files: Files, edited: Files) -> str:
    return f"SUMMARY: {summary[0].upper()}{summary[1:]}.\n\n{edit_blocks(files, edited)}"


def _outside(files: Files, rng: random.Random) -> str:
    path = rng.choice(
        ("harness/gate.py", "tests/test_agent.py", "harness/prompts/judge.md", "README.md", ".gitattributes")
    )
    return f"SUMMARY: Puts the matter right at its root.\n\nWRITE: {path}\n<<<<<<< CONTENT\nWEAK_MEAN = 1.0\n>>>>>>> END\n"


def _unchanged(files: Files, rng: random.Random) -> str:
    path = _target(files, rng) or "agent.py"
    line = max(files.get(path, "x").split("\n"), key=len)
    return (
        "SUMMARY: Confirms the present wording.\n\n"
        f"FILE: {path}\n<<<<<<< SEARCH\n{line}\n=======\n{line}\n>>>>>>> REPLACE\n"
    )


def _misplaced(files: Files, rng: random.Random) -> str:
    path = _target(files, rng) or "prompts/challenger.md"
    sentence = compose(rng, INSTRUCTIONS[rng.choice(CAUSES)])
    return (
        "SUMMARY: Sharpens the request for a good question.\n\n"
        f"FILE: {path}\n<<<<<<< SEARCH\n## What makes a question really good\n=======\n{sentence}\n>>>>>>> REPLACE\n"
    )


def _broken(files: Files, rng: random.Random) -> str:
    edited = {**files, "agent.py": in_agent(files.get("agent.py", ""), "polish", "", rng)}
    return _answer("polishes each submission in code", files, edited)


STUMBLES: dict[str, Callable[[Files, random.Random], str]] = {
    "out_of_scope": _outside,
    "no_change": _unchanged,
    "no_proposal": _misplaced,
    "broken": _broken,
}


def _stumbled(prompt: str) -> str:
    """What went wrong at the last try, as its problem tells; empty if it was something else."""
    shown = _shown(prompt)
    for kind, words in (
        ("out_of_scope", "out of scope"),
        ("no_change", "leave every file"),
        ("no_proposal", "do not apply"),
        ("broken", "does not start"),
    ):
        if _stumbled_text(shown, words):
            return kind
    return ""


def _stumbled_text(shown: dict[str, str], words: str) -> bool:
    """Whether these words stand in the problem of the last try."""
    return words in shown.get("problems", "").rpartition("Try ")[2]
