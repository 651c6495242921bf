"""Live progress of the commands that pay for calls: what is begun, how it goes, and how an interruption reads."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from evolve.commands.common import console
from evolve.descriptors import allow_many
from evolve.report import progress
from evolve.stopping import run_until_signal

if TYPE_CHECKING:
    from harness.gateway import Gateway

T = TypeVar("T")


class Tools(Protocol):
    """What it works with."""

    @property
    def gateway(self) -> "Gateway": ...


class Watched(Protocol):
    """Something under way: what to say first, how it stands, and who makes its calls."""

    @property
    def notices(self) -> tuple[str, ...]: ...

    @property
    def tools(self) -> Tools: ...

    def snapshot(self) -> progress.Shown: ...


async def watch(one: Watched, json_output: bool) -> None:
    """Say what was started, then show how it goes until cancelled. If nobody looks on any more, it goes on."""
    with suppress(OSError):
        for notice in () if json_output else one.notices:
            click.echo(notice, err=True)
        try:
            await progress.watch(one.snapshot, display(json_output))
        finally:
            gateway = one.tools.gateway
            if calls := len(gateway.under_way):
                longest = max(model.deadline for model in gateway.models.values())
                click.echo(waiting(calls, longest, one.snapshot().phase == "stopping"), err=True)


def waiting(calls: int, longest: float, again: bool) -> str:
    """Why the end takes a while, and how to do without. longest: seconds that a call may take."""
    noun, them = ("call is", "it") if calls == 1 else ("calls are", "them")
    return (
        f"stopping: {calls} {noun} in flight and paid for; waiting for {them}, {longest:g} s at most. "
        f"Ctrl-C{' again' if again else ''} stops now"
    )


def display(json_output: bool) -> progress.Display:
    """Objects on stdout, a picture on a terminal, or plain lines."""
    if json_output:
        return progress.Events(sys.stdout)
    errors = console(stderr=True)
    return progress.Screen(errors) if errors.is_terminal else progress.Lines(sys.stderr)


def interruptible(main: Coroutine[Any, Any, T], kept: Callable[[], str]) -> T:
    """Run it to its end; a signal ends it in order, and `kept` says what of it stands."""
    allow_many()
    try:
        return run_until_signal(main)
    except (KeyboardInterrupt, asyncio.CancelledError):
        with suppress(OSError):  # the terminal may be what ended it
            click.echo(f"interrupted; {kept()}", err=True)
        raise KeyboardInterrupt from None
