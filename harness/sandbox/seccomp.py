"""A filter for system calls, as the bytes of a classic BPF program for bubblewrap's `--seccomp`. Pure.

It refuses what a scaffold never needs and a namespace does not cover: sockets, new processes, new namespaces,
mounts, keys, memory outside the address-space limit, and kernel interfaces with a history of faults. `execve`
stays open, since the interpreter is started through it; what is executed keeps the filter and the namespaces.
Numbers: the kernel's `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`.
"""

import errno
import struct
from dataclasses import dataclass

from harness.errors import SandboxError

# Classic BPF, `linux/filter.h`: load a word of seccomp_data, compare, and with a mask, return.
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, AND, RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
# Offsets in seccomp_data; of the argument its low word, on little-endian machines.
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = REFUSE | errno.EPERM, REFUSE | errno.ENOSYS

AF_UNIX = 1
CLONE_THREAD = 0x00010000
# CLONE_NEWTIME shares its bit with the exit signal and is reached only through clone3 and unshare.
CLONE_NEW = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000

CLONE3 = 435
NEWEST = 462  # calls from 463 on, and the x32 ABI of x86_64, answer "not implemented"

# name: number on x86_64, number on aarch64
REFUSED: dict[str, tuple[int, int | None]] = {
    # sockets; a pair of connected ones stays possible
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "accept4": (288, 242),
    "bind": (49, 200),
    "listen": (50, 201),
    # other programs and processes
    "fork": (57, None),
    "vfork": (58, None),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "personality": (135, 92),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # memory that no limit of the process counts
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # kernel interfaces with a history of faults
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "modify_ldt": (154, None),
    # the machine
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "syslog": (103, 116),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "adjtimex": (159, 171),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "iopl": (172, None),
    "ioperm": (173, None),
}


@dataclass(frozen=True)
class Machine:
    """What differs between architectures: the AUDIT_ARCH value and the numbers of the calls."""

    audit: int
    clone: int
    socketpair: int
    refused: tuple[int, ...]


MACHINES = {
    "x86_64": Machine(0xC000003E, clone=56, socketpair=53, refused=tuple(x86 for x86, _ in REFUSED.values())),
    "aarch64": Machine(
        0xC00000B7,
        clone=220,
        socketpair=199,
        refused=tuple(arm for _, arm in REFUSED.values() if arm is not None),
    ),
}


def program(machine: str) -> bytes:
    """The filter for `machine` as `platform.machine()` names it; raises SandboxError for one not described here."""
    if machine not in MACHINES:
        raise SandboxError(f"no system-call filter for {machine!r}, only for {sorted(MACHINES)}")
    here = MACHINES[machine]
    return b"".join(
        (
            _op(LOAD, ARCHITECTURE),
            _op(JUMP_EQUAL, here.audit, yes=1),
            _op(RETURN, KILL),
            _op(LOAD, NUMBER),
            _unless(JUMP_AT_LEAST, NEWEST + 1, ENOSYS),
            _unless(JUMP_EQUAL, CLONE3, ENOSYS),  # libc falls back to clone, whose flags can be read here
            *(_unless(JUMP_EQUAL, number, EPERM) for number in here.refused),
            _only(here.socketpair, AF_UNIX),
            _only(here.clone, CLONE_THREAD, mask=CLONE_THREAD | CLONE_NEW),
            _op(RETURN, ALLOW),
        )
    )


def _unless(test: int, value: int, verdict: int) -> bytes:
    """Return `verdict` if the loaded number passes `test`."""
    return _op(test, value, no=1) + _op(RETURN, verdict)


def _only(number: int, value: int, mask: int = 0xFFFFFFFF) -> bytes:
    """Allow the call `number` only if its first argument, masked, is `value`."""
    return b"".join(
        (
            _op(JUMP_EQUAL, number, no=5),
            _op(LOAD, FIRST_ARGUMENT),
            _op(AND, mask),
            _op(JUMP_EQUAL, value, no=1),
            _op(RETURN, ALLOW),
            _op(RETURN, EPERM),
        )
    )


def _op(code: int, operand: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, operand)
