"""Live progress: looks at a Snapshot of a run, or of other Work, now and then and draws it. Never called by a loop."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol, TextIO

from evolve.intervals import Interval
from evolve.report import figures

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType
    from rich.text import Text

Phase = Literal["starting", "baseline", "iterations", "final test", "stopping", "done"]
KEPT = "survived"
COLOURS = {
    **{
        "survived": "green",
        "contender": "green",
        "accepted": "green",
        "dropped": "yellow",
        "missing": "magenta",
    },
    **dict.fromkeys(("broken", "out_of_scope", "crashed", "hung"), "red"),
}


@dataclass(frozen=True)
class Shown:
    """Work at one moment. seconds and rates are of this session.

    calls counts all that were answered, replayed those of them that came from the journal; tokens and cost (US dollars)
    leave them out. notice: why calls wait just now. warnings: what people have to know afterwards too, in the order it
    was noticed. advice: how the first documents went and what to change, once there are enough of them.
    """

    run: str
    phase: str
    simulated: bool
    total: int
    done: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    calls: int = 0
    replayed: int = 0
    tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    calls_per_second: float = 0.0
    seconds_left: float | None = None
    notice: str = ""
    warnings: tuple[str, ...] = ()
    advice: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is to be said once, each with its kind."""
        told = tuple(f"warning: {one}" for one in self.warnings)
        return (*told, f"advice: {self.advice}") if self.advice else told


@dataclass(frozen=True)
class Snapshot(Shown):
    """A run. Scores are means over validation trials; done counts recorded iterations without the baseline, running
    holds the numbers in flight; outcomes are those of iterations."""

    phase: Phase
    running: tuple[int, ...] = ()
    baseline: Interval | None = None
    best: str | None = None
    best_score: Interval | None = None

    @property
    def kept(self) -> int:
        return self.outcomes.get(KEPT, 0)


@dataclass(frozen=True)
class Work(Shown):
    """A command that works through documents: `evolve test`, `evolve generate`. outcomes: of rollouts.

    unit: what done and total count, in the plural.
    """

    unit: str = field(kw_only=True)


class Display(Protocol):
    """Where progress is shown: `draw` may be called at any rate, `close` once at the end, whatever happened."""

    def draw(self, snapshot: Shown) -> None: ...

    def close(self) -> None: ...


async def watch(snapshot: Callable[[], Shown], display: Display, every: float = 0.25) -> None:
    """Draw what `snapshot()` says every so many seconds until cancelled; then once more, for the final state."""
    try:
        while True:
            display.draw(snapshot())
            await asyncio.sleep(every)
    finally:
        display.draw(snapshot())
        display.close()


def news(snapshot: Shown, told: set[str]) -> list[str]:
    """The warnings and the advice that were not told yet; from now on they are."""
    fresh = [one for one in snapshot.lines if one not in told]
    told.update(fresh)
    return fresh


