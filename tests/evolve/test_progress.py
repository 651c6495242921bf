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
from evolve.report.progress import Events, Lines, Screen, Snapshot, Work, panel, watch

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


WORK = Work(
    run="run-001",
    phase="test split: c7, c12",
    simulated=True,
    unit="rollouts",
    total=80,
    done=31,
    outcomes={"accepted": 11, "exhausted": 20},
    calls=930,
    tokens=1_200_000,
    cost=0.8,
    seconds=12,
    seconds_left=20,
)


@pytest.mark.parametrize("width", [80, 120])
def test_other_work_is_drawn_too(width: int) -> None:
    """What is done of what, outcomes, use and time; at 80 columns no line is too long, whatever is measured."""
    out = StringIO()
    phase = f"test split: {', '.join(f'c{number}' for number in range(50))}"
    for one in (WORK, replace(WORK, phase=phase)):
        Console(file=out, width=width, markup=False).print(panel(one))
    shown = out.getvalue()
    assert all(len(line) <= width for line in shown.splitlines())
    assert shown.count("31/80 rollouts") == 2
    assert shown.count("about 0:20 left") == 2
    assert "11 accepted" in shown
    assert "simulated models" in shown


def test_lines_of_other_work_end_with_its_last_state() -> None:
    """A pipe gets a line at the begin and one when all is done, however short it was; both say simulated."""
    out = StringIO()
    lines = Lines(out, clock=lambda: 0.0)
    for done in (0, 30, 80, 80):
        lines.draw(replace(WORK, done=done))
    said = out.getvalue().splitlines()
    assert ["0/80 rollouts, simulated models" in said[0], "80/80 rollouts, simulated models" in said[-1]] == [
        True
    ] * 2
    assert len(said) == 2


def test_events_of_other_work_are_json() -> None:
    """One object for each state in which something more is done."""
    out = StringIO()
    events = Events(out)
    for done in (0, 0, 31):
        events.draw(replace(WORK, done=done))
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(one["event"], one["done"], one["unit"]) for one in found] == [
        ("progress", 0, "rollouts"),
        ("progress", 31, "rollouts"),
    ]


def test_more_done_than_asked_for_is_no_fraction() -> None:
    """A run that has more iterations than it was asked for says both numbers in words."""
    out = StringIO()
    Lines(out).draw(replace(STATE, done=6, total=3, running=()))
    Console(file=out, width=80, markup=False).print(panel(replace(STATE, done=6, total=3, running=())))
    assert out.getvalue().count("6 done, 3 asked for") == 2
    assert "6/3" not in out.getvalue()


def test_warnings_are_said_once_each() -> None:
    """A warning is a line of its own when it is new, wherever it stands among the others; in JSON it makes an event."""
    plain, events = StringIO(), StringIO()
    lines, objects = Lines(plain), Events(events)
    for warnings in ((), ("second",), ("first", "second"), ("first", "second")):
        snapshot = Snapshot("run-001", "iterations", True, 4, warnings=warnings)
        lines.draw(snapshot)
        objects.draw(snapshot)
    assert [one for one in plain.getvalue().splitlines() if "warning" in one] == [
        "warning: second",
        "warning: first",
    ]
    assert [len(json.loads(one)["warnings"]) for one in events.getvalue().splitlines()] == [0, 1, 2]


def test_waiting_calls_are_told_in_json_every_ten_seconds() -> None:
    """Somebody who reads events hears of an outage although nothing is done meanwhile."""
    events, now = StringIO(), [0.0]
    objects = Events(events, clock=lambda: now[0])
    for second in range(31):
        now[0] = float(second)
        objects.draw(Snapshot("run-001", "iterations", True, 4, notice="down" if second else ""))
    assert len(events.getvalue().splitlines()) == 4
