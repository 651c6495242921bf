"""The words of this package: kinds of answers, the three verdicts, and a verdict with what decided it."""

from dataclasses import dataclass
from typing import Literal, get_args

from harness.types import AnswerKind

Equality = Literal["equal", "different", "unknown"]

ANSWER_KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)


@dataclass(frozen=True)
class Comparison:
    """A verdict and how it came about.

    how, of equal and different: `text` (the same symbols, if need be in another order), `numeric` (values at many
    points), `shape` (another kind or size of thing), `words` (texts of kind choice or string).
    how, of unknown: `unreadable_reference`, `unreadable_answer`, `too_long`, `domain` (equal where both are defined),
    `reading` (a text can be read in two ways, and it matters), `rounded` (a decimal near the reference), `undecided`,
    `timeout`, `crash`.
    """

    verdict: Equality
    how: str


def merged(found: "list[Comparison]", otherwise: str = "reading") -> Comparison:
    """The verdict that all of them share, else unknown; at least one is needed. `otherwise` names the disagreement."""
    verdicts = {one.verdict for one in found}
    return found[0] if len(verdicts) == 1 else Comparison("unknown", otherwise)
