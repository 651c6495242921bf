"""Prompt files and how they are filled in. Markdown with `{{name}}` placeholders, replaced in one single pass."""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from harness.trajectory import Criterion

PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


@cache
def load(package: str, name: str) -> str:
    """Text of the prompt file `name` (such as `judge.md`) in the `prompts` folder of `package`."""
    return files(package).joinpath("prompts", name).read_text("utf-8")


def render(template: str, **values: str) -> str:
    """Fill every placeholder. One pass: text that is inserted is never read as a template again.

    Raises:
        KeyError: a placeholder has no value, or a value has no placeholder.
    """
    names = set(PLACEHOLDER.findall(template))
    if unused := values.keys() - names:
        raise KeyError(f"no placeholder for {sorted(unused)}")
    return PLACEHOLDER.sub(lambda match: values[match[1]], template)


def fitted(template: str, **values: str) -> str:
    """The same for a template that need not have a place for every value.

    Raises:
        KeyError: a placeholder has no value.
    """
    wanted = set(PLACEHOLDER.findall(template))
    return render(template, **{name: text for name, text in values.items() if name in wanted})


def numbered(rubric: Sequence[Criterion]) -> str:
    """The rubric as instrument roles see it: numbered, with its category, without weights."""
    rows = (
        f"{n}. [{one.category.upper()}] {' '.join(one.criterion.split())}" for n, one in enumerate(rubric, 1)
    )
    return "\n".join(rows)
