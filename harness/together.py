"""Things done at once: all results in order, or the error of ours that ended them, bare."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from harness.errors import bare

T = TypeVar("T")


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> tuple[T, ...]:
    """Await all of them at once; the first that fails cancels the others.

    Raises:
        EvolveError: what one of them raised, out of the group that tasks put around it.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as failed:
        raise bare(failed) from None
    return tuple(task.result() for task in tasks)
