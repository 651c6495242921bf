"""What a scaffold under bubblewrap cannot reach. Every attack has a twin that shows that the attempt itself works."""

import asyncio
import os
import platform
import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sandboxes import LIMITS, Host, bubblewrap, opening, run, scaffold, told

from harness.errors import SandboxError
from harness.sandbox import Sandbox
from harness.sandbox.bubblewrap import Bubblewrap, prepare
from harness.sandbox.process import Process
from harness.sandbox.seccomp import ALLOW, REFUSED, RETURN

OPEN_FILTER = struct.pack("<HBBI", RETURN, 0, 0, ALLOW)
ATTEMPT = """
import os, socket, sys
def tell():
    try:
        {attempt}
    except OSError as error:
        return type(error).__name__
    return "worked"
"""


@pytest.fixture
def confined() -> Bubblewrap:
    return bubblewrap(LIMITS)


@pytest.fixture
def server() -> Iterator[tuple[int, str]]:
    """A TCP server on the loopback and one on an abstract local socket: port and name."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as local:
        name = f"server-{os.getpid()}-{tcp.getsockname()[1]}"
        local.bind(f"\0{name}")
        local.listen()
        yield tcp.getsockname()[1], name


def attempt(sandbox: Sandbox, folder: Path, code: str) -> str:
    """`worked`, or the name of the OSError that `code` met."""
    return str(told(sandbox, folder, ATTEMPT.format(attempt=code)))


def test_files_of_the_host(confined: Bubblewrap, tmp_path: Path) -> None:
    """A file of the host, named exactly, is not there; without confinement it is."""
    secret = tmp_path / "held-out.txt"
    secret.write_text("canary")
    read = f"open({str(secret)!r}).read()"
    assert attempt(Process(LIMITS), tmp_path / "s", read) == "worked"
    assert attempt(confined, tmp_path / "s", read) == "FileNotFoundError"


@pytest.mark.parametrize("name", ["environ", "mem", "cwd", "fd"])
def test_processes_of_the_host(confined: Bubblewrap, tmp_path: Path, name: str) -> None:
    """Nothing of the host's process, its keys above all, can be seen."""
    see = f"os.lstat('/proc/{os.getpid()}/{name}')"
    assert attempt(Process(LIMITS), tmp_path / "s", see) == "worked"
    assert attempt(confined, tmp_path / "s", see) == "FileNotFoundError"


def test_the_whole_view(confined: Bubblewrap, tmp_path: Path) -> None:
    """The root folder has the scaffold, the guest, scratch, the interpreter, and nothing of people or programs."""
    code = (
        "import os\ndef tell(): return [sorted(os.listdir('/')), sorted(os.listdir('/dev')), os.listdir('.')]"
    )
    root, devices, scratch = told(confined, tmp_path / "s", code)
    parts = {Path(option).parts[1] for option in confined.options if option.startswith("/")}
    assert {"scaffold", "guest.py", "scratch"} <= set(root) <= parts | {"scaffold"}
    assert not {"home", "bin", "sbin", "proc", "sys", "run", "var", "work"} & set(root)
    assert devices == ["null", "random", "urandom", "zero"]
    assert scratch == []


def test_installed_packages_are_hidden(confined: Bubblewrap, tmp_path: Path) -> None:
    """The standard library is there, other people's packages are not, even for one who knows the path."""
    code = """
import os, ssl, sqlite3, sysconfig
def tell():
    packages = sysconfig.get_path("purelib")
    return [os.path.exists(os.__file__), os.listdir(packages) if os.path.isdir(packages) else []]
"""
    assert told(confined, tmp_path / "s", code) == [True, []]


@pytest.mark.parametrize("folder", ["/", "/scaffold", "/dev", "/usr", "/scratch/.."])
def test_writing(confined: Bubblewrap, tmp_path: Path, folder: str) -> None:
    """The scratch folder can be written, nothing else."""
    assert attempt(confined, tmp_path / "s", "open('/scratch/f', 'w').write('x')") == "worked"
    assert attempt(confined, tmp_path / "s", f"open('{folder}/f', 'w').write('x')") in (
        "OSError",  # read-only file system
        "PermissionError",
    )
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["agent.py"]


def test_changing_files_in_place(confined: Bubblewrap, tmp_path: Path) -> None:
    """Neither bytes, nor names, nor modes of the scaffold and the guest can be changed."""
    folder = scaffold(tmp_path / "s", "")
    for change in ("os.chmod({0}, 0o777)", "os.utime({0})", "os.rename({0}, '/scratch/x')", "os.unlink({0})"):
        for path in ("/scaffold/agent.py", "/guest.py"):
            assert attempt(confined, folder, change.format(repr(path))) != "worked"


def test_scratch_is_small(confined: Bubblewrap, tmp_path: Path) -> None:
    """Many files together have no more room than one, and the next run finds the scratch folder empty."""
    fill = "[open(f'/scratch/{n}', 'wb').write(b'x' * 2**16) for n in range(%d)]"
    assert attempt(confined, tmp_path / "s", fill % 8) == "worked"
    assert attempt(confined, tmp_path / "s", fill % 64) == "OSError"


