"""The whole loop over real sockets, killed again and again: it must end as if nothing had happened.

python tests/test_server.py --iterations 20 --kills 10 prints the figures; pytest -m server does the same as a test.
The documents are those of the folder in EVOLVE_TEST_DOCUMENTS, else the text of the Python installation.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from openai_server import Line, read_log
from run_facts import QUERIES, calls, differences, facts, journal, query

from harness.calls import pair, seed_of
from harness.types import ROLES, Draw

SERVER = Path(__file__).with_name("openai_server.py")
SHOWN = 20


@dataclass(frozen=True)
class Trial:
    """What is tried. latency: mean seconds of an answer of the server."""

    iterations: int = 20
    workers: int = 8
    kills: int = 10
    latency: float = 0.03
    seed: int = 1
    validation: int = 8
    test: int = 12
    documents: str | None = field(default_factory=lambda: os.environ.get("EVOLVE_TEST_DOCUMENTS"))


@dataclass
class Figures:
    """What was seen. Seconds are of the wall clock; repeats are requests that were sent more than once.

    recognised: requests of the server's log that were found in the journal after a kill; none would prove nothing.
    """

    reference_seconds: float = 0.0
    reference_requests: int = 0
    killed_seconds: float = 0.0
    killed_requests: int = 0
    recorded_calls: int = 0
    kills: list[str] = field(default_factory=list)
    paid_twice: int = 0
    recognised: int = 0
    never_asked: int = 0
    in_flight_repeats: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)


@contextmanager
def server(port: int, log: Path, trial: Trial, shuffle: int) -> Iterator[str]:
    """A server process; its URL."""
    options = ["--port", str(port), "--log", str(log), "--latency", str(trial.latency), "--jitter", "0.9"]
    command = [sys.executable, str(SERVER), *options, "--shuffle", str(shuffle)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def configure(folder: Path, url: str, trial: Trial) -> None:
    """evolve.toml with every role at the server; none of them is simulated as far as the tool knows."""
    folder.mkdir()
    documents = f"path = {json.dumps(str(Path(trial.documents).absolute()))}\n" if trial.documents else ""
    sizes = f"minibatch = 3\nvalidation = {trial.validation}\ntest = {trial.test}\n"
    models = f'[models.default]\nbase_url = "{url}"\nname = "unset"\nslots = 32\ninput_price = 1.0\noutput_price = 4.0\n'
    roles = "".join(f'[models.{role}]\nname = "simulated-{role}"\n' for role in ROLES)
    text = f"[documents]\n{documents}{sizes}[search]\nseed = {trial.seed}\neffect = 0.3\n{models}{roles}"
    (folder / "evolve.toml").write_text(text)


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "evolve", *arguments, "--db", str(folder / "population.db")]


def run_command(folder: Path, trial: Trial) -> list[str]:
    return command(
        folder, "run", "--iterations", str(trial.iterations), "--workers", str(trial.workers), "--json"
    )


def started(folder: Path, trial: Trial) -> "subprocess.Popen[bytes]":
    log = (folder / "output.txt").open("ab")
    with log:
        return subprocess.Popen(run_command(folder, trial), stdout=log, stderr=log, start_new_session=True)


def verified(folder: Path) -> list[str]:
    """What `evolve verify` finds, nothing if it is content; a run that is not recorded yet cannot be verified."""
    if not recorded_run(folder):
        return []
    done = subprocess.run(command(folder, "verify", "--json"), capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    return [f"verify ended with {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}"]


def recorded_run(folder: Path) -> bool:
    try:
        return bool(query(folder / "population.db", "SELECT run FROM runs"))
    except sqlite3.OperationalError:
        return False


DRAW = tuple(one.name for one in fields(Draw))
Calls = Counter[tuple[str, int]]


def journalled(folder: Path, seed: int) -> Calls:
    """The calls in the journal, as the server knows them: model and the seed that the call's identity gives."""
    try:
        rows = query(journal(folder), f"SELECT model, key, role, {', '.join(DRAW)} FROM calls")
    except sqlite3.OperationalError:
        return Counter()
    return Counter(
        (str(model), seed_of(pair(Draw(*draw), seed) if role == "challenger" else str(key)))
        for model, key, role, *draw in rows
    )


