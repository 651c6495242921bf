"""Where rollouts run and what measures them, handed down as one value."""

from dataclasses import dataclass

from harness.answers import Checker
from harness.gateway import Models
from harness.instrument import Instrument
from harness.sandbox import Sandbox
from harness.trajectory import Example
from harness.types import Document


@dataclass(frozen=True)
class Place:
    """checker: compares answers; only domains with answers that can be compared need one."""

    models: Models
    sandbox: Sandbox
    instrument: Instrument
    checker: Checker | None = None


@dataclass(frozen=True)
class Subject:
    """A task and the document it was made from: what the instrument looks at.

    shown: what solvers get in place of the task, where that is not the task itself; marked is the task in any case.
    """

    document: Document
    example: Example
    shown: Example | None = None

    @property
    def task(self) -> Example:
        """What solvers get."""
        return self.shown or self.example


def misquoted(subject: Subject) -> tuple[str, ...]:
    """The name of the rule that a task's passage stands in its document word for word, if it is broken.

    Line ends and runs of spaces do not count.
    """
    passage = " ".join(subject.example.passage.split())
    return () if passage in " ".join(subject.document.text.split()) else ("passage_not_in_document",)
