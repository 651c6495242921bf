"""`evolve init`: the files that a folder of runs begins with. Never replaces what is there unless told to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from evolve.configuration.profiles import Profile
from evolve.configuration.template import evolve_toml, text
from evolve.layout import embedded_scaffold, scaffold_files
from evolve.settings import FILE
from harness.domains import names
from harness.errors import StorageError, UsageError

SCAFFOLD = "baseline_repo"
DOMAINS = names()  # the kinds of tasks that come with a scaffold
IGNORED = ".gitignore"


@dataclass(frozen=True)
class Founded:
    """What was written and what was there before and was left, by their paths in the folder.

    kept: former files by name and new name. missing: lines that a .gitignore of the user's lacks.
    """

    written: tuple[str, ...]
    left: tuple[str, ...]
    kept: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()


def found(folder: Path, profile: Profile, force: bool, domain: str = "cs") -> Founded:
    """Write evolve.toml, .env.example, .gitignore and the domain's scaffold into a folder, which is made if need be.

    A scaffold that is there is left as a whole. force: replace what differs, and keep the former under another name;
    a .gitignore is added to.

    Raises:
        UsageError: the folder is a file. StorageError: something cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{str(folder)!r} is no folder; name another one")
    written: list[str] = []
    left: list[str] = []
    kept: list[tuple[str, str]] = []
    missing: tuple[str, ...] = ()
    try:
        for name, files in contents(profile, domain).items():
            place = folder / name
            if name == IGNORED and place.is_file():
                missing = lacking(place, files[name])
                if done := force and bool(missing):
                    append(place, missing)
                    missing = ()
            elif done := not taken(place) or (force and differs(folder, place, files)):
                kept += [(name, put_aside(place))] if taken(place) else []
                write(folder, files)
            (written if done else left).append(name)
    except OSError as error:
        raise StorageError(
            f"cannot write {error.filename!r}: {error.strerror}; choose a folder you can write"
        ) from None
    return Founded(tuple(written), tuple(left), tuple(kept), missing)


def contents(profile: Profile, domain: str) -> Mapping[str, Mapping[str, bytes]]:
    """What is written: for each name in the folder the files below it."""
    example = text("env.example").format(keys="\n".join(f"{key}=" for key in profile.keys) or "# (none)")
    scaffold = scaffold_files(embedded_scaffold(domain))
    return {
        FILE: {FILE: evolve_toml(profile, domain).encode()},
        ".env.example": {".env.example": example.encode()},
        IGNORED: {IGNORED: text("gitignore").encode()},
        SCAFFOLD: {f"{SCAFFOLD}/{path}": content for path, content in scaffold.items()},
    }


def taken(place: Path) -> bool:
    """Whether something of the user's is there; an empty folder is nothing."""
    return place.is_symlink() or place.is_file() or (place.is_dir() and any(place.iterdir()))


def differs(folder: Path, place: Path, files: Mapping[str, bytes]) -> bool:
    """Whether what is there is anything else than what would be written."""
    there = {one for one in place.rglob("*") if one.is_file()} if place.is_dir() else {place}
    ours = {folder / path: content for path, content in files.items()}
    return there != ours.keys() or any(path.read_bytes() != content for path, content in ours.items())


def put_aside(place: Path) -> str:
    """Give what is there another name, and say which."""
    names = (f"{place.name}.old{number}" for number in chain([""], count(2)))
    name = next(one for one in names if not taken(place.with_name(one)))
    place.rename(place.with_name(name))
    return name


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files below a folder."""
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def lacking(place: Path, wanted: bytes) -> tuple[str, ...]:
    """The lines that a .gitignore does not have yet."""
    there = {line.strip().strip("/") for line in place.read_text("utf-8", "replace").splitlines()}
    return tuple(line for line in lines(wanted) if line.strip("/") not in there)


def lines(content: bytes) -> Iterator[str]:
    """The lines of a file of ours."""
    return iter(content.decode().splitlines())


def append(place: Path, missing: tuple[str, ...]) -> None:
    """Add lines to the end of a file."""
    before = place.read_bytes()
    between = b"" if not before or before.endswith(b"\n") else b"\n"
    place.write_bytes(before + between + "\n".join(missing).encode() + b"\n")
