"""Comparing words: choices by their labels, strings by their letters. Nothing here is read as mathematics."""

import re
import unicodedata

from harness.answers.committed import bare
from harness.answers.verdicts import Comparison

EQUAL = Comparison("equal", "words")
DIFFERENT = Comparison("different", "words")
WORDED = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|operatorname|mbox)\s*\{([^{}]*)\}")
SETTING = re.compile(r"\\[,;:! ]|\\(?:left|right|quad|qquad)\b|[$~]")
LEAD = re.compile(
    r"^(?:the )?(?:(?:correct|right|final) )?(?:option|choice|answer|statement)s?(?: is)?\s*:?\s*",
    re.IGNORECASE,
)
NAME = r"([A-Za-z]|\d{1,2}|[ivx]{1,4}|[IVX]{1,4})"
LABEL = re.compile(rf"[(\[]?{NAME}[)\].:]?")
LABELLED = re.compile(rf"(?:[(\[]{NAME}[)\]]|{NAME}[).:])\s+\S")
BETWEEN = re.compile(r"\s*(?:,|;|&|\band\b)\s*(?:and\b\s*)?")
ONLY = re.compile(r"(?i)\s+only$")
FORBIDDEN = re.compile("[\0-\x08\x0e-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
ARTICLES = frozenset(("a", "an", "the"))
MATHEMATICAL = re.compile(r"[\\\d=<>^_+*/]|(?<!\w)-")
KEPT = "+-*/=<>^_#%\\"


def same_choice(reference: str, answer: str) -> Comparison:
    """Labels such as B, (b), "B) text" or "A and C" by their letters; a label against a bare text is unknown."""
    one, other = labels(reference), labels(answer)
    if one is not None and other is not None:
        return EQUAL if one == other else DIFFERENT
    if letters(reference) == letters(answer) and letters(reference):
        return EQUAL
    return DIFFERENT if one is None and other is None else Comparison("unknown", "unreadable_answer")


def labels(text: str) -> frozenset[str] | None:
    """The labels that a choice names, in lower case; None if it names none."""
    body = LEAD.sub("", bare(_plain(text)))
    found = [LABEL.fullmatch(part) for part in BETWEEN.split(ONLY.sub("", body)) if part]
    named = [one[1].lower() for one in found if one is not None]
    if named and len(named) == len(found):
        return frozenset(named)
    leading = LABELLED.match(body)
    return frozenset(((leading[1] or leading[2]).lower(),)) if leading else None


def letters(text: str) -> str:
    """The text without case, accents, articles, spacing and punctuation; signs that mean something are kept.

    "" if nothing is left, or if it holds characters that control a terminal or the direction of writing.
    """
    if FORBIDDEN.search(text):
        return ""
    plain = unicodedata.normalize("NFKD", _plain(bare(text)).replace("−", "-")).casefold()
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    plain = re.sub(r"(?<=[^\W\d])['’](?=\w)", "", re.sub(r"(?<=\w)[-‐‑–](?=[^\W\d])", " ", plain))
    kept = "".join(
        one if one.isalnum() or one in KEPT else _punctuation(plain, place) for place, one in enumerate(plain)
    )
    return " ".join(word for word in kept.split() if word not in ARTICLES) or " ".join(kept.split())


def _punctuation(text: str, place: int) -> str:
    """A space, but a point or comma between digits, or a factorial, stays."""
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    if text[place] in ".," and before.isdigit() and after.isdigit():
        return text[place]
    return "!" if text[place] == "!" and before.isdigit() else " "


def mathematical(text: str) -> bool:
    """Whether a text may be more than words: it has digits, operators or commands."""
    return bool(MATHEMATICAL.search(_plain(text)))


def _plain(text: str) -> str:
    return SETTING.sub(" ", WORDED.sub(r"\1", text)).strip()
