"""Commands that show or write one scaffold: show, diff, export."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import RenderableType

from evolve.commands.common import console, examples, page, reading
from evolve.commands.completing import complete_candidate
from evolve.evaluation import SPLITS
from evolve.iteration import Candidate
from evolve.report import detail, diffs, overview, traces
from evolve.report.overview import Entry
from evolve.report.store import Store, as_json, opened, resolve
from evolve.report.views import titled
from evolve.repository import Repository
from harness.errors import UsageError
from harness.trajectory import Rollout
from harness.types import Side

T = TypeVar("T")
LONGEST_NUMBER = 9
FEW = 5
OWN: tuple[Side, ...] = ("baseline", "child", "final")
SIDES = ("baseline", "minibatch", "edit", "rerun", "parent", "child", "record", "final")


@click.command(
    epilog=examples(
        "evolve show best",
        "evolve show 12  # the iteration: parent and child, diagnosis, diff",
        "evolve show 12 --side edit  # what analyzer and implementer said",
        "evolve show c12 --side child --document cache --trace  # word for word",
    )
)
@click.argument("name", metavar="ID", shell_complete=complete_candidate)
@click.option("--trace", is_flag=True, help="Everything that was said, word for word.")
@click.option("--side", type=click.Choice(SIDES), help="Only what happened there.")
@click.option("--document", metavar="TEXT", help="Only documents whose name holds this text.")
@reading
def show(
    name: str,
    trace: bool,
    side: Side | None,
    document: str | None,
    db: Path,
    run_name: str | None,
    json_output: bool,
) -> None:
    """A candidate (c12, best, c0, the start of a commit) or an iteration (12): scores, diagnosis, diff, trajectories.

    With --side or --document only that part is shown.
    """
    with opened(db, run_name) as store:
        subject = meant(store, name)
        shown = _rollouts(store, subject, side, document)
        edit = side == "edit" or (trace and side is None and document is None)
        exchanges = traces.exchanges(store, subject.number) if edit else ()
        facts = _facts(store, subject)
    if json_output:
        click.echo(as_json({**facts, "rollouts": shown, "exchanges": exchanges}))
        return
    entry, node = facts["iteration"], facts["candidate"]
    parts: list[RenderableType] = [detail.candidate(node, entry) if node else detail.iteration(entry)]
    if side is None and document is None:
        parts += [detail.measurements(facts["measurements"]), detail.diagnosis(facts["diagnosis"])]
        if facts["diff"]:
            parts.append(titled(f"Change against {entry.parent}", diffs.drawn(facts["diff"])))
    parts += [detail.exchange(one) for one in exchanges]
    simulated = ", simulated" if store.run.simulated else ""
    for which, rollouts in shown.items():
        parts.append(detail.rollouts(f"{_title(which, entry)}{simulated}", rollouts))
        parts += [detail.trajectory(one) for one in rollouts if trace]
    page(*parts)


@click.command(
    epilog=examples(
        "evolve diff  # best against the baseline",
        "evolve diff c7 c12",
        "evolve diff best > winner.patch",
    )
)
@click.argument("a", default="best", shell_complete=complete_candidate)
@click.argument("b", required=False, shell_complete=complete_candidate)
@reading
def diff(a: str, b: str | None, db: Path, run_name: str | None, json_output: bool) -> None:
    """What was changed: in A against the baseline, or between A and B. Both as c12, best, c0 or the start of a commit.

    Coloured and wrapped on a terminal; elsewhere a unified diff that `git apply` takes.
    """
    with opened(db, run_name) as store:
        old, new = (resolve(store, a), resolve(store, b)) if b else (resolve(store, "c0"), resolve(store, a))
        text = asyncio.run(_with(store, lambda repository: repository.diff(old.commit, new.commit)))
    if json_output:
        click.echo(as_json({"run": store.run.run, "from": old.id, "to": new.id, "diff": text}))
        return
    if old.id == new.id:
        same = f"both are {new.id}" if b else f"{a} is the baseline"
        click.echo(f"{same}: there is nothing to compare", err=True)
    elif console().is_terminal:
        page(titled(f"{old.id} → {new.id}", diffs.drawn(text)))
    else:
        click.echo(text, nl=False)


@click.command(
    epilog=examples(
        "evolve export best --to winner  # a folder, as baseline_repo/ for a next run",
        "evolve export c12 --patch c12.patch",
        "evolve export best --patch - | git apply",
    )
)
@click.argument("name", metavar="[ID]", default="best", shell_complete=complete_candidate)
@click.option("--to", type=click.Path(path_type=Path), help="A new folder for the scaffold's files.")
@click.option(
    "--patch", type=click.Path(path_type=Path, dir_okay=False), help="A file for the diff; `-` prints it."
)
@reading
def export(
    name: str, to: Path | None, patch: Path | None, db: Path, run_name: str | None, json_output: bool
) -> None:
    """Write a scaffold as a folder (--to), or as a patch against the baseline (--patch)."""
    if (to is None) == (patch is None):
        raise UsageError(
            "say where, one of: --to FOLDER for the files, --patch FILE for the diff against the baseline"
        )
    text = ""
    with opened(db, run_name) as store:
        one = resolve(store, name)
        if to is not None:
            place = to
            if place.exists():
                raise UsageError(f"{str(place)!r} is there already; name a folder that is not")
            asyncio.run(_with(store, lambda repository: repository.checkout(one.commit, place)))
        else:
            base = resolve(store, "c0").commit
            text = asyncio.run(_with(store, lambda repository: repository.diff(base, one.commit)))
    if patch is not None:
        _write(patch, text)
    written = str(to or patch)
    if json_output and written != "-":
        click.echo(
            as_json({"run": store.run.run, "candidate": one.id, "commit": one.commit, "written": written})
        )
    elif written != "-":
        none = "; it is empty, nothing was changed" if patch is not None and not text else ""
        click.echo(f"{one.id} ({one.commit[:8]}) written to {written}{none}")


def _write(patch: Path, text: str) -> None:
    if str(patch) == "-":
        click.echo(text, nl=False)
        return
    try:
        patch.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise UsageError(f"cannot write {str(patch)!r}: {error.strerror}") from None


@dataclass(frozen=True)
class Subject:
    """What a name means: an iteration, or a candidate, whose iteration is that of its birth."""

    number: int
    candidate: Candidate | None


def meant(store: Store, name: str) -> Subject:
    """What is meant by a name.

    Raises:
        UsageError: there is no such iteration or candidate.
    """
    if name.isascii() and name.isdigit() and len(name) <= LONGEST_NUMBER and overview.log(store, int(name)):
        return Subject(int(name), None)
    if name.isascii() and name.isdigit() and len(name) < 4:
        raise UsageError(f"run {store.run.run!r} has no iteration {name} (yet); `evolve log` lists them")
    one = resolve(store, name)
    return Subject(one.iteration, one)


def change_of(store: Store, subject: Subject) -> str:
    """What the child of its iteration changed in its parent; "" if there is no child."""
    (entry,) = overview.log(store, subject.number)
    return asyncio.run(_edit(store, resolve(store, entry.child) if entry.child else None))


def _facts(store: Store, subject: Subject) -> dict[str, Any]:
    """All there is to say of it apart from what happened on the documents."""
    number, candidate = subject.number, subject.candidate
    (entry,) = overview.log(store, number)
    child = candidate or (resolve(store, entry.child) if entry.child else None)
    return {
        "candidate": overview.lineage(store, candidate.id)[0] if candidate else None,
        "iteration": entry,
        "measurements": overview.measured(
            store, None if candidate else number, candidate.id if candidate else None
        ),
        "diagnosis": overview.diagnosis(store, number),
        "diff": asyncio.run(_edit(store, child)),
    }


def _rollouts(
    store: Store, subject: Subject, side: Side | None, document: str | None
) -> dict[Side, tuple[Rollout, ...]]:
    """What happened on the documents, by side.

    Raises:
        UsageError: there is no such side, or no such document.
    """
    if side == "edit" and document is not None:
        raise UsageError("an edit has no documents; leave out --document, or name another --side")
    sides = [one for one in _sides(store, subject, side) if one != "edit"]
    found: dict[Side, tuple[Rollout, ...]] = {
        one: traces.rollouts(store, subject.number, one) for one in sides
    }
    if document is None:
        return found
    chosen = {one: tuple(each for each in all_ if document in each.name) for one, all_ in found.items()}
    if not any(chosen.values()):
        names = sorted({each.name for all_ in found.values() for each in all_})
        few = ", ".join(names[:FEW]) + (f" and {len(names) - FEW} more" if len(names) > FEW else "")
        raise UsageError(f"no document here has {document!r} in its name; there are {few or 'none'}")
    return {one: each for one, each in chosen.items() if each}


def _sides(store: Store, subject: Subject, side: Side | None) -> list[Side]:
    """The traces to show: of an iteration all sides, of a candidate those where it was measured itself.

    Raises:
        UsageError: that side is not there, or not the candidate's.
    """
    number, candidate = subject.number, subject.candidate
    query = "SELECT side FROM traces WHERE run = :run AND iteration = :number ORDER BY rowid"
    there: list[Side] = [row["side"] for row in store.rows(query, number=number)]
    if side is None:
        return [one for one in there if (one in OWN if candidate else one != "final")]
    if candidate and side in ("minibatch", "parent") and candidate.parent:
        raise UsageError(
            f"{side} of iteration {number} is of {candidate.parent}, the parent of {candidate.id}; "
            f"`evolve show {number} --side {side}` shows it"
        )
    if side not in there:
        later = "; `evolve test` opens the test split" if side == "final" else ""
        raise UsageError(
            f"iteration {number} has no {side} trace; it has {', '.join(there) or 'none'}{later}"
        )
    return [side]


def _title(side: Side, entry: Entry) -> str:
    """Who was measured there, and on what."""
    who = entry.parent if side in ("minibatch", "parent") else entry.child
    return f"{side}: {who} on {SPLITS[side]} documents, iteration {entry.number}"


async def _edit(store: Store, child: Candidate | None) -> str:
    """The child's diff against its parent; nothing for the baseline."""
    if child is None or child.parent is None:
        return ""
    parent = resolve(store, child.parent)
    return await _with(store, lambda repository: repository.diff(parent.commit, child.commit))


async def _with(store: Store, work: Callable[[Repository], Awaitable[T]]) -> T:
    repository = Repository(store.folder / "candidates.git")
    try:
        return await work(repository)
    finally:
        repository.close()
