"""Which files of this machine a bare Python interpreter needs: what a confined scaffold gets to see. Reads only."""

import asyncio
import json
import struct
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SandboxError
from harness.sandbox.pipe import ENVIRONMENT, FLAGS, interpreter

LOOK = Path(__file__).resolve().parent / "look.py"
LOOK_SECONDS = 60.0
# Links on most distributions; names of the loader and of libraries go through them.
LINKS = tuple(Path(link) for link in ("/lib", "/lib32", "/lib64", "/usr/lib64"))
PT_INTERP = 3


@dataclass(frozen=True)
class View:
    """files and folders keep their places; hidden ones lie inside shown folders and appear empty.

    links: pairs of target and name, as `ln -s` takes them.
    """

    interpreter: Path
    folders: tuple[Path, ...]
    files: tuple[Path, ...]
    hidden: tuple[Path, ...]
    links: tuple[tuple[str, str], ...]


async def look() -> View:
    """Ask the interpreter itself, once, where its library and its shared objects are; raises SandboxError."""
    executable = interpreter()
    return _view(executable, await _ask(executable))


def _view(executable: Path, found: dict[str, list[str]]) -> View:
    folders = _outermost([Path(folder) for folder in found["folders"]])
    hidden = [Path(folder) for folder in found["hidden"] if _within(Path(folder), folders)]
    files = [executable, *_loader(executable), Path("/etc/ld.so.cache")]
    return View(
        interpreter=executable,
        folders=folders,
        files=tuple(file for file in files if file.exists() and not _within(file, folders)),
        hidden=_outermost(hidden),
        links=tuple((str(link.readlink()), str(link)) for link in LINKS if link.is_symlink()),
    )


async def _ask(executable: Path) -> dict[str, list[str]]:
    process = await asyncio.create_subprocess_exec(
        *(str(executable), *FLAGS, str(LOOK)), env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise SandboxError(f"{str(executable)!r} did not start within {LOOK_SECONDS:g} s") from error
    if process.returncode != 0:
        raise SandboxError(f"{str(executable)!r} cannot run {LOOK.name}: exit code {process.returncode}")
    found: dict[str, list[str]] = json.loads(output)
    return found


def _outermost(folders: list[Path]) -> tuple[Path, ...]:
    """Without duplicates and without what lies inside another one."""
    return tuple(sorted({one for one in folders if not any(other in one.parents for other in folders)}))


def _within(path: Path, folders: tuple[Path, ...]) -> bool:
    return any(folder == path or folder in path.parents for folder in folders)


def _loader(executable: Path) -> list[Path]:
    """The program loader that a 64-bit little-endian ELF file names, or none; only links of folders resolved."""
    with executable.open("rb") as file:
        header = file.read(64)
        if header[:6] != b"\x7fELF\x02\x01":
            return []
        offset, size, count = *struct.unpack_from("<Q", header, 32), *struct.unpack_from("<HH", header, 54)
        for number in range(count):
            file.seek(offset + number * size)
            kind, _, start, _, _, length = struct.unpack("<IIQQQQ", file.read(40))
            if kind == PT_INTERP:
                file.seek(start)
                loader = Path(file.read(length).rstrip(b"\0").decode())
                return [loader.parent.resolve() / loader.name]
    return []
