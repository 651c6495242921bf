"""Which sandbox this machine can really give: tried out by a probe, never assumed. Where none works it refuses."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Literal

from harness.errors import CandidateFault, SandboxError
from harness.sandbox import Level, Limits, Sandbox
from harness.sandbox.bubblewrap import prepare
from harness.sandbox.process import Process

Wanted = Literal["auto", "bubblewrap", "external"]

PROBE = Path(__file__).resolve().parent / "probe"
NEEDED = frozenset(
    {
        "talk to the host",
        "have a clean environment",
        "draw the same random numbers",
        "read its own files",
        "start a thread",
        "make a socket pair",
    }
)
REFUSED = frozenset(
    {
        "read a file of the host",
        "read the environment of the host",
        "write beside its own files",
        "write to the root folder",
        "open a network socket",
        "open a local socket",
        "start a process",
        "execute a shell",
    }
)
CONFINED: frozenset[Level] = frozenset({"full", "namespaces-only"})


async def choose(wanted: Wanted, foreign_code: bool, limits: Limits | None = None) -> Sandbox:
    """The strongest sandbox that passes its self-test here; its `level` belongs into every result.

    foreign_code: whether scaffolds will run that a real model wrote. Without confinement they do not run, unless
    `wanted` is `external`, the user's word that this machine is disposable. Raises SandboxError, with cause and remedy.
    """
    limits = limits or Limits()
    if wanted == "external":
        return await _tested(Process(limits, level="external"))
    try:
        return await _bubblewrap(limits)
    except SandboxError as error:
        if wanted == "bubblewrap" or foreign_code:
            raise SandboxError(refusal(str(error))) from error
    return await _tested(Process(limits))


async def self_test(sandbox: Sandbox) -> str | None:
    """Run the probe scaffold in `sandbox`: None if it can do and cannot do what the level promises, else what failed."""
    found: dict[str, bool] = {}

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        if "ask" in request:
            return {"text": request["ask"]}
        found.update(request["submit"]["findings"])
        return {"report": {}}

    with tempfile.TemporaryDirectory(prefix="canary-") as folder:
        canary = Path(folder) / "canary"
        canary.write_text("a scaffold must not read this", encoding="utf-8")
        where = {"canary": str(canary), "environment": f"/proc/{os.getpid()}/environ"}
        opening = {"document": {"name": "probe", "text": json.dumps(where)}, "seed": 7, "submissions": 1}
        try:
            await sandbox.run(PROBE, opening, answer)
        except (SandboxError, CandidateFault) as error:
            return str(error)
    return broken_promise(found, sandbox.level)


def broken_promise(found: dict[str, bool], level: Level) -> str | None:
    """The first finding that contradicts what `level` promises, in words; a finding that is missing does."""
    for name in sorted(NEEDED):
        if found.get(name) is not True:
            return f"a scaffold in the sandbox cannot {name}"
    for name in sorted(REFUSED if level in CONFINED else ()):
        if found.get(name) is not False:
            return f"a scaffold in the sandbox can {name}"
    return None


def refusal(cause: str) -> str:
    """The message for people: what failed, the one command that mends it, and the way without confinement."""
    return (
        f"no confinement for foreign code on this machine: {cause}\n"
        f"To mend it: {remedy(cause)}\n"
        "Or, only if this machine is disposable (a container or VM without secrets): --sandbox external"
    )


def remedy(cause: str) -> str:
    """The command against `cause`, an error of bubblewrap or of the self-test."""
    if "not installed" in cause:
        return "apt-get install bubblewrap (or the same package of dnf, pacman, zypper, apk; there is none for macOS)"
    if "uid map: Permission denied" in cause or "RTM_NEWADDR" in cause:
        profile = "bwrap-userns-restrict"
        return (
            "AppArmor blocks user namespaces: apt-get install apparmor-profiles && "
            f"cp /usr/share/apparmor/extra-profiles/{profile} /etc/apparmor.d/ && "
            f"apparmor_parser -r /etc/apparmor.d/{profile}"
        )
    if "amespace" in cause or "Operation not permitted" in cause:
        return (
            "in a container, start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined; "
            "elsewhere: sysctl -w user.max_user_namespaces=10000 (old Debian: kernel.unprivileged_userns_clone=1)"
        )
    if "system-call filter" in cause:
        return "use a 64-bit x86 or ARM machine"
    return "see what `bwrap --unshare-all --ro-bind / / true` says"


async def _bubblewrap(limits: Limits) -> Sandbox:
    """With user namespaces disabled inside where that works; in containers with a read-only /proc/sys it does not,
    and the filter refuses every way to make one."""
    try:
        return await _tested(await prepare(limits))
    except SandboxError as error:
        if "max_user_namespaces" not in str(error):
            raise
        return await _tested(await prepare(limits, disable_userns=False))


async def _tested(sandbox: Sandbox) -> Sandbox:
    problem = await self_test(sandbox)
    if problem is not None:
        raise SandboxError(problem)
    return sandbox
