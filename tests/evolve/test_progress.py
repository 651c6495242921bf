"""Progress is looked at, never reported: a snapshot drawn on a screen, as lines, or as JSON."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from evolve.intervals import proportion
from evolve.report.progress import Events, Lines, Screen, Snapshot, panel, watch

STATE = Snapshot(
    run="run-001",
    phase="iterations",
    simulated=True,
    total=50,
    done=23,
    running=tuple(range(24, 32)),
    outcomes=Counter(baseline=1, survived=4, dropped=15, no_change=2, broken=2),
    baseline=proportion(7, 40),
    best="c17",
    best_score=proportion(52, 120),
    calls=1_234_567,
    replayed=1_200,
    tokens=38_200_000,
    cost=1234.5,
    seconds=4_000,
    calls_per_second=148.2,
    seconds_left=7_000,
)


class Recorder:
    def __init__(self) -> None:
        self.drawn: list[Snapshot] = []
        self.drawn_often = asyncio.Event()
        self.closed = 0

    def draw(self, snapshot: Snapshot) -> None:
        self.drawn.append(snapshot)
        if len(self.drawn) == 3:
            self.drawn_often.set()

    def close(self) -> None:
        self.closed += 1


def test_watching_ends_with_the_last_state() -> None:
    """When the run ends the watcher is cancelled, draws what is true then, and closes the display once."""
    recorder, states = Recorder(), [STATE]

    async def run() -> None:
        watcher = asyncio.create_task(watch(lambda: states[-1], recorder, every=0))
        await recorder.drawn_often.wait()
        states.append(replace(STATE, phase="done", done=50))
        watcher.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watcher

    asyncio.run(run())
    assert recorder.drawn[-1].phase == "done"
    assert recorder.closed == 1


def test_lines_are_few() -> None:
    """Without a terminal there is a line every ten seconds, and one at once when the phase changes."""
    out, now = StringIO(), iter([0.0, 1.0, 9.0, 10.5, 11.0, 30.0])
    lines = Lines(out, every=10, clock=lambda: next(now))
    for done, phase in (
        (1, "baseline"),
        (2, "baseline"),
        (3, "baseline"),
        (4, "baseline"),
        (4, "done"),
        (4, "done"),
    ):
        lines.draw(replace(STATE, done=done, phase=phase))  # type: ignore[arg-type]  # the loop variable is a plain str
    shown = out.getvalue().splitlines()
    assert [line.split()[2] for line in shown] == ["1/50,", "4/50,", "4/50,"]
    assert all("validation 0.43 [0.35, 0.52] n=120, simulated" in line for line in shown)


def test_events_are_json() -> None:
    """One object for every recorded iteration and change of phase, however often it is drawn."""
    out = StringIO()
    events = Events(out)
    for one in (STATE, STATE, replace(STATE, done=24), replace(STATE, done=24, phase="final test")):
        events.draw(one)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(one["event"], one["done"], one["phase"]) for one in found] == [
        ("progress", 23, "iterations"),
        ("progress", 24, "iterations"),
        ("progress", 24, "final test"),
    ]
    assert found[0]["best_score"]["trials"] == 120
    assert found[0]["outcomes"]["dropped"] == 15


@pytest.fixture
def terminal() -> Iterator[Console]:
    yield Console(file=StringIO(), width=80, force_terminal=True, color_system=None)


def test_panel_fits_into_eighty_columns(terminal: Console) -> None:
    """The picture is a few lines of at most 80 columns, and its scores say simulated."""
    with terminal.capture() as captured:
        terminal.print(panel(replace(STATE, notice="waiting for the endpoint")))
    lines = captured.get().splitlines()
    assert len(lines) == 7
    assert max(map(len, lines)) <= 80
    assert sum("n=" in line and "simulated" in line for line in lines) == 2
    assert any("23/50, 8 running" in line for line in lines)


def test_screen_can_be_drawn_after_its_end(terminal: Console) -> None:
    """A display that is closed ignores what comes later, instead of drawing over the user's prompt."""
    screen = Screen(terminal)
    screen.draw(STATE)
    screen.close()
    before = terminal.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    screen.draw(STATE)
    assert terminal.file.getvalue() == before  # type: ignore[attr-defined]  # a StringIO
