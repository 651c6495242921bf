"""Starting a run from a program: `evolve.run`, `evolve.arun`, `evolve.events`; see docs/library.md."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from evolve.following import Event, Result, RunFinished, follow
from evolve.layout import DATABASE
from evolve.opening import Options
from evolve.recorded import refuse_running_loop
from evolve.settings import Settings
from harness.errors import UsageError

Wanted = Settings | Mapping[str, Any]


def run(
    docs: str | Path | None = None,
    *,
    folder: str | Path = ".",
    iterations: int | None = None,
    workers: int = 8,
    settings: Wanted | None = None,
    run: str | None = None,
    new: bool = False,
) -> Result:
    """Start a run, or go on with the newest one, until it is complete or its budget is spent; blocks meanwhile.

    Does what `evolve run` does in that folder, its evolve.toml and environment included, and leaves the same files.

    docs: a folder or file; None: what the settings say. iterations: in all, 50 for a new run. settings: what wins over
    evolve.toml and the environment: dotted names such as {"search.seed": 1}, tables in tables, or a `Settings`, of which
    counts what was set. run: its name. new: start another one.

    Raises:
        EvolveError: by kind; what is recorded stands, and the same call goes on.
        KeyboardInterrupt: Ctrl-C; in order, as the command line does it.
    """
    refuse_running_loop("evolve.arun")
    return asyncio.run(
        arun(
            docs,
            folder=folder,
            iterations=iterations,
            workers=workers,
            settings=settings,
            run=run,
            new=new,
        )
    )


async def arun(
    docs: str | Path | None = None,
    *,
    folder: str | Path = ".",
    iterations: int | None = None,
    workers: int = 8,
    settings: Wanted | None = None,
    run: str | None = None,
    new: bool = False,
) -> Result:
    """`run` inside an event loop; cancelled, it ends in order and can be resumed."""
    stream = events(
        docs, folder=folder, iterations=iterations, workers=workers, settings=settings, run=run, new=new
    )
    async with aclosing(stream):
        async for event in stream:
            if isinstance(event, RunFinished):
                return event.result
    raise AssertionError("a run that raises nothing ends with RunFinished")


def events(
    docs: str | Path | None = None,
    *,
    folder: str | Path = ".",
    iterations: int | None = None,
    workers: int = 8,
    settings: Wanted | None = None,
    run: str | None = None,
    new: bool = False,
) -> AsyncGenerator[Event, None]:
    """`run` as a stream of what happens: `RunStarted`, `BaselineMeasured`, `IterationDone`.., `RunFinished`.

    Leaving the loop stops the run in order; put `contextlib.aclosing` around the iterator to wait until it has.
    """
    if workers < 1 or (iterations is not None and iterations < 1):
        raise UsageError(f"iterations={iterations!r} and workers={workers!r}: both must be 1 or more")
    place = Path(folder).absolute()
    overrides = dict(_flat(_given(settings)))
    if docs is not None:
        overrides["documents.path"] = str(Path(docs).absolute())
    return follow(
        Options(place, place / DATABASE, iterations, workers, run, new, overrides, caller="settings")
    )


def _given(settings: Wanted | None) -> Mapping[str, Any]:
    """What was set, as tables; models are taken as a whole, since what is left out of one is no wish for another's."""
    if not isinstance(settings, Settings):
        return settings or {}
    given = settings.model_dump(mode="json", exclude_unset=True)
    if "models" in given:
        given["models"] = {role: model.model_dump(mode="json") for role, model in settings.models.items()}
    return given


def _flat(tables: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted settings and tables in tables as dotted settings; `models` as a whole replaces all that others say."""
    for key, value in tables.items():
        if isinstance(value, Mapping) and value and key != "models":
            yield from _flat(value, f"{start}{key}.")
        else:
            yield f"{start}{key}", value
