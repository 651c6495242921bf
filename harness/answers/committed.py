"""The answer that a solver's text commits to. Pure, in linear time; what it means is not decided here."""

import re

MARK = re.compile(
    r"^[ \t>#*_\-]*(?:(?:my|the|so,?|thus,?|hence,?|therefore,?)[ \t]+)*(?:final[ \t]+)?answer"
    r"(?:[ \t]+is)?[*_ \t]*:[*_ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
LEAD = re.compile(r"^.{0,60}\banswer is\b[ \t:]*", re.IGNORECASE)
BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
BRACE = re.compile(r"\\[\\{}]|[{}]")
NESTING = re.compile(r"\\\\|\\[{}]|[{}]|\\(?:begin|end)\s*\{|\$\$|\\[\[\]]|\n")
FORMULA = re.compile(r"(?<!\\)(\$\$?)((?:[^$\\]|\\.)+)\1", re.DOTALL)
WRAPPERS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"), ("`", "`"))
STEPS = {"{": 1, r"\{": 1, r"\[": 1, "}": -1, r"\}": -1, r"\]": -1}


def final_answer(text: str) -> str:
    """The last `Answer:` line, else the last `\\boxed{...}`, else the last `$...$`, else the last line that is not empty.

    Mathematical delimiters, a box, bold marks and a final full stop around it are dropped. An answer that begins on
    one line and closes its braces or environments on a later one is taken whole. "" if there is none.
    """
    marks = list(MARK.finditer(text))
    if marks and (line := _line(text[marks[-1].end() :].lstrip())):
        return bare(line if (box := last_box(line)) is None else box)
    if (box := last_box(text)) is not None:
        return bare(box)
    formulas = [found[2] for found in FORMULA.finditer(text)]
    if formulas:
        return bare(formulas[-1])
    lines = [line for line in text.splitlines() if line.strip(" \t*_`$")]
    return bare(LEAD.sub("", lines[-1])) if lines else ""


def last_box(text: str) -> str | None:
    """What the last `\\boxed{...}` holds, braces balanced; None if there is none, or it never closes."""
    boxes = list(BOX.finditer(text))
    if not boxes:
        return None
    start = boxes[-1].end()
    depth = 1
    for brace in BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace.group(), 0)
        if depth == 0:
            return text[start : brace.start()]
    return None


def bare(answer: str) -> str:
    """The answer without what only sets it: delimiters around all of it, one box, bold, a full stop."""
    for _ in range(8):
        before = answer
        answer = answer.strip()
        if answer.endswith(".") and not answer.endswith(".."):
            answer = answer[:-1].rstrip()
        if answer.count("**") == 1:  # bold that began before the answer, or ends after it
            answer = answer.removesuffix("**").removeprefix("**")
        answer = _unwrapped(answer)
        if answer == before:
            break
    return answer


def _unwrapped(answer: str) -> str:
    for opening, closing in WRAPPERS:
        inner = answer[len(opening) : -len(closing)]
        if answer.startswith(opening) and answer.endswith(closing) and inner and opening not in inner:
            return inner
    box = BOX.match(answer)
    if box and answer.endswith("}") and last_box(answer) == answer[box.end() : -1]:
        return answer[box.end() : -1]
    return answer


def _line(rest: str) -> str:
    """The beginning of `rest` up to the first line end outside all braces, environments and displays."""
    depth, displayed = 0, False
    for mark in NESTING.finditer(rest):
        token = mark.group()
        if token == "\n" and depth <= 0 and not displayed:
            return rest[: mark.start()]
        if token == "$$":
            displayed = not displayed
        elif token.startswith(r"\begin"):
            depth += 2  # its own brace, which closes at once, and the environment; an \end closes both
        else:
            depth += STEPS.get(token, 0)
    return rest if depth <= 0 and not displayed else rest.split("\n", 1)[0]
