"""Cutting a cleaned text into tokens. LaTeX commands, ASCII words and Unicode signs end up as the same tokens."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from harness.answers.language.vocabulary import (
    ACCENTS,
    CONSTANTS,
    FUNCTIONS,
    GREEK,
    KEYWORDS,
    MARKS,
    NAMED_SETS,
    PROSE,
    SILENT,
    VARIANTS,
    WORDED,
)
from harness.answers.tree import Unreadable

MOST = 1_500
DEEPEST = 40

Kind = Literal["number", "name", "function", "constant", "numbers", "mark", "begin", "end", "text", "stop"]


@dataclass(frozen=True)
class Token:
    """A `mark` is an operator, a bracket or a keyword. spaced: a space stood before it."""

    kind: Kind
    text: str
    spaced: bool = False

    def is_mark(self, *texts: str) -> bool:
        return self.kind == "mark" and self.text in texts


STOP = Token("stop", "the end")

WORDED_NAMES = "|".join(sorted(map(re.escape, WORDED), key=len, reverse=True))
ACCENT_NAMES = "|".join(sorted(ACCENTS, key=len, reverse=True))
PATTERNS = {
    "space": r"\s+|\$|\.(?=\s*(?:\\end\b|\\\\|$))",
    "environment": r"\\(?:begin|end)\s*\{[a-zA-Z]+\*?\}(?:\s*\{[lcr| ]*\})?",
    "worded": rf"\\(?:{WORDED_NAMES})\s*\{{[^{{}}\\$]*\}}",
    "accent": rf"\\(?:{ACCENT_NAMES})(?![A-Za-z])\s*(?:\{{\s*(?:\\?[A-Za-z]+|\d)\s*\}}|\\[A-Za-z]+|[A-Za-z])",
    "command": r"\\(?:[A-Za-z]+|.)",
    "scientific": r"(?:\d+\.\d+[eE][+-]?|\d+[eE])\d+",
    "risky": r"\d+[eE][+-]\d+",
    "number": r"\d+\.(?=\\overline)|\d+(?:\.\d+)?|\.\d+",
    "word": r"[A-Za-z]+",
    "mark": r"\*\*|<=|>=|=<|=>|!=|==|<>|\.\.\.|->|[-+*/^_!'=<>()\[\]{}|,;:&%]",
}
SCAN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in PATTERNS.items()))
SYNONYMS = {"**": "^", "==": "=", "<>": "!=", "=<": "<="}
THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?")
COMPOSED = re.compile(
    r"([a-zA-Z]?)(arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|sec|csc|ln|log|exp|sqrt|pi)([a-zA-Z]?)"
)
SHORT = 3
PRODUCT = re.compile(r"[A-Zb-df-hj-np-tv-z]{4,6}|abcd|abcde")
"""Longer words that are products of variables: those without vowels, such as GMmr."""
OPENING = frozenset(("(", "[", "{", "\\{"))
CLOSING = frozenset((")", "]", "}", "\\}"))


def tokens(text: str, thousands: bool = False) -> list[Token]:
    """The tokens of a cleaned text. thousands: a comma may group digits outside of all brackets.

    Raises:
        Unreadable: an unknown command, word or character; too many tokens, or brackets nested too deeply.
    """
    found: list[Token] = []
    depth = position = 0
    spaced = False
    while position < len(text):
        grouped = THOUSANDS.match(text, position) if thousands and depth == 0 else None
        scanned = grouped or SCAN.match(text, position)
        if scanned is None:
            raise Unreadable(f"the character {text[position]!r} is not understood")
        position = scanned.end()
        new = [Token("number", grouped[0].replace(",", ""))] if grouped else _read(scanned)
        depth += sum((one.text in OPENING) - (one.text in CLOSING) for one in new if one.kind == "mark")
        found += [replace(one, spaced=spaced or one.spaced) for one in new[:1]] + new[1:]
        spaced = not new
        if len(found) > MOST or depth > DEEPEST:
            raise Unreadable("it is too long, or its brackets are nested too deeply")
    return found


def _read(scanned: re.Match[str]) -> list[Token]:
    group = scanned.lastgroup or ""
    return READERS[group](scanned[group])


def _space(_: str) -> list[Token]:
    return []


def _environment(text: str) -> list[Token]:
    command, name = text.split("{")[:2]
    return [Token("begin" if "begin" in command else "end", name.split("}")[0].rstrip("*"))]


def _worded(text: str) -> list[Token]:
    inner = text.partition("{")[2][:-1].strip().rstrip(".,:")
    parts = inner.split()
    if all(part.lower() in KEYWORDS or _known(part) or len(part) == 1 for part in parts):
        return [one for part in parts for one in _spaced(_word(part))]
    if any(part.lower() in KEYWORDS for part in parts):
        return [one for part in parts for one in _spaced(_word(part))]
    return [Token("text", " ".join(parts))]


def _spaced(found: list[Token]) -> list[Token]:
    return [replace(one, spaced=True) for one in found]


def _known(word: str) -> bool:
    return word in FUNCTIONS or word in CONSTANTS or word in GREEK


def _accent(text: str) -> list[Token]:
    style, letter = re.match(r"\\([A-Za-z]+)\s*\{?\s*\\?([A-Za-z]+|\d)", text).groups()  # type: ignore[union-attr]  # SCAN matched it
    if style == "mathbb" and letter in NAMED_SETS:
        return [Token("numbers", NAMED_SETS[letter])]
    return [Token("name", f"{ACCENTS[style]}:{VARIANTS.get(letter, letter)}")]


def _command(text: str) -> list[Token]:
    name = text[1:]
    if name in SILENT:
        return []
    if name in MARKS:
        return [Token("mark", MARKS[name])]
    if name in VARIANTS:
        return [Token("name", VARIANTS[name])]
    if _known(name):
        return _word(name)
    raise Unreadable(f"the command {text!r} is not understood")


def _risky(text: str) -> list[Token]:
    raise Unreadable(f"{text!r} can be a power of ten or a multiple of e")


def _number(text: str) -> list[Token]:
    return [Token("number", text)]


def _mark(text: str) -> list[Token]:
    if text in ("...", "->", "=>"):
        raise Unreadable(f"{text!r} is not understood")
    return [Token("mark", SYNONYMS.get(text, text))]


def _word(word: str) -> list[Token]:
    """An ASCII word: known, a function with its variable as in sinx, a product of up to three letters, or just text."""
    if word in CONSTANTS:
        return [Token("constant", CONSTANTS[word])]
    if word in FUNCTIONS:
        return [Token("function", FUNCTIONS[word])]
    if word in GREEK or len(word) == 1:
        return [Token("name", word)]
    if word.lower() in KEYWORDS:
        return [Token("mark", KEYWORDS[word.lower()])]
    if word in NAMED_SETS:
        return [Token("numbers", NAMED_SETS[word])]
    if composed := COMPOSED.fullmatch(word):
        return [one for part in composed.groups() if part for one in _word(part)]
    if word.lower() in PROSE or (len(word) > SHORT and not PRODUCT.fullmatch(word)):
        return [Token("text", word)]
    return [Token("name", letter) for letter in word]


READERS: dict[str, Callable[[str], list[Token]]] = {
    "space": _space,
    "environment": _environment,
    "worded": _worded,
    "accent": _accent,
    "command": _command,
    "scientific": _number,
    "risky": _risky,
    "number": _number,
    "word": _word,
    "mark": _mark,
}


def split(found: Iterable[Token], *marks: str) -> list[list[Token]]:
    """The parts between these marks, where they stand outside all brackets and environments."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for one in found:
        if one.kind in ("begin", "end"):
            depth += 1 if one.kind == "begin" else -1
        elif one.kind == "mark":
            depth += (one.text in OPENING) - (one.text in CLOSING)
        if depth == 0 and one.is_mark(*marks):
            parts.append([])
        else:
            parts[-1].append(one)
    return parts
