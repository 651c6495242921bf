"""The filter, run by a small interpreter of classic BPF, on both machines."""

import struct

import pytest

from harness.errors import SandboxError
from harness.sandbox.seccomp import ALLOW, ENOSYS, EPERM, KILL, MACHINES, REFUSED, program

READ = {"x86_64": 0, "aarch64": 63}
EXECVE = {"x86_64": 59, "aarch64": 221}
THREAD_FLAGS = 0x3D0F00  # what glibc starts a thread with
FORK_FLAGS = 0x01200011


@pytest.fixture(params=sorted(MACHINES))
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def verdict(machine: str, number: int, first: int = 0, audit: int | None = None) -> int:
    """What the filter returns for one system call."""
    code = list(struct.iter_unpack("<HBBI", program(machine)))
    data = struct.pack("<IIQQ", number, MACHINES[machine].audit if audit is None else audit, 0, first)
    loaded = position = 0
    while True:
        operation, yes, no, operand = code[position]
        position += 1
        if operation == 0x20:
            (loaded,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x54:
            loaded &= operand
        elif operation == 0x15:
            position += yes if loaded == operand else no
        elif operation == 0x35:
            position += yes if loaded >= operand else no
        elif operation == 0x06:
            return int(operand)
        else:
            raise AssertionError(f"unknown instruction {operation:#x}")


def test_ordinary_calls(machine: str) -> None:
    """Reading, writing and starting the interpreter go through."""
    assert verdict(machine, READ[machine]) == ALLOW
    assert verdict(machine, EXECVE[machine]) == ALLOW


def test_refused_calls(machine: str) -> None:
    """Every call of the table is refused on the machines that have it."""
    for name, numbers in REFUSED.items():
        number = numbers[sorted(MACHINES, reverse=True).index(machine)]
        assert number is None or verdict(machine, number) == EPERM, name


def test_socket_pairs(machine: str) -> None:
    """A pair of local sockets is allowed, of any other family not."""
    assert verdict(machine, MACHINES[machine].socketpair, 1) == ALLOW
    assert verdict(machine, MACHINES[machine].socketpair, 2) == EPERM


def test_clone(machine: str) -> None:
    """Threads are allowed; processes, and namespaces even for threads, are not; clone3 sends libc back to clone."""
    clone = MACHINES[machine].clone
    assert verdict(machine, clone, THREAD_FLAGS) == ALLOW
    assert verdict(machine, clone, FORK_FLAGS) == EPERM
    for bit in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict(machine, clone, THREAD_FLAGS | bit) == EPERM
    assert verdict(machine, 435) == ENOSYS


def test_unknown_calls(machine: str) -> None:
    """Calls younger than the table and those of the x32 ABI do not exist."""
    assert verdict(machine, 463) == ENOSYS
    assert verdict(machine, 0x40000000 + READ[machine]) == ENOSYS


def test_other_architectures(machine: str) -> None:
    """A 32-bit call on a 64-bit machine, whose numbers mean other things, ends the process."""
    assert verdict(machine, READ[machine], audit=0x40000003) == KILL


def test_no_filter_for_other_machines() -> None:
    """A machine that is not described is refused by name."""
    with pytest.raises(SandboxError, match="'riscv64'"):
        program("riscv64")
