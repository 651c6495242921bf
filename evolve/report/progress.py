"""Live progress of a run: looks at a Snapshot every now and then and draws it. Never called by the loop."""

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

Phase = Literal["starting", "baseline", "iterations", "final test", "stopping", "done"]
KEPT, COLOURS = "survived", {"survived": "green", "dropped": "yellow", "broken": "red", "out_of_scope": "red"}


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment. Scores are means over validation trials; seconds and rates are of this session.

    done counts recorded iterations without the baseline; running holds the numbers in flight. calls counts all that
    were answered, replayed those of them that came from the journal; tokens and cost (US dollars) leave them out.
    """

    run: str
    phase: Phase
    simulated: bool
    total: int
    done: int = 0
    running: tuple[int, ...] = ()
    outcomes: Mapping[str, int] = field(default_factory=dict)
    baseline: Interval | None = None
    best: str | None = None
    best_score: Interval | None = None
    calls: int = 0
    replayed: int = 0
    tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    calls_per_second: float = 0.0
    seconds_left: float | None = None
    notice: str = ""

    @property
    def kept(self) -> int:
        return self.outcomes.get(KEPT, 0)


class Display(Protocol):
    """Where progress is shown: `draw` may be called at any rate, `close` once at the end, whatever happened."""

    def draw(self, snapshot: Snapshot) -> None: ...

    def close(self) -> None: ...


async def watch(snapshot: Callable[[], Snapshot], display: Display, every: float = 0.25) -> None:
    """Draw what `snapshot()` says every so many seconds until cancelled; then once more, for the final state."""
    try:
        while True:
            display.draw(snapshot())
            await asyncio.sleep(every)
    finally:
        display.draw(snapshot())
        display.close()


class Lines:
    """Plain lines for logs and pipes: one every ten seconds, and one whenever the phase changes."""

    def __init__(
        self, stream: TextIO, every: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._every, self._clock = stream, every, clock
        self._last, self._next = "", 0.0
        self._phase: Phase | None = None

    def draw(self, snapshot: Snapshot) -> None:
        now = self._clock()
        if self._phase == snapshot.phase and now < self._next:
            return
        self._phase, self._next = snapshot.phase, now + self._every
        line = f"evolve: {'; '.join(_plain(snapshot))}"
        if line != self._last:
            self._stream.write(line + "\n")
            self._stream.flush()
        self._last = line

    def close(self) -> None:
        pass


class Events:
    """One JSON object a line whenever an iteration is recorded or the phase changes: `{"event": "progress", ...}`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._seen: tuple[Phase, int] | None = None

    def draw(self, snapshot: Snapshot) -> None:
        if (snapshot.phase, snapshot.done) != self._seen:
            self._seen = (snapshot.phase, snapshot.done)
            self._stream.write(json.dumps({"event": "progress", **_plain_values(snapshot)}) + "\n")
            self._stream.flush()

    def close(self) -> None:
        pass


def _plain_values(snapshot: Snapshot) -> dict[str, object]:
    return asdict(replace(snapshot, outcomes=dict(snapshot.outcomes)))  # asdict cannot copy a Counter


class Screen:
    """A few lines of a terminal, drawn over and over; they stay when the run ends."""

    def __init__(self, console: "Console") -> None:
        from rich.live import Live

        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._live.start()

    def draw(self, snapshot: Snapshot) -> None:
        if self._live.is_started:
            self._live.update(panel(snapshot), refresh=True)

    def close(self) -> None:
        self._live.stop()


def panel(snapshot: Snapshot) -> "Group":
    """The state of a run in five short lines, for a terminal of 80 columns or more."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    head = Table.grid(expand=True, padding=(0, 1))
    head.add_column(no_wrap=True)
    head.add_column(justify="right", no_wrap=True)
    name = Text.assemble(("evolve ", "bold cyan"), (snapshot.run, "bold"), (f"  {snapshot.phase}", "dim"))
    if snapshot.simulated:
        name.append("  simulated models", "magenta")
    head.add_row(name, Text(_time(snapshot), "dim"))
    bar = Table.grid(expand=True, padding=(0, 1))
    bar.add_column(ratio=1)
    bar.add_column(no_wrap=True)
    style = "cyan" if snapshot.done < snapshot.total else "green"
    progress = ProgressBar(
        total=max(1, snapshot.total), completed=snapshot.done, complete_style=style, finished_style="green"
    )
    bar.add_row(progress, Text(_iterations(snapshot)))
    lines: list[RenderableType] = [head, bar, *_scores(snapshot), Text(_use(snapshot), "dim", no_wrap=True)]
    if snapshot.notice:
        lines.append(Text(snapshot.notice, "yellow"))
    return Group(*lines)


def _scores(snapshot: Snapshot) -> list["RenderableType"]:
    from rich.table import Table
    from rich.text import Text

    mix = Text(no_wrap=True, overflow="ellipsis")
    for outcome, number in snapshot.outcomes.items():
        if outcome != "baseline" and number:
            mix.append(f"{number} {outcome.replace('_', ' ')}", COLOURS.get(outcome, "dim"))
            mix.append("  ")
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(style="bold")
    table.add_column(no_wrap=True)
    simulated = snapshot.simulated
    table.add_row("baseline", "c0", _validation(snapshot.baseline, simulated))
    table.add_row("best", snapshot.best or "-", _validation(snapshot.best_score, simulated))
    return [mix, table] if mix.plain else [table]


def _validation(interval: Interval | None, simulated: bool) -> str:
    text = figures.score(interval, simulated)
    return text if interval is None else f"validation {text}"


def _plain(snapshot: Snapshot) -> list[str]:
    """The parts of a plain line; the score of the best candidate with everything a score must have."""
    parts = [f"{snapshot.phase} {_iterations(snapshot)}"]
    mix = [
        f"{number} {outcome}"
        for outcome, number in snapshot.outcomes.items()
        if outcome != "baseline" and number
    ]
    parts += [", ".join(mix)] if mix else []
    if snapshot.best is not None:
        parts.append(f"best {snapshot.best} {_validation(snapshot.best_score, snapshot.simulated)}")
    parts += [_use(snapshot), _time(snapshot)]
    return parts + ([snapshot.notice] if snapshot.notice else [])


def _iterations(snapshot: Snapshot) -> str:
    running = f", {len(snapshot.running)} running" if snapshot.running else ""
    return f"{snapshot.done}/{snapshot.total}{running}"


def _use(snapshot: Snapshot) -> str:
    replayed = f" ({snapshot.replayed:,} replayed)" if snapshot.replayed else ""
    parts = [f"{snapshot.calls:,} calls{replayed}", f"{figures.amount(snapshot.tokens)} tokens"]
    parts += [figures.money(snapshot.cost), f"{snapshot.calls_per_second:,.0f} calls/s"]
    return " · ".join(parts)


def _time(snapshot: Snapshot) -> str:
    left = snapshot.seconds_left
    return figures.clock(snapshot.seconds) + (
        f", about {figures.clock(left)} left" if left is not None else ""
    )
