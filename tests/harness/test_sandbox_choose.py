"""Which sandbox is chosen, what the self-test notices, and what a refusal says."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sandboxes import LIMITS, bubblewrap
from test_sandbox_bubblewrap import OPEN_FILTER

from harness.errors import CandidateFault, SandboxError
from harness.sandbox import Answer, Level
from harness.sandbox.choose import NEEDED, REFUSED, Wanted, broken_promise, choose, remedy, self_test
from harness.sandbox.process import Process

GOOD = dict.fromkeys(NEEDED, True) | dict.fromkeys(REFUSED, False)


@pytest.fixture
def without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize("wanted", ["auto", "bubblewrap"])
@pytest.mark.parametrize("foreign_code", [True, False])
def test_bubblewrap_where_it_works(wanted: Wanted, foreign_code: bool) -> None:
    """Where bubblewrap works it is used, whoever wrote the code, with the limits asked for."""
    expected = bubblewrap(LIMITS)
    assert asyncio.run(choose(wanted, foreign_code, LIMITS)) == expected


def test_external_is_a_label() -> None:
    """On the user's word there is no confinement, and the level says so."""
    assert asyncio.run(choose("external", True)).level == "external"


@pytest.mark.usefixtures("without_bubblewrap")
def test_simulated_code_may_run_unconfined() -> None:
    """Without confinement, code that no real model wrote runs as a plain process, labelled."""
    assert asyncio.run(choose("auto", False)).level == "process"


@pytest.mark.usefixtures("without_bubblewrap")
@pytest.mark.parametrize(
    ("wanted", "foreign_code"), [("auto", True), ("bubblewrap", True), ("bubblewrap", False)]
)
def test_refusal(wanted: Wanted, foreign_code: bool) -> None:
    """Foreign code without confinement is refused, with the cause, the command that mends it, and the other way."""
    with pytest.raises(SandboxError) as caught:
        asyncio.run(choose(wanted, foreign_code))
    for words in ("bwrap is not installed", "apt-get install bubblewrap", "--sandbox external"):
        assert words in str(caught.value)


def test_a_bubblewrap_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What bubblewrap complains about reaches the user together with its remedy."""
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="uid map: Permission denied") as caught:
        asyncio.run(choose("auto", True))
    assert "apparmor_parser" in str(caught.value)


def test_user_namespaces_that_cannot_be_disabled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only --disable-userns fails, as in containers, the rest is used: the filter refuses new ones as well."""
    real = bubblewrap(LIMITS)
    fake = tmp_path / "bwrap"
    fake.write_text(
        '#!/bin/sh\nif [ "$1" = --help ]; then echo --disable-userns --size; exit 0; fi\n'
        'for one in "$@"; do if [ "$one" = --disable-userns ]; then\n'
        "echo 'bwrap: cannot open /proc/sys/user/max_user_namespaces: Read-only file system' >&2; exit 1\n"
        f'fi; done\nexec {real.options[0]} "$@"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = asyncio.run(choose("auto", True))
    assert found.level == "namespaces-only"
    assert "--disable-userns" not in getattr(found, "options", ())


def test_self_test_sees_through_a_false_label() -> None:
    """A plain process that calls itself confined fails, and so does bubblewrap without its filter."""
    assert asyncio.run(self_test(Process(LIMITS))) is None
    assert "can " in str(asyncio.run(self_test(Process(LIMITS, level="namespaces-only"))))
    unfiltered = replace(bubblewrap(LIMITS), filter=OPEN_FILTER)
    assert asyncio.run(self_test(unfiltered)) == "a scaffold in the sandbox can open a local socket"


class Broken:
    """A sandbox in which nothing starts, or nothing is said."""

    level: Level = "namespaces-only"

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def run(self, scaffold: Path, opening: dict[str, Any], answer: Answer) -> None:
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SandboxError("no luck"), "no luck"),
        (CandidateFault("crashed", "bad"), "crashed: bad"),
        (None, "cannot"),
    ],
)
def test_self_test_of_a_broken_sandbox(error: Exception | None, words: str) -> None:
    """A probe that did not run, or said nothing, proves nothing."""
    assert words in str(asyncio.run(self_test(Broken(error))))


def test_promises() -> None:
    """Each single broken promise of a confined level is named; a plain process only has to work."""
    assert broken_promise(GOOD, "namespaces-only") is None
    for name in GOOD:
        assert name in str(broken_promise(GOOD | {name: not GOOD[name]}, "namespaces-only"))
        assert name in str(broken_promise({n: worked for n, worked in GOOD.items() if n != name}, "full"))
    assert broken_promise(dict.fromkeys(GOOD, True), "external") is None


@pytest.mark.parametrize(
    ("cause", "command"),
    [
        ("bwrap is not installed", "apt-get install bubblewrap"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "apparmor_parser"),
        ("bwrap: No permissions to create new namespace, likely because ...", "seccomp=unconfined"),
        ("no system-call filter for 'riscv64'", "64-bit"),
        ("something else", "bwrap --unshare-all"),
    ],
)
def test_remedies(cause: str, command: str) -> None:
    """The known causes have their own remedy, the others a way to find one."""
    assert command in remedy(cause)
