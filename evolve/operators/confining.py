"""Where an external agent may run: namespaces of its own, of the files only programs and its checkout. Starts nothing.

Other than a scaffold (harness/sandbox/) an agent starts processes and mostly needs the network, so there is no filter of
system calls here. Not closed: it may fill the disk with its checkout, and with the network on it reaches whatever this
machine reaches, servers of this machine included.
"""

import asyncio
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evolve.settings import AgentSettings
from harness.errors import SandboxError, UsageError
from harness.sandbox.choose import refusal

PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store")
CONFIGURATION = (
    *(
        "resolv.conf",
        "hosts",
        "nsswitch.conf",
        "host.conf",
        "gai.conf",
        "services",
        "protocols",
        "passwd",
        "group",
    ),
    *(
        "ssl",
        "pki",
        "ca-certificates",
        "crypto-policies",
        "alternatives",
        "ld.so.cache",
        "localtime",
        "mime.types",
    ),
)
INNER = Path("/agent")
HOME = INNER / "home"
NOBODY = "65534"
SCRATCH_BYTES = 2**31
HELP_SECONDS = 20.0
SHARED_PREFIXES = (Path("/"), Path("/usr"), Path("/usr/local"))


@dataclass(frozen=True)
class Start:
    """A process to be started. wrapped: by bubblewrap, which reports the command's process and how it ended."""

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    wrapped: bool


@dataclass(frozen=True)
class Confined:
    """Bubblewrap around an agent. options: all of its command line that is the same for every checkout."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    options: tuple[str, ...]

    def start(self, checkout: Path, task: Path, status: int) -> Start:
        """The command in a writable checkout, the task beside it; `status` is a descriptor for bubblewrap's report."""
        inner, shown = INNER / "scaffold", INNER / "task.md"
        binds = (
            "--bind",
            os.path.realpath(checkout),
            str(inner),
            "--ro-bind",
            os.path.realpath(task),
            str(shown),
        )
        where = ("--chdir", str(inner), "--remount-ro", "/", "--json-status-fd", str(status))
        argv = (*self.options, *binds, *where, "--", *filled(self.command, shown))
        return Start(argv, Path("/"), {**self.environment, "HOME": str(HOME)}, wrapped=True)


@dataclass(frozen=True)
class Unconfined:
    """A plain process, for a machine that its user calls disposable; its home is a folder beside the checkout."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    def start(self, checkout: Path, task: Path, status: int) -> Start:
        """The command in the checkout."""
        home = checkout.parent / "home"
        return Start(
            filled(self.command, task), checkout, {**self.environment, "HOME": str(home)}, wrapped=False
        )


def filled(command: Sequence[str], task: Path) -> tuple[str, ...]:
    """The command with the place of the task's file in it."""
    return tuple(part.replace("{task}", str(task)) for part in command)


async def confined(
    settings: AgentSettings,
    sandbox: Literal["auto", "bubblewrap", "external"],
    folder: Path,
    hidden: Sequence[Path],
    visible: Sequence[Path] = (),
) -> Confined | Unconfined:
    """What the agent of the settings runs in here, tried out with a program that does nothing.

    folder: where a relative command begins. hidden: what it must not read even where it lies within something shown: the
    run, the documents. visible: what else it may read, such as where it is installed.

    Raises:
        UsageError: the command or a variable that it needs is not there. SandboxError: no confinement works here.
    """
    program = found(settings.command[0], folder)
    command = (str(program), *settings.command[1:])
    environment = chosen(settings.environment)
    if sandbox == "external":
        return Unconfined(command, environment)
    executable = shutil.which("bwrap")
    if executable is None:
        raise SandboxError(refusal("bwrap is not installed, and an external agent runs in it"))
    shown = (*(Path(one) for one in PROGRAMS), *visible, *installed(program))
    scratch = await _scratch(executable)
    options = (executable, *_namespaces(settings.network), *scratch, *view(shown, hidden))
    return Confined(command, environment, await _working(options))


def found(program: str, folder: Path) -> Path:
    """The agent's program: on the PATH, or relative to the folder if a slash is in its name.

    Raises:
        UsageError: it is not there, or cannot be executed.
    """
    place = shutil.which(folder / program) if "/" in program else shutil.which(program)
    if place is None:
        where = f"in {str(folder)!r}" if "/" in program else "on the PATH"
        raise UsageError(
            f"agent.command: {program!r} is not {where}, or cannot be executed; install or correct it"
        )
    return Path(place).absolute()