def test_network(confined: Bubblewrap, tmp_path: Path, server: tuple[int, str]) -> None:
    """A server on the loopback or on an abstract socket cannot be reached; without confinement it can."""
    port, name = server
    tcp = f"socket.create_connection(('127.0.0.1', {port}), timeout=5)"
    local = f"socket.socket(socket.AF_UNIX).connect('\\0{name}')"
    for connect in (tcp, local):
        assert attempt(Process(LIMITS), tmp_path / "s", connect) == "worked"
        assert attempt(confined, tmp_path / "s", connect) == "PermissionError"
        unfiltered = replace(confined, filter=OPEN_FILTER)
        assert attempt(unfiltered, tmp_path / "s", connect) in ("OSError", "ConnectionRefusedError")


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_VSOCK", "AF_PACKET"])
def test_sockets(confined: Bubblewrap, tmp_path: Path, family: str) -> None:
    """No socket of any family can be made; a connected pair can, and asyncio works with it."""
    assert attempt(confined, tmp_path / "s", f"socket.socket(socket.{family})") == "PermissionError"
    assert attempt(confined, tmp_path / "s", "import asyncio; asyncio.run(asyncio.sleep(0))") == "worked"


@pytest.mark.parametrize(
    "start",
    ["os.fork()", "os.posix_spawn(sys.executable, ['x'], {})", "__import__('subprocess').run(['/x'])"],
)
def test_processes(confined: Bubblewrap, tmp_path: Path, start: str) -> None:
    """No second process can be started; threads can."""
    assert attempt(confined, tmp_path / "s", start) == "PermissionError"
    thread = "import threading; t = threading.Thread(target=print); t.start(); t.join()"
    assert attempt(confined, tmp_path / "s", thread) == "worked"


def test_no_shell(confined: Bubblewrap, tmp_path: Path) -> None:
    """There is no shell to become."""
    assert attempt(confined, tmp_path / "s", "os.execv('/bin/sh', ['sh'])") == "FileNotFoundError"


SYSCALLS = """
import ctypes, os
NUMBERS = %r
def tell():
    libc = ctypes.CDLL(None, use_errno=True)
    found = {}
    for name, number in NUMBERS.items():
        ctypes.set_errno(0)
        arguments = [ctypes.c_long(-1)] * 6 if name not in ("unshare", "ptrace") else [ctypes.c_long(0)] * 6
        libc.syscall(ctypes.c_long(number), *arguments)
        found[name] = ctypes.get_errno()
    return found
"""
HARMLESS = ("unshare", "io_uring_setup", "memfd_create", "bpf", "setns", "ptrace", "userfaultfd", "socket")


def numbers() -> dict[str, int]:
    """The refused calls of this machine that would not start a process if they were allowed."""
    column = {"x86_64": 0, "aarch64": 1}[platform.machine()]
    known = {name: both[column] for name, both in REFUSED.items() if "fork" not in name}
    return {name: number for name, number in known.items() if number is not None}


def test_system_calls(confined: Bubblewrap, tmp_path: Path) -> None:
    """Every refused call answers "not permitted"; without the filter some of them answer something else."""
    refused = told(confined, tmp_path / "s", SYSCALLS % numbers())
    assert set(refused.values()) == {1}
    harmless = {name: numbers()[name] for name in HARMLESS}
    found = told(replace(confined, filter=OPEN_FILTER), tmp_path / "s", SYSCALLS % harmless)
    assert {"unshare", "memfd_create", "setns", "socket"} <= {name for name in found if found[name] != 1}


def test_no_privileges(confined: Bubblewrap, tmp_path: Path) -> None:
    """The scaffold is nobody, has no capability to gain, no way to new privileges, and a filter."""
    code = """
import ctypes, os
NO_NEW_PRIVS, SECCOMP, BOUNDING = 39, 21, 23
def tell():
    prctl = ctypes.CDLL(None).prctl
    return [os.getuid(), os.getgid(), prctl(NO_NEW_PRIVS, 0, 0, 0, 0), prctl(SECCOMP),
            sum(prctl(BOUNDING, number) for number in range(38))]
"""
    assert told(confined, tmp_path / "s", code) == [65534, 65534, 1, 2, 0]


def test_killing_others(confined: Bubblewrap, tmp_path: Path) -> None:
    """The host's process cannot be signalled: in there it does not exist."""
    assert attempt(confined, tmp_path / "s", f"os.kill({os.getppid()}, 0)") == "ProcessLookupError"
    assert attempt(confined, tmp_path / "s", "os.kill(os.getpid(), 0)") == "worked"


def test_bubblewrap_that_fails(confined: Bubblewrap, tmp_path: Path) -> None:
    """An error of bubblewrap itself is our fault and is told in its words."""
    with pytest.raises(SandboxError, match=r"bwrap: .*no-such-folder"):
        asyncio.run(confined.run(tmp_path / "no-such-folder", opening(), Host()))
    with pytest.raises(SandboxError, match="'/no/bwrap'"):
        run(replace(confined, options=("/no/bwrap",)), tmp_path / "s", "")


def test_old_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that knows fewer options gets fewer; one that cannot size a folder gets no writable one."""
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho ' --unshare-all  --seccomp FD'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    options = asyncio.run(prepare(LIMITS)).options
    assert options[0] == str(fake)
    assert not {"--size", "--disable-userns"} & set(options)
    assert options[options.index("/scratch") - 1] == "--dir"
