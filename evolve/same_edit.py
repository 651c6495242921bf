"""Whether an edit was tried before: the same lines changed, or the same idea in other words. Changes no file.

Identical trees are refused where the child is built (workshop.py); that is the first and cheapest stage.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from hashlib import sha256
from typing import Literal

from pydantic import Field

from evolve.asking import Question, Unusable, ask_until
from evolve.case import Case
from evolve.iteration import KEPT, Candidate, Exchange, Iteration
from evolve.quoting import clean, clip, line, quoted
from harness.gateway import Models
from harness.parsing import Malformed, parse
from harness.prompting import load, render
from harness.types import Wire

Stage = Literal["tree", "diff", "model"]
MEASURED = (*KEPT, "dropped", "not_improved")
SHOWN_EARLIER = 40
SHOWN_CHANGE = 12_000


class Same(Wire):
    """The analyzer's judgement. same_as: number of the earlier iteration with the same idea; None: it is a new one."""

    same_as: int | None = None
    why: str = Field("", max_length=2000)


@dataclass(frozen=True)
class Change:
    """What an edit makes of the parent's files, and the implementer's sentence on it."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    summary: str

    @property
    def hash(self) -> str:
        """Identity of the change; see `edit_hash`."""
        return edit_hash(self.before, self.after)


async def repeated(
    models: Models, case: Case, change: Change, stage: Stage
) -> tuple[str | None, tuple[Exchange, ...]]:
    """Why the change is not to be measured, or None; and what was asked to find out.

    stage: `tree` asks nothing; `diff` compares the changed lines; `model` asks the analyzer where those are new, one call
    with one try. An answer that cannot be used refuses nothing.

    Raises:
        ProviderError, BudgetSpent: as the models raise them.
    """
    if stage == "tree":
        return None, ()
    reason = tried_before(change.hash, case.parent, case.seen.iterations)
    earlier = comparable(case.parent, case.seen.iterations) if stage == "model" else ()
    if reason or not earlier:
        return reason, ()
    prompt = same_edit_prompt(case, change, earlier)
    draw = replace(case.draw, ordinal=1)
    question = Question("analyzer", prompt, case.boundary, draw, 1, Same)
    found, exchanges = await ask_until(models, question, _read)
    return (None if isinstance(found, Unusable) else judged(found, earlier)), exchanges


def edit_hash(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Sixteen hex digits of the removed and added lines of each file, in order; "" if none differs but in blanks.

    Where in its file a line stands and what surrounds it does not count, nor do empty lines and, in prose, case and
    blanks. In Python both mean something, so there only blanks at line ends are ignored.
    """
    rows = [f"{path}\n{changed}" for path, changed in _changed(before, after)]
    return sha256("\0".join(rows).encode("utf-8", "replace")).hexdigest()[:16] if rows else ""


def tried_before(key: str, parent: Candidate, iterations: Iterable[Iteration]) -> str | None:
    """Why a change with that hash is refused, None if it is not.

    It is if the same lines were changed in the same parent, whatever came of it, or if that was dropped on another
    parent and never kept on any. Only children that were measured count: one that did not start may be mended.
    """
    same = [one for one in iterations if key and one.edit_hash == key and one.outcome in MEASURED]
    here = [one for one in same if one.parent == parent.id]
    if here:
        return _refusal(here[-1], "the same parent")
    if same and all(one.outcome not in KEPT for one in same):
        return _refusal(same[-1], f"another parent, {same[-1].parent}")
    return None


def comparable(parent: Candidate, iterations: Sequence[Iteration]) -> tuple[Iteration, ...]:
    """The earlier changes that are not to be made again, newest first: those dropped, and the parent's own.

    A change that was kept on another branch is none of them: it may be worth taking over.
    """
    found = [one for one in iterations if one.summary and one.arm == parent.arm]
    own = [one for one in found if one.child is not None and one.child.id == parent.id]
    dropped = [one for one in found if one.outcome in ("dropped", "not_improved")]
    newest = sorted({one.number: one for one in (*own, *dropped)}.values(), key=lambda one: -one.number)
    return tuple(newest[:SHOWN_EARLIER])


def judged(verdict: Same, earlier: Sequence[Iteration]) -> str | None:
    """Why the analyzer's verdict refuses the change; a number that it was not shown refuses nothing."""
    found = next((one for one in earlier if one.number == verdict.same_as), None)
    if found is None:
        return None
    said = line(verdict.why, 300)
    return f"this is the idea of iteration {found.number} again, which was {_ended(found)}: {said}"


def same_edit_prompt(case: Case, change: Change, earlier: Sequence[Iteration]) -> str:
    """The prompt: what counts as the same, the proposed change in lines, and the earlier ones in their own words."""
    lines = "\n\n".join(
        f"{path}\n{changed}" for path, changed in _changed(change.before, change.after, fold=False)
    )
    proposed = f"{line(change.summary, 300)}\n\n{clip(clean(lines), SHOWN_CHANGE)}"
    rows = "\n".join(f"- iteration {one.number}, {_ended(one)}: {line(one.summary, 300)}" for one in earlier)
    return render(
        load("evolve", "same_edit.md"),
        boundary=case.boundary,
        proposed=quoted(case.boundary, "proposed change", proposed),
        earlier=quoted(case.boundary, "earlier changes", rows),
    )


async def _read(text: str) -> Same:
    try:
        return parse(text, Same)
    except Malformed as malformed:
        raise Unusable(f"the reply is no verdict: {malformed}") from None


def _refusal(one: Iteration, where: str) -> str:
    return (
        f"iteration {one.number} changed the same lines of {where}; it was {_ended(one)}. Try something else"
    )


def _ended(one: Iteration) -> str:
    return "kept" if one.outcome in KEPT else "dropped"


def _changed(
    before: Mapping[str, str], after: Mapping[str, str], *, fold: bool = True
) -> Iterator[tuple[str, str]]:
    """Path and changed lines of each file that differs, marked - and +."""
    for path in sorted({*before, *after}):
        old, new = (_lines(path, files.get(path, ""), fold) for files in (before, after))
        if changed := "\n".join(_difference(old, new)):
            yield path, changed


def _lines(path: str, text: str, fold: bool) -> list[str]:
    code = path.endswith(".py") or not fold
    rows = (one.rstrip() if code else " ".join(one.split()).casefold() for one in text.splitlines())
    return [one for one in rows if one]


def _difference(old: list[str], new: list[str]) -> Iterator[str]:
    """Removed and added lines in order. What both begin and end with is cut off first: it is most of a file."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    first, second = old[start : len(old) - end], new[start : len(new) - end]
    for _, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if first[a:b] != second[c:d]:
            yield from (f"-{one}" for one in first[a:b])
            yield from (f"+{one}" for one in second[c:d])