def chosen(names: Sequence[str]) -> dict[str, str]:
    """The variables that the agent gets: the named ones, and PATH.

    Raises:
        UsageError: one of them is not set.
    """
    for name in names:
        if name not in os.environ:
            raise UsageError(
                f"agent.environment: the variable {name!r} is not set; export it, or take it off the list"
            )
    return {name: os.environ[name] for name in dict.fromkeys(("PATH", *names)) if name in os.environ}


def installed(program: Path) -> tuple[Path, ...]:
    """What has to be shown of a program outside of the system's folders: where it was installed as a whole.

    That is the folder above a `bin` that holds program and target alike, as of a version of node; else only the file.
    """
    target, prefix = program.resolve(), program.parent.parent
    personal = (Path.home(), Path.home() / ".local", *SHARED_PREFIXES)
    if program.parent.name == "bin" and target.is_relative_to(prefix) and prefix not in personal:
        return (prefix,)
    return tuple(dict.fromkeys((program, target)))


def view(shown: Sequence[Path], hidden: Sequence[Path]) -> tuple[str, ...]:
    """The options that show programs and configuration read-only. What is hidden appears empty, but for what is shown
    inside it on purpose."""
    links = [one for one in map(Path, PROGRAMS) if one.is_symlink()]
    arguments = [part for link in links for part in ("--symlink", str(link.readlink()), str(link))]
    closed = [Path(os.path.realpath(one)) for one in hidden]
    places = [one for one in shown if one.exists() and not _within(one, links)]
    outside = _outermost([one for one in places if not _within(one, closed)])
    arguments += _bound(outside)
    arguments += [part for one in CONFIGURATION for part in ("--ro-bind-try", f"/etc/{one}", f"/etc/{one}")]
    for folder in closed:
        covered = _within(folder, outside) and folder.is_dir()
        arguments += ("--tmpfs", str(folder)) if covered else ()
        arguments += _bound(_outermost([one for one in places if one != folder and _within(one, [folder])]))
        arguments += ("--remount-ro", str(folder)) if covered else ()
    return tuple(arguments)


def _bound(places: Sequence[Path]) -> list[str]:
    return [part for one in places for part in ("--ro-bind", str(one), str(one))]


def _outermost(places: Sequence[Path]) -> list[Path]:
    """Without duplicates and without what lies inside another one."""
    return sorted({one for one in places if not any(other in one.parents for other in places)})


def _within(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _namespaces(network: bool) -> tuple[str, ...]:
    shared = ("--share-net",) if network else ()
    own = (
        "--unshare-all",
        *shared,
        "--unshare-user",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
    )
    return (*own, "--uid", NOBODY, "--gid", NOBODY, "--cap-drop", "ALL", "--hostname", "agent")


async def _scratch(executable: str) -> tuple[str, ...]:
    """Processes and devices of its own, and empty folders for what is temporary, each of a bounded size."""
    size = ("--size", str(SCRATCH_BYTES)) if "--size" in await _options(executable) else ()
    return ("--proc", "/proc", "--dev", "/dev", *size, "--tmpfs", "/tmp", *size, "--tmpfs", str(HOME))


async def _options(executable: str) -> frozenset[str]:
    _, output = await _try((executable, "--help"))
    return frozenset(re.findall(r"--[a-z0-9-]+", output))


async def _working(options: tuple[str, ...]) -> tuple[str, ...]:
    """The options as they work here: a container with a read-only /proc/sys cannot disable user namespaces."""
    nothing = ("--", shutil.which("true") or "true")
    status, said = await _try((*options, *nothing))
    if status and ("max_user_namespaces" in said or "--disable-userns" in said):
        options = tuple(one for one in options if one != "--disable-userns")
        status, said = await _try((*options, *nothing))
    if status:
        raise SandboxError(refusal(said.strip() or f"bwrap ended with {status}"))
    return options


async def _try(argv: Sequence[str]) -> tuple[int | None, str]:
    pipe, same = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(
        *argv,
        env={"PATH": os.environ.get("PATH", "")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=pipe,
        stderr=same,
    )
    try:
        async with asyncio.timeout(HELP_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise SandboxError(
            f"{argv[0]!r} did not end within {HELP_SECONDS:g} s; is the machine overloaded?"
        ) from error
    return process.returncode, output.decode("utf-8", "replace")
