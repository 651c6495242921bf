"""Commands that show or write one scaffold: show, diff, export."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
from rich.console import RenderableType

from evolve.commands.common import console, draw, reading
from evolve.population import Candidate
from evolve.report import detail, diffs, overview, traces
from evolve.report.store import Store, as_json, candidates, opened, resolve
from evolve.report.views import titled
from evolve.repository import Repository
from harness.errors import UsageError
from harness.types import Rollout, Side

T = TypeVar("T")
LONGEST_NUMBER = 9
trace_options = (
    click.option("--trace", is_flag=True, help="Everything that was said, word for word."),
    click.option(
        "--side", type=click.Choice([one for one in get_args(Side) if one != "production"]), help="Only it."
    ),
    click.option("--document", help="Only documents whose name holds this text."),
)


@click.command()
@click.argument("name", metavar="ID")
@trace_options[0]
@trace_options[1]
@trace_options[2]
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
    """A candidate (c12, best, c0, the start of a commit) or an iteration (12): scores, diagnosis, diff, trajectories."""
    with opened(db, run_name) as store:
        number, candidate = _meant(store, name)
        sides = _sides(store, number, candidate, side)
        shown = {
            one: _chosen(traces.rollouts(store, number, one), document) for one in sides if one != "edit"
        }
        exchanges = (
            traces.exchanges(store, number) if trace and side in (None, "edit") and not document else ()
        )
        entry = next(iter(overview.log(store, number)))
        measured = overview.measured(
            store, None if candidate else number, candidate.id if candidate else None
        )
        found = overview.diagnosis(store, number)
        child = candidate or (candidates(store)[entry.child][0] if entry.child else None)
        change = asyncio.run(_edit(store, child))
        node = next(
            (one for one in overview.lineage(store) if candidate and one.candidate == candidate.id), None
        )
    if json_output:
        facts: dict[str, Any] = {
            "candidate": node,
            "iteration": entry,
            "measurements": measured,
            "diagnosis": found,
        }
        click.echo(as_json({**facts, "diff": change, "rollouts": shown, "exchanges": exchanges}))
        return
    head = detail.candidate(node, entry) if node else detail.iteration(entry)
    parts: list[RenderableType] = [head, detail.measurements(measured), detail.diagnosis(found)]
    if change:
        parts.append(titled(f"Change against {entry.parent}", diffs.drawn(change)))
    parts += [detail.exchange(one) for one in exchanges]
    for which, rollouts in shown.items():
        parts.append(detail.rollouts(f"{which}, iteration {number}{_whose(store)}", rollouts))
        parts += [detail.trajectory(one) for one in rollouts if trace]
    draw(*parts)


@click.command()
@click.argument("a", default="best")
@click.argument("b", required=False)
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
    if console().is_terminal:
        draw(titled(f"{old.id} → {new.id}", diffs.drawn(text)))
    else:
        click.echo(text, nl=False)


@click.command()
@click.argument("name", metavar="ID", default="best")
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
            "say where: --to FOLDER for the files, or --patch FILE for the diff against the baseline"
        )
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
        click.echo(f"{one.id} ({one.commit[:8]}) written to {written}")


def _write(patch: Path, text: str) -> None:
    if str(patch) == "-":
        click.echo(text, nl=False)
        return
    try:
        patch.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise UsageError(f"cannot write {str(patch)!r}: {error.strerror}") from None


def _meant(store: Store, name: str) -> tuple[int, Candidate | None]:
    """The iteration a name means, and the candidate unless the name is a number."""
    if name.isascii() and name.isdigit() and len(name) <= LONGEST_NUMBER and overview.log(store, int(name)):
        return int(name), None
    if name.isascii() and name.isdigit() and len(name) < 4:
        raise UsageError(f"run {store.run.run!r} has no iteration {name} (yet); `evolve log` lists them")
    one = resolve(store, name)
    return one.iteration, one


def _sides(store: Store, number: int, candidate: Candidate | None, side: Side | None) -> list[Side]:
    """The traces to show: of an iteration all sides, of a candidate those where it was measured at its birth."""
    query = "SELECT side FROM traces WHERE run = :run AND iteration = :number ORDER BY rowid"
    there: list[Side] = [row["side"] for row in store.rows(query, number=number)]
    if side is not None:
        if side not in there:
            raise UsageError(f"iteration {number} has no {side} trace; it has {', '.join(there) or 'none'}")
        return [side]
    own: tuple[Side, ...] = ("baseline", "child", "final")
    return [one for one in there if (one in own if candidate else one != "final")]


def _chosen(rollouts: tuple[Rollout, ...], document: str | None) -> tuple[Rollout, ...]:
    return tuple(one for one in rollouts if document is None or document in one.name)


def _whose(store: Store) -> str:
    return ", simulated" if store.run.simulated else ""


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
