"""Progress of what this machine computes: a bar on stderr where somebody sits at a terminal, else nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from evolve.commands.common import console


@contextmanager
def counting(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """What is to be called with the number of things done."""
    errors = console(stderr=True)
    if not errors.is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.update(task, completed=done)
