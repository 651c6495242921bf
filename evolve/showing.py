"""What a run tells the user about itself while it starts and runs: one-line notices and snapshots. No printing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TypeVar

from evolve.assembly import Tools
from evolve.report.progress import Phase, Snapshot, Work
from evolve.results import Results
from evolve.rows import DocumentRow
from evolve.serving import in_words
from evolve.settings import Settings
from harness.advice import advice
from harness.documents import split_of
from harness.errors import bare
from harness.gateway import Gateway
from harness.types import ROLES

Progress = TypeVar("Progress", Snapshot, Work)


@asynccontextmanager
async def watched(watching: Awaitable[None]) -> AsyncIterator[None]:
    """Let a display look for as long as the block lasts, then cancel it and wait for its last picture.

    Raises:
        EvolveError: as the block raises it, out of the groups that tasks put around it.
    """
    task = asyncio.ensure_future(watching)
    try:
        yield
    except BaseExceptionGroup as group:
        raise bare(group) from None
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def document_rows(tools: Tools) -> list[DocumentRow]:
    """Every document of the run; `used` are those that may be measured, all training ones included."""
    splits = tools.splits
    used = (*splits.training, *splits.validation, *splits.test)
    return [DocumentRow(one.id, one.name, split_of(one.id), len(one.text), True) for one in used]


def tool_notices(tools: Tools) -> Iterator[str]:
    """Documents, models and sandbox, one line each."""
    splits, path = tools.splits, tools.settings.documents.path
    source = path or "the text of this Python installation"
    sizes = f"{len(splits.training)} training, {len(splits.validation)} validation, {len(splits.test)} test"
    yield f"documents: {source} ({sizes})"
    yield from splits.notices
    yield from model_notices(tools.settings)
    yield sandbox_notice(tools.sandbox.level)


def model_notices(settings: Settings) -> Iterator[str]:
    """Which models answer, a line an endpoint, the local and the simulated ones in one."""
    if told := in_words(settings):
        yield f"models: {told}"
    if simulated := settings.simulated:
        named = "all roles" if len(simulated) == len(ROLES) else ", ".join(simulated)
        yield f"models: simulated ({named}): their scores show the machinery, not the quality of any model"
    others = (one for one in settings.models.values() if not one.simulated and not one.local)
    for url in sorted({model.base_url for model in others}):
        roles = [role for role in ROLES if settings.models[role].base_url == url]
        yield f"models: {url} ({', '.join(roles)})"


def sandbox_notice(level: str) -> str:
    """The sandbox level, with what it does not do."""
    words = {
        "namespaces-only": "namespaces-only: bubblewrap without network or host files, seccomp filter, limits",
        "process": "process: no confinement; only because the implementer is simulated and no foreign code runs",
        "external": "external: no confinement; you said that this machine is disposable",
    }
    return f"sandbox: {words.get(level, level)}"


def snapshot(
    tools: Tools, results: Results, plan: tuple[int, int], now: tuple[str, Phase, float]
) -> Snapshot:
    """The state of a run. plan: iterations done before this start and in all; now: run, phase, seconds since start."""
    (before, total), (name, phase, seconds) = plan, now
    done = max(0, len(results.finished) - 1)
    population = results.population
    baseline = population.standings.get("c0")
    best = population.best if baseline else None
    seen = Snapshot(
        run=name,
        phase=phase,
        simulated=bool(tools.settings.simulated),
        total=total,
        done=done,
        running=tuple(results.running),
        outcomes=Counter(results.outcomes),
        baseline=baseline.interval if baseline else None,
        best=best.candidate.id if best else None,
        best_score=best.interval if best else None,
        advice=advice(tools.mix),
    )
    return used(tools.gateway, seen, seconds, done - before if phase == "iterations" else 0)


def used(gateway: Gateway, work: Progress, seconds: float, fresh: int) -> Progress:
    """`work` with what was used, and how long it will take if the rest goes like the `fresh` ones of this start."""
    spent = list(gateway.spent.values())
    calls, left = sum(one.calls for one in spent), work.total - work.done
    return replace(
        work,
        calls=calls + gateway.replayed,
        replayed=gateway.replayed,
        tokens=sum(one.tokens for one in spent),
        cost=sum(one.cost for one in spent),
        seconds=seconds,
        calls_per_second=calls / seconds if seconds > 0 else 0.0,
        notice=gateway.notice,
        warnings=gateway.warnings,
        seconds_left=seconds / fresh * left if fresh > 0 and left > 0 else None,
    )
