"""How a solver is used: one answer or several, brought together how, with how much room and with what help."""

from typing import Literal

from pydantic import ConfigDict, Field

from harness.types import Wire

Sight = Literal["task", "passage", "document"]


class Mode(Wire):
    """What one attempt of a solver is. Weak and strong may be one model in two modes; the mode is part of the instrument."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    samples: int = Field(1, ge=1, le=64)
    """Answers that are drawn for one attempt."""
    aggregation: Literal["majority", "pick"] = "majority"
    """How several become one: the largest class of equal answers, or the one that the judge's model picks."""
    max_tokens: int | None = Field(None, gt=0)
    """Tokens for each answer in place of the model's own limit; none: that limit."""
    prompt: str = "solver.md"
    """Prompt of the solver: a file of the domain or of harness/prompts, or a path with a slash to one of yours."""
    sees: Sight = "task"
    """What it is given: the task alone, or besides it the passage that the task rests on, or the whole document."""


class ModeChange(Wire):
    """What of a solver's mode is set; none: as the domain has it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    samples: int | None = Field(None, ge=1, le=64)
    """Answers that are drawn for one attempt; none: as the domain has it, mostly 1."""
    aggregation: Literal["majority", "pick"] | None = None
    """How several become one: the largest class of equal answers, or the one that the judge's model picks."""
    max_tokens: int | None = Field(None, gt=0)
    """Tokens for each answer in place of the model's own limit."""
    prompt: str | None = None
    """Prompt of the solver: a file of the domain or of harness/prompts, or a path with a slash to one of yours."""
    sees: Sight | None = None
    """What it is given: task, passage (domains whose tasks have one) or document; none: as the domain has it."""

    def of(self, mode: Mode) -> Mode:
        """The mode with these changes."""
        return Mode(**(mode.model_dump() | self.model_dump(exclude_none=True)))
