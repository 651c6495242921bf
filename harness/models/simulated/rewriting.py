"""How the simulated implementer changes texts: any Markdown prompt, any agent.py that submits. Pure text work."""

import difflib
import random
import re
from collections.abc import Mapping

from harness.models.simulated.wording import RESEARCH, Words

SENTENCE = re.compile(r"(?<=[.!?])\s+")
TIDY = '''

def {name}(reply):
    """The reply as a task: the JSON object inside it, weights as integers. Unreadable text stays as it is."""
    if not isinstance(reply, str):
        return reply
    try:
        task = json.loads(reply[reply.index("{{") : reply.rindex("}}") + 1])
        for entry in task["rubric"]:
            entry["weight"] = int(float(str(entry["weight"]).strip().lstrip("+")))
    except (ValueError, KeyError, TypeError):
        return reply
    return task
'''
FIRST = re.compile(r"^((?:from (?!__future__)|import |def |class |@|async def ))", re.MULTILINE)
SUBMIT = re.compile(r"env\.submit\((\w+)\)")


def insert(text: str, key: str, sentence: str, rng: random.Random, words: Words = RESEARCH) -> str:
    """The prompt with a sentence put where its subject is dealt with: into a bullet, under it, or as a paragraph."""
    lines = text.split("\n")
    spots = _spots(lines, words.subject[key])
    if not spots:
        return f"{text.rstrip()}\n\n{sentence}\n"
    at = rng.choice(spots[:3])
    bullet = re.match(r"\s*[-*] ", lines[at])
    if bullet and rng.random() < 0.5:
        lines.insert(at + 1, bullet[0] + sentence)
    elif lines[at].startswith("#"):
        lines[at + 1 : at + 1] = ["", sentence]
    elif rng.random() < 0.5:
        lines[at] = f"{lines[at].rstrip()} {sentence}"
    else:
        lines[at + 1 : at + 1] = ["", sentence]
    return "\n".join(lines)


def _spots(lines: list[str], subject: str) -> list[int]:
    """Lines that deal with the subject: bullets named after it, else its headings, else paragraphs, the richest first."""
    ranked = []
    for at, line in enumerate(lines):
        found = len(re.findall(subject, line, re.IGNORECASE))
        if not found or "{{" in line or line.lstrip().startswith("<"):
            continue
        head = re.search(subject, line[:30], re.IGNORECASE)
        rank = 0 if head and re.match(r"\s*[-*] ", line) else 1 if head and line.startswith("#") else 2
        ranked.append((rank, -found, at))
    best = min(ranked, default=(0, 0, 0))[0]
    return [at for rank, _, at in sorted(ranked) if rank == best]


def positive_only(files: Mapping[str, str], sentence: str) -> dict[str, str]:
    """Every file with the policy switched in all places that mention it; the sentence stands where it is set out."""
    changed = {path: _switched(text) for path, text in files.items()}
    prompts = [path for path in changed if not path.endswith(".py")]
    home = max(prompts, key=lambda path: len(re.findall(r"rubric|criteri", changed[path], re.IGNORECASE)))
    lines = changed[home].split("\n")
    words = [len(re.findall(r"criteri|weight|positive", line, re.IGNORECASE)) for line in lines]
    spots = [
        at
        for at, count in enumerate(words)
        if count and not lines[at].startswith("#") and count == max(words)
    ]
    if spots:
        lines[spots[0]] = f"{sentence} {lines[spots[0]]}"
        changed[home] = "\n".join(lines)
    else:
        changed[home] += f"\n{sentence}\n"
    return changed


def _switched(text: str) -> str:
    """The text without a word on negative criteria: terms replaced, sentences that still speak of them dropped."""
    text = re.sub(r"(['\"])signed\1", '"positive-only"', text)
    text = re.sub(r"\(positive or negative\)", '("positive" in each of them)', text)
    text = re.sub(r"\+?1 to \+?10\b", "1 to 7", text)
    text = re.sub(r"\d+ to \d+ (of them )?are positive", "All of them are positive", text)
    lines = (_without_negatives(line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line is not None)


def _without_negatives(line: str) -> str | None:
    """The line without sentences on negative criteria; None if nothing is left. Headings and code stay."""
    if "negative" not in line.lower() or line.startswith(("#", "    ", "def ")):
        return line
    mark = re.match(r"\s*([-*] )?", line)
    head = mark[0] if mark else ""
    kept = [one for one in SENTENCE.split(line[len(head) :]) if "negative" not in one.lower()]
    return head + " ".join(kept) if kept else None


def plain_weights(text: str) -> str:
    """Weights in a prompt without the plus sign that models copy into their JSON."""
    return re.sub(r"\+(\d+)\b", r"\1", text)


def tidying(agent: str, rng: random.Random) -> str:
    """agent.py with a function that normalises what is submitted; empty if there is no plain place for it."""
    name = rng.choice(("tidy", "normalised", "as_task"))
    if not SUBMIT.search(agent) or re.search(r"env\.submit\(\w+\(", agent) or f"def {name}" in agent:
        return ""
    if not re.search(r"^import json$", agent, re.MULTILINE):
        agent = FIRST.sub(r"import json\n\1", agent, count=1)
    return in_agent(agent, name, TIDY.format(name=name), rng)


def in_agent(agent: str, name: str, definition: str, rng: random.Random) -> str:
    """agent.py with every submission passed through a function; without its definition it will not run."""
    if not SUBMIT.search(agent):
        return f"{agent.rstrip()}\n\n\ndef {name}(task:\n    return task\n"
    wrapped = SUBMIT.sub(rf"env.submit({name}(\1))", agent)
    if not definition and rng.random() < 0.5:
        return f"{wrapped.rstrip()}\n\n\ndef {name}(task:\n    return task\n"
    return f"{wrapped.rstrip()}\n{definition}" if definition else wrapped


def edit_blocks(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """The difference between two sets of files in the edit language the prompt asks for."""
    parts = []
    for path in sorted(after):
        if path not in before:
            parts.append(f"WRITE: {path}\n<<<<<<< CONTENT\n{after[path].rstrip()}\n>>>>>>> END\n")
        elif before[path] != after[path]:
            parts.append(f"FILE: {path}\n" + "".join(_hunks(before[path], after[path])))
    return "\n".join(parts)


def _hunks(before: str, after: str) -> list[str]:
    """Search/replace blocks, last place first, so that each search text is as in the file when it is applied."""
    old, new = before.split("\n"), after.split("\n")
    blocks = []
    current = before
    for tag, i1, i2, j1, j2 in reversed(
        difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    ):
        if tag == "equal":
            continue
        first, last, added = i1, i2, 0
        while (
            first == last
            or not "\n".join(old[first:last]).strip()
            or current.count("\n".join(old[first:last])) != 1
        ):
            if first > 0:
                first, added = first - 1, added + 1
            elif last < len(old):
                last += 1
            else:
                break
        search = "\n".join(old[first:last])
        replacement = "\n".join([*old[first : first + added], *new[j1:j2], *old[i2:last]])
        blocks.append(f"<<<<<<< SEARCH\n{search}\n=======\n{replacement}\n>>>>>>> REPLACE\n")
        current = current.replace(search, replacement, 1)
    return blocks
