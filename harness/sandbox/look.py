"""Prints, as a script of the bare interpreter, the folders it needs to run and the third-party folders in them."""

import json
import site
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

MODULES = ("bz2", "ctypes", "decimal", "hashlib", "lzma", "sqlite3", "ssl", "uuid", "zlib")


def main() -> None:
    """Load the modules that bring shared objects along, then read from the memory map where those lie."""
    for name in MODULES:
        try:
            __import__(name)
        except ImportError:
            continue
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    mapped = {Path(line.split(maxsplit=5)[5]) for line in maps if "/" in line}
    objects = {path.parent for path in mapped if ".so" in path.name and path.is_file()}
    library = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    others = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    others |= {Path(folder) for folder in site.getsitepackages()}
    json.dump({"folders": _real(objects | library), "hidden": _real(others)}, sys.stdout)


def _real(folders: Iterable[Path]) -> list[str]:
    return sorted({str(folder.resolve()) for folder in folders if folder.is_dir()})


main()
