"""What an external agent can reach in its sandbox, and that nothing of it is left when it is over."""

import asyncio
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from evolve.operators.confining import Unconfined, confined, filled, installed, view
from evolve.operators.running import HEAD_BYTES, TAIL_BYTES, Ran, run
from evolve.settings import AgentSettings
from harness.errors import UsageError


def ran(folder: Path, script: str, sandbox: str = "bubblewrap", **more: object) -> Ran:
    """The end of a shell script in a checkout; `visible` is shown to it besides."""
    seconds, visible = more.pop("seconds", 60.0), more.pop("visible", ())
    wanted = AgentSettings(command=("sh", "-c", script, "{task}"), **{"network": False, **more})
    checkout, task = folder / "work" / "scaffold", folder / "work" / "task.md"
    (folder / "work" / "home").mkdir(parents=True)
    checkout.mkdir()
    task.write_text("the task")

    async def scene() -> Ran:
        place = await confined(wanted, sandbox, folder, (folder,), visible)
        return await run(place, checkout, task, seconds)

    return asyncio.run(scene())


@pytest.mark.parametrize(
    "attempt",
    [
        "touch /x",
        "touch /usr/x",
        "touch /etc/x",
        'echo x >> "$0"',
        "touch /srv/x",
        "cat /etc/shadow",
        "mount -t tmpfs x /opt",
    ],
)
def test_only_its_checkout_can_be_written(tmp_path, attempt):
    """Programs, configuration and the task are read-only, secrets of the system not there; the twin attempt works."""
    assert ran(tmp_path, f"({attempt}) && echo worked").output.count("worked") == 0
    assert "worked" in ran(tmp_path / "twin", 'touch a /tmp/a ~/a && cat "$0" && echo worked').output
    assert (tmp_path / "twin" / "work" / "scaffold" / "a").exists()


def test_the_network_is_there_only_if_it_may_be(tmp_path):
    """A server of this machine is reached with the network and not without."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        script = f"python3 -c \"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))\""
        script = script.replace("python3", "/usr/bin/python3")
        assert ran(tmp_path / "a", script, network=True).status == 0
        assert ran(tmp_path / "b", script, network=False).status == 1


def test_the_environment_is_what_was_named(tmp_path, monkeypatch):
    """PATH, a home of its own and the named variables; nothing else of ours."""
    monkeypatch.setenv("MINE", "1")
    monkeypatch.setenv("NOT_NAMED", "2")
    names = {one.partition("=")[0] for one in ran(tmp_path, "env", environment=("MINE",)).output.split("\n")}
    assert names - {"", "_", "SHLVL", "OLDPWD", "PWD"} == {"PATH", "HOME", "MINE"}


@pytest.mark.parametrize("sandbox", ["bubblewrap", "external"])
def test_it_ends_with_all_its_children(tmp_path, sandbox):
    """When its time is up, or when its first process ends, nothing that it started goes on."""
    mark = f"{os.getpid()}{len(sandbox)}"
    late = ran(tmp_path / "a", f"sleep 6{mark} & sleep 7{mark}", sandbox, seconds=1.0)
    early = ran(tmp_path / "b", f"sleep 8{mark} & echo done; exit 4", sandbox)
    assert late.status is None and early.status == 4 and early.output == "done\n"
    assert not alive(mark)


def test_a_cancelled_run_leaves_nothing(tmp_path):
    """When the whole run is stopped, the agent and its children end with it."""
    mark = f"{os.getpid()}3"

    async def scene() -> None:
        wanted = AgentSettings(command=("sh", "-c", f"sleep 6{mark} & echo up > up; sleep 7{mark}"))
        place = await confined(wanted, "bubblewrap", tmp_path, ())
        (tmp_path / "c").mkdir()
        (tmp_path / "t").touch()
        os.mkfifo(tmp_path / "c" / "up")
        running = asyncio.create_task(run(place, tmp_path / "c", tmp_path / "t", 60.0))
        await asyncio.to_thread((tmp_path / "c" / "up").read_text)
        assert alive(mark)
        running.cancel()
        await asyncio.wait((running,))
        assert running.cancelled()

    asyncio.run(scene())
    assert not alive(mark)


def alive(mark: str) -> list[bytes]:
    """Command lines of sleeping processes that carry the mark."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended meanwhile
            found.append(one.read_bytes())
    return [one for one in found if one.startswith(b"sleep") and mark.encode() in one]


def test_output_is_bounded(tmp_path):
    """Of endless output beginning and end are kept, and how much is missing is said."""
    found = ran(tmp_path, "echo first; head -c 5000000 /dev/zero | tr '\\0' x; echo; echo last")
    assert found.output.startswith("first\n") and found.output.endswith("last\n")
    assert len(found.output) < HEAD_BYTES + TAIL_BYTES + 100 and "bytes left out" in found.output


def test_a_program_is_shown_where_it_is_installed(tmp_path):
    """Of a prefix with bin and lib all is shown, of a single file only that."""
    prefix = tmp_path / "node"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "lib").mkdir()
    (prefix / "lib" / "cli.js").write_text("x")
    (prefix / "bin" / "agent").symlink_to("../lib/cli.js")
    assert installed(prefix / "bin" / "agent") == (prefix,)
    alone = tmp_path / "alone"
    alone.symlink_to(prefix / "lib" / "cli.js")
    assert installed(alone) == (alone, prefix / "lib" / "cli.js")
    home = Path.home() / ".local" / "bin" / "agent"
    assert installed(home) == (home,)


def test_what_is_hidden_stays_hidden_within_what_is_shown(tmp_path):
    """A run inside a visible folder is empty, but for a program that was shown in it on purpose."""
    run_folder = tmp_path / "run"
    run_folder.mkdir()
    (run_folder / "secret").write_text("x")
    (run_folder / "agent").write_text("x")
    arguments = view((tmp_path, run_folder / "agent"), (run_folder,))
    at = arguments.index("--tmpfs")
    program = str(run_folder / "agent")
    assert arguments[at:] == (
        "--tmpfs",
        str(run_folder),
        "--ro-bind",
        program,
        program,
        "--remount-ro",
        str(run_folder),
    )


def test_what_is_visible_can_be_read(tmp_path):
    """A folder that the settings name is there, read-only."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "note").write_text("hello")
    script = f"cat {tools}/note; touch {tools}/x && echo written"
    found = ran(tmp_path / "a", script, visible=(tools,))
    assert found.output.startswith("hello") and "written" not in found.output


def test_the_task_is_put_into_the_command():
    """Wherever it stands in an argument; other braces are left alone."""
    assert filled(("a", "do {task}!", "{x}"), Path("/t")) == ("a", "do /t!", "{x}")


def test_a_command_that_cannot_be_executed_is_named(tmp_path):
    """An unconfined program that is no program is the user's error as well."""
    script = tmp_path / "agent"
    script.write_text("no program")
    script.chmod(0o755)
    checkout = tmp_path / "c"
    checkout.mkdir()
    (tmp_path / "home").mkdir()
    place = Unconfined((str(script),), {})
    with pytest.raises(UsageError, match="cannot be executed"):
        asyncio.run(run(place, checkout, tmp_path / "t", 10))
    assert shutil.which(script)
