"""Kinds of tasks: one file a domain, found by its name, or by a path to somebody's own. docs/domains.md walks through one.

A domain says what a submission looks like, what the code checks of it, how it is attempted, marked and gated. Prompts are
Markdown files in a folder of its own; what is not there is taken from harness/prompts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Literal

from pydantic import BaseModel

from harness.answers import final_answer
from harness.errors import UsageError
from harness.gate import Preset
from harness.modes import Mode
from harness.trajectory import Allowance, Example
from harness.types import AnswerKind, Wire

COMMON = Path(__file__).resolve().parent.parent / "prompts"
ARM = "cot.md"  # the prompt of the one-shot arm: it is measured, it does not measure


class RubricChecks(Wire):
    """What the verifier returns on a task with a rubric; see prompts/verifier.md."""

    leak: bool
    quality: Literal["GOOD", "TOO_EASY", "RECALL"]
    rubric_tests_content: bool
    label_fits: bool
    feedback: str = ""


class AnswerChecks(Wire):
    """What the verifier returns on a task whose answer can be compared."""

    leak: bool
    quality: Literal["GOOD", "TOO_EASY", "RECALL"]
    single_answer: bool
    kind_fits: bool
    feedback: str = ""


def nothing(_: Example) -> tuple[str, ...]:
    """No rule is broken."""
    return ()


def committed(_: Example, text: str) -> str:
    """The answer that a text commits to, as harness/answers finds it."""
    return final_answer(text)


@dataclass(frozen=True)
class Domain:
    """One kind of task. Functions and values; whatever it measures with is hashed into the instrument.

    read: a submission (decoded object or raw text) -> Example; raises `harness.parsing.Malformed`. problems: names of
    the rules of form that a task breaks, found in code before anything is spent. overrides: names of the rules that make
    the loop judge's verdict `improve` whatever it says. preset: of the search; production: of `generate` and `compare`.
    attempts: of weak and of strong where they are not drawn one after the other. verified: whether a verifier looks at
    every submission, with `checks` as the form of its answer. comparable: answers are compared with the reference; else a
    judge marks them by the rubric. passages: a task rests on a passage of the document. final:
    what is compared of an answer; it never looks at the reference, since it also goes before a vote. compared_as:
    the kind as which answers are compared; None: the one that a task declares. extraction: form of what an extractor
    returns on a document, with at least `suitable` and `note`; None: every document will do.
    """

    name: str
    version: int
    about: str
    read: Callable[[object], Example]
    presets: Mapping[str, Preset]
    preset: str
    prompts: Path
    problems: Callable[[Example], tuple[str, ...]] = nothing
    overrides: Callable[[Example], tuple[str, ...]] = nothing
    production: str = "confirmed"
    attempts: tuple[int, int] = (3, 3)
    allowance: Allowance = field(default_factory=Allowance)
    verified: bool = True
    checks: type[BaseModel] = RubricChecks
    comparable: bool = False
    passages: bool = False
    final: Callable[[Example, str], str] = committed
    compared_as: AnswerKind | None = None
    extraction: type[BaseModel] | None = None
    weak: Mode = field(default_factory=Mode)
    strong: Mode = field(default_factory=Mode)

    def prompt(self, name: str) -> str:
        """Text of a frozen prompt: the domain's own, else the common one, or a file of the user's with a slash in it.

        Raises:
            UsageError: there is none.
        """
        places = [Path(name)] if "/" in name else [self.prompts / name, COMMON / name]
        for place in places:
            if (text := text_of(place)) is not None:
                return text
        raise UsageError(
            f"domain {self.name!r} has no prompt {name!r}; looked for {', '.join(map(str, places))}"
        )

    def kind_of(self, example: Example) -> AnswerKind | None:
        """The kind as which answers to a task are compared; None if they cannot be."""
        return self.compared_as or example.answer_kind

    @property
    def measuring_prompts(self) -> dict[str, str]:
        """Name -> text of every prompt that may measure: all the domain's and all common ones."""
        names = {path.name for folder in (COMMON, self.prompts) for path in folder.glob("*.md")}
        return {name: self.prompt(name) for name in sorted(names - {ARM})}


@cache
def text_of(place: Path) -> str | None:
    """Text of a prompt file; None if there is no such file."""
    return place.read_text("utf-8") if place.is_file() else None


def names() -> tuple[str, ...]:
    """The domains that come with the program."""
    return tuple(one.name for one in iter_modules(__path__))


def domain(name: str) -> Domain:
    """The domain of that name; `mine.recipes` or `recipes.py` is the user's.

    Raises:
        UsageError: there is none, or its module holds no `DOMAIN`.
    """
    found = getattr(module(name), "DOMAIN", None)
    if not isinstance(found, Domain):
        raise UsageError(
            f"the domain {name!r} has no DOMAIN of type harness.domains.Domain; see docs/domains.md"
        )
    return found


def module(name: str) -> ModuleType:
    """The module of a domain.

    Raises:
        UsageError: there is none, or it does not load.
    """
    if name.endswith(".py"):
        return from_file(Path(name).resolve())
    path = name if "." in name else f"{__name__}.{name}"
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        near = get_close_matches(name, names(), 1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise UsageError(
            f"no domain {name!r}: {error}; {meant}there are {', '.join(names())}; for one of your own give the path of "
            "its file, such as recipes.py"
        ) from None


@cache
def from_file(place: Path) -> ModuleType:
    """A module loaded from the file of a user.

    Raises:
        UsageError: there is no such file, or it fails.
    """
    spec = spec_from_file_location(f"domain_{place.stem}", place)
    if not place.is_file() or spec is None or spec.loader is None:
        raise UsageError(f"no domain in {str(place)!r}: there is no such file")
    loaded = module_from_spec(spec)
    try:
        spec.loader.exec_module(loaded)
    except Exception as error:  # noqa: BLE001  whatever the user's file raises, it is told and nothing is lost
        raise UsageError(
            f"the domain in {str(place)!r} does not load: {type(error).__name__}: {error}"
        ) from None
    return loaded


def fingerprint(name: str) -> str:
    """What identifies the code of a user's own domain: the hash of its file; nothing for ours, which has a version."""
    if name in names():
        return ""
    file = module(name).__file__
    return sha256(Path(file).read_bytes()).hexdigest()[:16] if file else ""
