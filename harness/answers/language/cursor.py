"""A place in a row of tokens, with what a parser needs to know there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from harness.answers.language.tokens import STOP, Token
from harness.answers.tree import Node, Unreadable
from harness.types import AnswerKind

DEEPEST = 120


@dataclass(frozen=True)
class Reading:
    """How to read what can be read in two ways. What is met in a text is noted by these names; None is not met.

    natural: log is the natural logarithm, else that of base 10. tight: in 1/2x the x belongs to the denominator.
    wide: in sin(n+1)x the x belongs to the argument. zero: the natural numbers begin with 0.
    """

    natural: bool | None = None
    tight: bool | None = None
    wide: bool | None = None
    zero: bool | None = None


SHARED = frozenset(("natural", "zero"))
"""What an author settles once: both texts of a comparison are read in the same way."""


@dataclass
class Cursor:
    """rule: the grammar's expression, called with the cursor and the lowest level of an operator it may take.

    kind: of the answer, for what only some kinds mean. bars: open |. separating: a | ends the element of a set.
    """

    tokens: list[Token]
    rule: Callable[["Cursor", int], Node]
    reading: Reading = Reading()
    kind: AnswerKind = "expression"
    position: int = 0
    depth: int = 0
    bars: int = 0
    separating: bool = False
    notes: set[str] = field(default_factory=set)

    def peek(self, ahead: int = 0) -> Token:
        place = self.position + ahead
        return self.tokens[place] if 0 <= place < len(self.tokens) else STOP

    def take(self) -> Token:
        token = self.peek()
        self.position += 1
        return token

    def at(self, *marks: str) -> bool:
        return self.peek().is_mark(*marks)

    def passed(self, *marks: str) -> bool:
        """Take the next token if it is one of these marks."""
        if found := self.at(*marks):
            self.position += 1
        return found

    def expect(self, *marks: str) -> Token:
        if not self.at(*marks):
            raise Unreadable(f"{marks[0]!r} is missing before {self.peek().text!r}")
        return self.take()

    def expression(self, level: int = 0) -> Node:
        """The longest expression from here whose operators bind at least as tightly as `level`."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unreadable("it is nested too deeply")
        found = self.rule(self, level)
        self.depth -= 1
        return found

    def until(self, closing: str) -> list[Token]:
        """Take the tokens of a group whose opening brace is taken, and its end."""
        start, depth = self.position, 1
        while depth:
            token = self.take()
            if token.kind == "stop":
                raise Unreadable(f"{closing!r} is missing")
            depth += token.is_mark("{") - token.is_mark(closing)
        return self.tokens[start : self.position - 1]

    def of(self, tokens: list[Token]) -> "Cursor":
        """A cursor on other tokens that reads in the same way and notes in the same place."""
        return replace(self, tokens=tokens, position=0, bars=0, separating=False)

    def end(self) -> None:
        """Raises Unreadable unless all is read."""
        if self.position < len(self.tokens):
            raise Unreadable(f"it is not clear what {self.peek().text!r} means after what comes before it")

    @contextmanager
    def inside(self, separating: bool = False) -> Iterator[None]:
        """A bracket: bars from outside do not close in it."""
        before = (self.bars, self.separating)
        self.bars, self.separating = 0, separating
        yield
        self.bars, self.separating = before
