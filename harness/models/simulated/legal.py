"""The legal world: a writer of clients' cases, solvers who advise, a verifier; extractor and loop judge are beside it.

It is told from research questions by what a prompt says: the frozen prompts of the domain by their headings, the
scaffold's by the form of the case that it asks for.
"""

import json
import random
import re
from dataclasses import replace
from importlib import import_module
from typing import Any
from zlib import crc32

from harness.models.simulated import challenger, items, legal_items, legal_judging, solvers, sources, verifier
from harness.models.simulated.concepts import Brief, brief
from harness.models.simulated.judge import BOUNDARY
from harness.models.simulated.reading import Parts, take_apart
from harness.models.simulated.solvers import Ability
from harness.models.simulated.wording import RESEARCH
from harness.models.simulated.world import CHANGE

SOLVER, VERIFIER = "You are a lawyer, and a client has", "You check a practice case"
MESSAGE = "\n## The client's message\n"
ABILITIES = {
    "weak": Ability(first=0.8, fading=0.45, deciding=0.3, omits=0.08, wordy=False),
    "strong": Ability(first=0.88, fading=0.04, deciding=0.8, omits=0.01, wordy=True),
}
SENTENCE = re.compile(r"(?<=[.?!])\s+")
# A document tempts to the same slip round after round; only now and then a writer comes at it quite differently.
TEMPTED = 0.98
# What goes wrong with a client's voice, and by which words a prompt shows that it forbids it.
VOICE = {
    "long": r"1,?000|characters",
    "recap": r"recap|retell|retold|decided case",
    "exam": r"exam",
    "year": r"19[34]0|old year|before the war",
}
UNASKED, ASKED = 0.15, 0.01
ROOM = 1_000
PACKET = re.compile(
    r"^# Diagnostic packet\n.*?\n## Earlier verdicts\n\n(?:none|\d+\. [^\n]*)(?:\n\d+\. [^\n]*)*", re.M | re.S
)
NOTES = re.compile(r"^- (?:Kind of document|Topics|Issue|Fact|Rule): [^\n]*\n?|^<document\b[^\n]*>$", re.M)
VERDICTS = re.compile(
    r"^\d+\. (?:improve|quality|malformed|unproven|unconfirmed|too_easy|failed_on_strong) \([^\n]*\n?", re.M
)


def recognises(role: str, prompt: str) -> bool:
    """Whether the prompt is one of this world's."""
    if role == "challenger":
        return "weight_class" in prompt and "capabilit" in prompt
    if role == "implementer":
        return "weight_class" in prompt
    if role == "verifier":
        return prompt.startswith((VERIFIER, legal_judging.EXTRACTOR, legal_judging.LOOP_JUDGE))
    return role in ABILITIES and prompt.startswith(SOLVER)


def reply(role: str, prompt: str, rng: random.Random) -> str:
    """The answer to a prompt of this world."""
    if role == "challenger":
        return write(prompt, rng)
    if role == "implementer":
        return implement(prompt, rng)
    if role in ABILITIES:
        return advise(ABILITIES[role], prompt, rng)
    if prompt.startswith(legal_judging.EXTRACTOR):
        return legal_judging.extract(prompt, rng)
    if prompt.startswith(legal_judging.LOOP_JUDGE):
        return legal_judging.decide(prompt, rng)
    return check(prompt, rng)


def write(prompt: str, rng: random.Random) -> str:
    """A case as JSON, with the slips that the instructions do not keep the writer from."""
    parts = take_apart(without_record(prompt))
    wishes = brief(NOTES.sub("", parts.instructions))
    flaws = slips(rng, parts, wishes)
    source = sources.read(parts.document)
    made = legal_items.plan(rng, source, flaws)
    named = legal_items.capabilities(rng)
    slipped = voice(rng, parts.instructions)
    question = legal_items.message(rng, made, slipped)
    while len(question) > ROOM and len(made.chains) > 2 and "long" not in slipped:
        made = legal_items.shorter(made)
        question = legal_items.message(rng, made, slipped)
    case = {
        "capabilities": named,
        "question": question + (challenger.TAMPERING if "tamper" in wishes.harms else ""),
        "reference_answer": items.reference(rng, made),
        "rubric": legal_items.rubric(rng, made, named, flaws),
    }
    return spoil(rng, case) if "format" in flaws else challenger.neat(rng, case)


