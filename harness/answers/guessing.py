"""Answers that are right too easily or never exactly: bare integers and rounded reals. Pure and cheap, on texts."""

import re

from harness.answers.committed import bare
from harness.types import AnswerKind

LARGEST = 10**6
"""Integers of at most six digits count as guessable: counts, small powers and factorials, what a weak solver meets by
chance or by a wrong way. The paper forbids bare integers altogether; nobody guesses one of seven digits."""

LABEL = re.compile(r"^\s*[A-Za-z]\w*(?:\([^()]*\))?\s*=\s*(?=[^=]*$)")
INTEGER = re.compile(r"[+-]?\d{1,400}")
RATIO = re.compile(r"([+-]?)\s*(?:\\[dt]?frac\{([+-]?\d{1,9})\}\{(\d{1,9})\}|(\d{1,9})\s*/\s*(\d{1,9}))")
POWER = re.compile(r"(\d{1,3})\s*\^\s*\{?(\d{1,2})\}?")
ROOT = re.compile(r"\\?sqrt\s*[{(](\d{1,9})[)}]")
DECIMAL = re.compile(r"(?<![\w.])\d*\.\d+")
LONG_DECIMAL = re.compile(r"(?<![\w.])\d*\.\d{3,}")
SEPARATOR = re.compile(r"(?<=\d)(?:\{,\}|,|\\[,;!]|\s)(?=\d{3}(?!\d))")
ABOUT = re.compile(r"\\approx|≈|\\doteq|\\simeq|\\ldots|\.\.\.|…")
ZEROS = re.compile(r"(\d)\.0+(?!\d)")
NEVER: frozenset[AnswerKind] = frozenset({"choice", "string"})


def guessable(answer: str, kind: AnswerKind) -> str:
    """Why an answer of this kind is too easy to hit: `bare_integer`, `rounded_real`, or "" if it is not.

    A bare integer is one below a million, also as 6/3, 2^3, sqrt(4), 5.0, x = 5 or the set {5}. A real is rounded if it
    says so (≈, …), if a number has decimals, or if any other mathematical object has a decimal of three places or more.
    """
    if kind in NEVER:
        return ""
    text = _plain(answer)
    if _integer(text) and kind in ("number", "expression", "set"):
        return "bare_integer"
    decimals = DECIMAL if kind == "number" else LONG_DECIMAL
    return "rounded_real" if decimals.search(text) or ABOUT.search(text) else ""


def _plain(answer: str) -> str:
    text = bare(answer).replace("−", "-").replace(r"\left", "").replace(r"\right", "")
    text = SEPARATOR.sub("", LABEL.sub("", text).replace(r"\{", "{").replace(r"\}", "}")).strip()
    while text[:1] + text[-1:] in ("{}", "()") and "," not in text and len(text) > 2:
        text = text[1:-1].strip()
    return ZEROS.sub(r"\1", text)


def _integer(text: str) -> bool:
    if INTEGER.fullmatch(text.replace("- ", "-")):
        return abs(int(text.replace("- ", "-"))) < LARGEST
    if ratio := RATIO.fullmatch(text):
        top, bottom = int(ratio[2] or ratio[4]), int(ratio[3] or ratio[5])
        return bool(bottom) and top % bottom == 0
    if power := POWER.fullmatch(text.lstrip("+-")):
        return bool(int(power[1]) ** int(power[2]) < LARGEST)
    root = ROOT.fullmatch(text.lstrip("+-"))
    return root is not None and round(int(root[1]) ** 0.5) ** 2 == int(root[1])