class Lines:
    """Plain lines for logs and pipes: one every ten seconds, and one whenever the phase changes or all is done."""

    def __init__(
        self, stream: TextIO, every: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._every, self._clock = stream, every, clock
        self._last, self._next = "", 0.0
        self._phase: tuple[str, bool] | None = None
        self._told: set[str] = set()

    def draw(self, snapshot: Shown) -> None:
        for line in news(snapshot, self._told):
            self._stream.write(f"{line}\n")
        now, phase = self._clock(), (snapshot.phase, snapshot.done >= snapshot.total)
        if self._phase == phase and now < self._next:
            return
        self._phase, self._next = phase, now + self._every
        line = f"evolve: {'; '.join(_plain(snapshot))}"
        if line != self._last:
            self._stream.write(line + "\n")
            self._stream.flush()
        self._last = line

    def close(self) -> None:
        pass


class Events:
    """One JSON object a line, `{"event": "progress", ...}`: whenever something more is done, the phase changes or there
    is a new warning; and every ten seconds while calls wait."""

    def __init__(
        self, stream: TextIO, every: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._every, self._clock = stream, every, clock
        self._seen: tuple[str, int, int] | None = None
        self._next = 0.0

    def draw(self, snapshot: Shown) -> None:
        seen = (snapshot.phase, snapshot.done, len(snapshot.lines))
        if seen != self._seen or (snapshot.notice and self._clock() >= self._next):
            self._seen, self._next = seen, self._clock() + self._every
            self._stream.write(json.dumps({"event": "progress", **_plain_values(snapshot)}) + "\n")
            self._stream.flush()

    def close(self) -> None:
        pass


def _plain_values(snapshot: Shown) -> dict[str, object]:
    return asdict(replace(snapshot, outcomes=dict(snapshot.outcomes)))  # asdict cannot copy a Counter


class Screen:
    """A few lines of a terminal, drawn over and over; they stay when the run ends."""

    def __init__(self, console: "Console") -> None:
        from rich.live import Live

        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._live.start()
        self._told: set[str] = set()

    def draw(self, snapshot: Shown) -> None:
        if self._live.is_started:
            for line in news(snapshot, self._told):
                self._live.console.print(line, style="yellow")
            self._live.update(panel(snapshot), refresh=True)

    def close(self) -> None:
        self._live.stop()


def panel(snapshot: Shown) -> "Group":
    """The state of a run in five short lines, of other work in four, for a terminal of 80 columns or more."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    head = Table.grid(expand=True, padding=(0, 1))
    head.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    head.add_column(justify="right", no_wrap=True)
    name = Text.assemble(("evolve ", "bold cyan"), (snapshot.run, "bold"), (f"  {snapshot.phase}", "dim"))
    if snapshot.simulated:
        name.append("  simulated models", "magenta")
    head.add_row(name, Text(_time(snapshot), "dim"))
    bar = Table.grid(expand=True, padding=(0, 1))
    bar.add_column(ratio=1)
    bar.add_column(no_wrap=True)
    style = "cyan" if snapshot.done < snapshot.total else "green"
    whole = max(1, snapshot.total)
    progress = ProgressBar(
        total=whole, completed=min(whole, snapshot.done), complete_style=style, finished_style="green"
    )
    bar.add_row(progress, Text(_done(snapshot)))
    middle = _scores(snapshot) if isinstance(snapshot, Snapshot) else [_mix(snapshot)]
    lines: list[RenderableType] = [head, bar, *middle, Text(_use(snapshot), "dim", no_wrap=True)]
    if snapshot.notice:
        lines.append(Text(snapshot.notice, "yellow"))
    return Group(*lines)


def _mix(snapshot: Shown) -> "Text":
    """Outcomes in their colours, with their numbers."""
    from rich.text import Text

    mix = Text(no_wrap=True, overflow="ellipsis")
    for outcome, number in snapshot.outcomes.items():
        if outcome != "baseline" and number:
            mix.append(f"{number} {outcome.replace('_', ' ')}", COLOURS.get(outcome, "dim"))
            mix.append("  ")
    return mix


def _scores(snapshot: Snapshot) -> list["RenderableType"]:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(style="bold")
    table.add_column(no_wrap=True)
    simulated, mix = snapshot.simulated, _mix(snapshot)
    table.add_row("baseline", "c0", _validation(snapshot.baseline, simulated))
    table.add_row("best", snapshot.best or "-", _validation(snapshot.best_score, simulated))
    return [mix, table] if mix.plain else [table]


def _validation(interval: Interval | None, simulated: bool) -> str:
    text = figures.score(interval, simulated)
    return text if interval is None else f"validation {text}"


def _plain(snapshot: Shown) -> list[str]:
    """The parts of a plain line; the score of the best candidate with everything a score must have."""
    simulated = ", simulated models" if isinstance(snapshot, Work) and snapshot.simulated else ""
    parts = [f"{snapshot.phase} {_done(snapshot)}{simulated}"]
    mix = [
        f"{number} {outcome.replace('_', ' ')}"
        for outcome, number in snapshot.outcomes.items()
        if outcome != "baseline" and number
    ]
    parts += [", ".join(mix)] if mix else []
    if isinstance(snapshot, Snapshot) and snapshot.best is not None:
        parts.append(f"best {snapshot.best} {_validation(snapshot.best_score, snapshot.simulated)}")
    parts += [_use(snapshot), _time(snapshot)]
    return parts + ([snapshot.notice] if snapshot.notice else [])


def _done(snapshot: Shown) -> str:
    """`23/50, 8 running`; of a run that has more than it was asked for, both numbers in words."""
    if isinstance(snapshot, Work):
        return f"{snapshot.done:,}/{snapshot.total:,} {snapshot.unit}"
    numbers = snapshot.running if isinstance(snapshot, Snapshot) else ()
    running = f", {len(numbers)} running" if numbers else ""
    if snapshot.done > snapshot.total:
        return f"{snapshot.done} done, {snapshot.total} asked for{running}"
    return f"{snapshot.done}/{snapshot.total}{running}"


def _use(snapshot: Shown) -> str:
    replayed = f" ({snapshot.replayed:,} replayed)" if snapshot.replayed else ""
    parts = [f"{snapshot.calls:,} calls{replayed}", f"{figures.amount(snapshot.tokens)} tokens"]
    parts += [figures.money(snapshot.cost), f"{snapshot.calls_per_second:,.0f} calls/s"]
    return " · ".join(parts)


def _time(snapshot: Shown) -> str:
    left = snapshot.seconds_left
    return figures.clock(snapshot.seconds) + (
        f", about {figures.clock(left)} left" if left is not None else ""
    )
