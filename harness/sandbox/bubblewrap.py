"""bubblewrap: own namespaces, no capabilities, a filter for system calls, and of the files only a bare Python.

Linux only. Not closed here: files have one layer (no Landlock), a scaffold may replace itself by executing a file of
its view, and the number of (not the space for) files in its scratch folder is not limited; all ends with the process.
"""

import asyncio
import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import SandboxError
from harness.sandbox import Answer, Level, Limits
from harness.sandbox.pipe import ENVIRONMENT, FLAGS, GUEST, Command, converse
from harness.sandbox.seccomp import program
from harness.sandbox.view import View, look

SCRATCH = "/scratch"
INNER_GUEST = "/guest.py"
INNER_SCAFFOLD = "/scaffold"
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
NOBODY = "65534"
PROCESSES = 128
COUNTS_PER_NAMESPACE = (5, 14)  # from this kernel on RLIMIT_NPROC counts inside a user namespace
HELP_SECONDS = 20.0


@dataclass(frozen=True)
class Bubblewrap:
    """A Sandbox of Linux namespaces. `options` is all of the command line that is the same for every scaffold."""

    limits: Limits
    options: tuple[str, ...]
    python: Path
    filter: bytes
    level: Level = "namespaces-only"

    async def run(self, scaffold: Path, opening: dict[str, Any], answer: Answer) -> None:
        """See `Sandbox.run`; the guest sees `scaffold` read-only as /scaffold and works in an empty /scratch."""
        try:
            filter_fd = os.memfd_create("filter")
        except OSError as error:
            raise SandboxError(f"no descriptor for the filter: {error}; raise `ulimit -n`") from error
        try:
            os.write(filter_fd, self.filter)
            os.lseek(filter_fd, 0, os.SEEK_SET)
            command = Command(
                (*self.options, *self._program(scaffold, filter_fd)),
                Path("/"),
                fds=(filter_fd,),
                processes=PROCESSES if _kernel() >= COUNTS_PER_NAMESPACE else None,
                wrapped=True,
            )
            await converse(command, opening, answer, self.limits)
        finally:
            os.close(filter_fd)

    def _program(self, scaffold: Path, filter_fd: int) -> tuple[str, ...]:
        return (
            *("--ro-bind", os.path.realpath(scaffold), INNER_SCAFFOLD),
            *("--remount-ro", "/"),
            *("--seccomp", str(filter_fd)),
            *("--", str(self.python), *FLAGS, INNER_GUEST, INNER_SCAFFOLD),
        )


async def prepare(limits: Limits, disable_userns: bool = True) -> Bubblewrap:
    """Find bubblewrap and what it must show. Raises SandboxError where it is missing; does not try whether it works."""
    executable = shutil.which("bwrap")
    if executable is None:
        raise SandboxError("bwrap is not installed")
    options = await _options(executable) - (set() if disable_userns else {"--disable-userns"})
    view = await look()
    return Bubblewrap(
        limits=limits,
        options=(executable, *_namespaces(options), *_files(view), *_scratch(options, limits.scratch)),
        python=view.interpreter,
        filter=program(platform.machine()),
    )


async def _options(executable: str) -> frozenset[str]:
    """The options this version of bubblewrap knows: `--size` came with 0.7, `--disable-userns` with 0.8."""
    pipe, same = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(
        executable, "--help", env=ENVIRONMENT, stdout=pipe, stderr=same
    )
    try:
        async with asyncio.timeout(HELP_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise SandboxError(f"{executable!r} --help did not end within {HELP_SECONDS:g} s") from error
    return frozenset(re.findall(r"--[a-z0-9-]+", output.decode("utf-8", "replace")))


def _namespaces(options: frozenset[str]) -> tuple[str, ...]:
    wanted = ("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session")
    known = tuple(option for option in ("--disable-userns",) if option in options)
    return (*wanted, *known, "--uid", NOBODY, "--gid", NOBODY, "--cap-drop", "ALL", "--hostname", "sandbox")


def _files(view: View) -> tuple[str, ...]:
    arguments: list[str] = []
    for target, link in view.links:
        arguments += ("--symlink", target, link)
    for path in (*view.folders, *view.files):
        arguments += ("--ro-bind", str(path), str(path))
    for folder in view.hidden:
        arguments += ("--tmpfs", str(folder), "--remount-ro", str(folder))
    for device in DEVICES:
        arguments += ("--dev-bind", device, device)
    return (*arguments, "--ro-bind", str(GUEST), INNER_GUEST)


def _scratch(options: frozenset[str], size: int) -> tuple[str, ...]:
    """A sized tmpfs; a bubblewrap too old to size one gets none, and the folder stays read-only."""
    sized = ("--size", str(size), "--tmpfs", SCRATCH) if "--size" in options else ("--dir", SCRATCH)
    return (*sized, "--chdir", SCRATCH)


def _kernel() -> tuple[int, int]:
    major, minor, *_ = (*re.findall(r"\d+", platform.release()), "0", "0")
    return int(major), int(minor)