def without_record(prompt: str) -> str:
    """The prompt without earlier cases, packets and verdicts, which are no instructions."""
    text = VERDICTS.sub("", PACKET.sub("", prompt))
    decoder, kept, at = json.JSONDecoder(), [], 0
    for match in re.finditer(r'\{\s*"', text):
        if match.start() < at:
            continue
        try:
            found, end = decoder.raw_decode(text, match.start())
        except ValueError:
            continue
        if "rubric" in found and len(str(found["rubric"])) > 1_000:
            kept.append(text[at : match.start()])
            at = end
    return "".join([*kept, text[at:]])


def slips(rng: random.Random, parts: Parts, wishes: Brief) -> frozenset[str]:
    """Which slips happen on this document, at most one for most instructions; see `challenger.slips`."""
    found = challenger.risks(wishes, parts)
    temptation = crc32(parts.document.encode("utf-8", "replace")) / 2**32
    at = temptation if rng.random() < TEMPTED else rng.random()
    return challenger.happening(at, found)


def voice(rng: random.Random, instructions: str) -> frozenset[str]:
    """Slips of the client's voice: rare where the instructions speak of them."""
    return frozenset(
        name
        for name, words in VOICE.items()
        if rng.random() < (ASKED if re.search(words, instructions, re.IGNORECASE) else UNASKED)
    )


def spoil(rng: random.Random, case: dict[str, Any]) -> str:
    """The case as a writer hands it in who was not told how exactly."""
    kind = rng.choices(("numbers", "class", "band", "common"), (15, 15, 20, 50))[0]
    for row in case["rubric"]:
        if kind == "numbers":
            row["number"] -= 1
        elif kind == "class":
            row["weight_class"] = str(row["weight_class"]).capitalize()
        elif kind == "band" and row["weight"] > 0:
            row["weight"] = min(10, row["weight"] + 3)
    return challenger.spoil(rng, case) if kind == "common" else challenger.neat(rng, case)


def section(prompt: str, heading: str) -> str:
    """The text under a heading of a frozen prompt, up to the next one or between its boundary lines."""
    named = BOUNDARY.search(prompt)
    rest = prompt.rpartition(heading)[2] if heading == MESSAGE else prompt.partition(heading)[2]
    if not named:
        return rest.strip()
    return rest.lstrip().removeprefix(named[1]).partition(f"\n{named[1]}")[0].strip()


def taken_apart(message: str) -> tuple[str, str]:
    """A message's facts, and what is changed and asked."""
    sentences = SENTENCE.split(message)
    asked = [one for one in sentences if one.endswith("?") or CHANGE.search(one)]
    return " ".join(one for one in sentences if one not in asked), " ".join(asked)


def advise(ability: Ability, prompt: str, rng: random.Random) -> str:
    """A solver's advice: the client's facts followed to their consequences."""
    facts, asked = taken_apart(section(prompt, MESSAGE))
    said = solvers.answer(ability, f"{solvers.CONTEXT}{facts}\n{solvers.QUESTION}{asked}", rng)
    return said.replace("The context", "Your message").replace("the context", "your message")


def check(prompt: str, rng: random.Random) -> str:
    """The verifier's three checks as JSON."""
    facts, asked = taken_apart(section(prompt, MESSAGE))
    task = verifier.Task(
        section(prompt, "\n## Source\n"),
        facts,
        asked,
        "client scenario",
        tuple(verifier.CRITERION.findall(section(prompt, "\n## Rubric\n"))),
    )
    found = verifier.checked(task, rng)
    del found["label_fits"]
    feedback = str(found["feedback"]).replace("The context", "The message")
    return json.dumps({**found, "feedback": feedback}, ensure_ascii=False)


def implement(prompt: str, rng: random.Random) -> str:
    """The implementer's edits, in the words of a scaffold whose tasks have no context but a client's scenario."""
    implementer = import_module("harness.models.simulated.implementer")  # only the outer loop needs it
    instructions = {
        key: tuple(tuple(map(of_clients, part)) for part in parts)
        for key, parts in RESEARCH.instructions.items()
    }
    summaries = {key: tuple(map(of_clients, texts)) for key, texts in RESEARCH.summaries.items()}
    words = replace(RESEARCH, instructions=instructions, summaries=summaries)
    return str(implementer.reply(prompt, rng, words))


def of_clients(text: str) -> str:
    """What is said of research questions, said of clients' cases."""
    return text.replace("context", "scenario")