def moments(trial: Trial, requests: int) -> list[tuple[str, float]]:
    """When to kill: after how many requests in all, or after how many seconds of the process; in random order of kind.

    Deaths by seconds strike start-up, replay and the first new calls, those by requests anything else.
    """
    rng = random.Random(f"kills {trial.seed}")
    early = trial.kills // 3
    later = sorted(rng.uniform(0.02, 0.95) * requests for _ in range(trial.kills - early))
    deaths = [("requests", one) for one in later]
    for _ in range(early):
        deaths.insert(rng.randrange(len(deaths) + 1), ("seconds", rng.uniform(0.2, 4.0)))
    return deaths


def wait_to_kill(process: "subprocess.Popen[bytes]", log: Path, death: tuple[str, float]) -> bool:
    """Poll until the moment has come; False if the process ended before."""
    kind, value = death
    began = time.monotonic()
    while process.poll() is None:
        reached = time.monotonic() - began if kind == "seconds" else count_lines(log)
        if reached >= value:
            return True
        time.sleep(0.01)
    return False


def count_lines(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def orphans(folder: Path) -> list[str]:
    """Processes that still run something below the folder some seconds after the run was killed: sandboxes."""
    left: list[str] = []
    for _ in range(50):
        places = (path / "cmdline" for path in Path("/proc").glob("[0-9]*"))
        left = [one for one in map(command_line, places) if str(folder / "runs") in one]
        if not left:
            break
        time.sleep(0.1)
    return left


def command_line(place: Path) -> str:
    try:
        return place.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:  # it has ended meanwhile
        return ""


def finish(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    assert process.wait() == 0, (folder / "output.txt").read_text()[-3000:]


def trial_of(trial: Trial, place: Path) -> Figures:
    """One uninterrupted run, one that is killed and resumed; both against servers on the same port."""
    figures = Figures()
    whole, killed = place / "whole", place / "killed"
    logs = place / "whole.log", place / "killed.log"
    with server(0, logs[0], trial, shuffle=1) as url:
        configure(whole, url, trial)
        began = time.monotonic()
        finish(started(whole, trial), whole)
        figures.reference_seconds = time.monotonic() - began
    figures.reference_requests = count_lines(logs[0])
    figures.findings += verified(whole)
    port = int(url.split(":")[2].split("/")[0])
    with server(port, logs[1], trial, shuffle=2) as url:
        configure(killed, url, trial)
        began = time.monotonic()
        seen = interrupted(trial, killed, (logs[1], figures))
        finish(started(killed, trial), killed)
        figures.killed_seconds = time.monotonic() - began
    figures.findings += verified(killed)
    whole_log, killed_log = read_log(logs[0]), read_log(logs[1])
    count_repeats(killed_log, seen, journalled(killed, trial.seed), figures)
    asked, again = (Counter(line.digest for line in log) for log in (whole_log, killed_log))
    figures.in_flight_repeats = (again - asked).total()
    figures.never_asked = (asked - again).total()
    figures.killed_requests = count_lines(logs[1])
    figures.recorded_calls = calls(killed)
    figures.differences += differences(facts(whole), facts(killed))
    figures.outcomes = dict(
        Counter(str(row[3]) for row in query(killed / "population.db", QUERIES["iterations"]))
    )
    return figures


def interrupted(trial: Trial, folder: Path, watched: tuple[Path, Figures]) -> list[tuple[float, Calls]]:
    """Start and kill, as often as wanted. For each death: when, and which calls were in the journal."""
    log, figures = watched
    seen: list[tuple[float, Calls]] = []
    for death in moments(trial, figures.reference_requests):
        process = started(folder, trial)
        if not wait_to_kill(process, log, death):
            finish(process, folder)
            figures.findings.append(f"the run ended before it could be killed at {death}")
            return seen
        kill(process)
        died = time.time()
        figures.orphans += orphans(folder)
        seen.append((died, journalled(folder, trial.seed)))
        done = len(query(folder / "population.db", "SELECT 1 FROM iterations")) if recorded_run(folder) else 0
        figures.kills.append(
            f"{death[0]} {death[1]:.1f}: {seen[-1][1].total()} calls and {done} iterations recorded"
        )
        figures.findings += verified(folder)
    return seen


def count_repeats(
    lines: list[Line], deaths: list[tuple[float, Calls]], final: Calls, figures: Figures
) -> None:
    """Requests sent again although their reply was in the journal when the process died, and those recognised at all.

    A challenger's seed is that of two calls, of a parent and its child: between two deaths no more requests with a seed
    may come than calls with it were still missing in the journal.
    """
    ends = [died for died, _ in deaths[1:]] + [float("inf")]
    for (died, known), end in zip(deaths, ends, strict=True):
        came = Counter((line.model, line.seed) for line in lines if died < line.came <= end)
        figures.paid_twice += sum(
            max(0, number - (final[key] - known[key])) for key, number in came.items() if key in known
        )
    figures.recognised = sum(
        any(line.came <= died and (line.model, line.seed) in journal for died, journal in deaths)
        for line in lines
    )


@pytest.mark.server
def test_ten_kills_over_real_sockets_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Same iterations, commits, scores, diffs, traces and spending; nothing recorded is paid again; verify is clean."""
    trial = Trial()
    figures = trial_of(trial, tmp_path)
    with capsys.disabled():
        sys.stdout.write(f"\n{json.dumps(asdict(figures), indent=1)}\n")
    assert figures.differences == []
    assert figures.findings == []
    assert figures.orphans == []
    assert len(figures.kills) == trial.kills
    assert figures.paid_twice == 0
    assert figures.recognised > figures.reference_requests / 2
    assert figures.outcomes["baseline"] == 1
    assert sum(figures.outcomes.values()) == trial.iterations + 1
    assert figures.never_asked == 0
    assert figures.killed_requests - figures.in_flight_repeats == figures.reference_requests
    assert figures.recorded_calls == figures.reference_requests


@pytest.mark.server
def test_an_outage_of_the_server_changes_nothing(tmp_path: Path) -> None:
    """The server dies in the middle and comes back ten seconds later: the run waits, probes, and ends as if it had not."""
    trial = Trial(iterations=4, kills=0, validation=4, test=6)
    whole, hurt = tmp_path / "whole", tmp_path / "hurt"
    with server(0, tmp_path / "whole.log", trial, shuffle=1) as url:
        configure(whole, url, trial)
        finish(started(whole, trial), whole)
    middle = ("requests", count_lines(tmp_path / "whole.log") / 2)
    port = int(url.split(":")[2].split("/")[0])
    with server(port, tmp_path / "first.log", trial, shuffle=2) as url:
        configure(hurt, url, trial)
        process = started(hurt, trial)
        assert wait_to_kill(process, tmp_path / "first.log", middle)
    time.sleep(10)
    assert process.poll() is None
    with server(port, tmp_path / "second.log", trial, shuffle=3):
        finish(process, hurt)
    assert differences(facts(whole), facts(hurt)) == []
    assert verified(hurt) == []
    attempts = query(journal(hurt), "SELECT count(*) FROM failures")[0][0]
    assert 0 < int(attempts) < 100  # type: ignore[call-overload]  # a count


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--latency", type=float, default=0.03)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--validation", type=int, default=8)
    parser.add_argument("--test", type=int, default=12)
    parser.add_argument("--documents", default=os.environ.get("EVOLVE_TEST_DOCUMENTS"))
    parser.add_argument("--keep", type=Path, help="folder for everything that is made; it stays")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = vars(arguments())
    kept = chosen.pop("keep")
    with TemporaryDirectory(prefix="evolve-server-") as scratch:
        home = kept or Path(scratch)
        home.mkdir(parents=True, exist_ok=True)
        figures = trial_of(Trial(**chosen), home)
        figures.differences[SHOWN:] = (
            [f"{len(figures.differences)} differences in all"] if figures.differences else []
        )
        sys.stdout.write(json.dumps(asdict(figures), indent=1) + "\n")
