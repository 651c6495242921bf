"""How much disk 1,000 candidates of a scaffold of 100 files take, and how long one commit takes.

python bench/storage.py

Each child changes three files of a scaffold of 100 (about 300 kB), as an edit does, on top of an earlier child. The
size is what the file system gives away (blocks), not the sum of lengths.
"""

import argparse
import asyncio
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from figures import Figure, tell

from evolve.iteration import Candidate
from evolve.repository import Repository, create

WORDS = "premise verdict context rubric solver document question weigh check state follow require"
FILES, CHANGED, LINES = 100, 3, 60


def text(rng: random.Random, lines: int) -> str:
    return "".join(" ".join(rng.choices(WORDS.split(), k=8)) + "\n" for _ in range(lines))


def scaffold(rng: random.Random) -> dict[str, str]:
    """agent.py, and prompts and modules in equal parts."""
    names = [f"prompts/step_{n}.md" for n in range(FILES // 2)]
    names += [f"lib/part_{n}.py" for n in range(FILES - len(names) - 1)]
    return {"agent.py": text(rng, LINES), **{name: text(rng, LINES) for name in names}}


def edited(files: dict[str, str], rng: random.Random) -> dict[str, str]:
    """The files with a few lines more in three of them and as many lines fewer."""
    chosen = rng.sample(sorted(files), CHANGED)
    return files | {
        name: "".join(files[name].splitlines(keepends=True)[5:]) + text(rng, 5) for name in chosen
    }


async def grow(place: Path, children: int) -> float:
    """Commit the children; seconds a child."""
    create(place)
    repository, rng = Repository(place), random.Random(0)
    files = scaffold(rng)
    baseline = await repository.plant({name: one.encode() for name, one in files.items()})
    family: list[tuple[Candidate, dict[str, str]]] = [(baseline, files)]
    began = perf_counter()
    for number in range(1, children + 1):
        parent, theirs = rng.choice(family[-20:])
        mine = edited(theirs, rng)
        child = await repository.commit(await repository.write_tree(mine), parent, number, f"Change {number}")
        await repository.publish(child)
        family = [*family[-20:], (child, mine)]
    took = perf_counter() - began
    complaints = await repository.fsck()
    repository.close()
    assert complaints == [], complaints
    return took / children


def megabytes(folder: Path) -> float:
    return sum(path.lstat().st_blocks * 512 for path in [folder, *folder.rglob("*")]) / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--children", type=int, default=1000)
    children = parser.parse_args().children
    with TemporaryDirectory(prefix="evolve-storage-") as scratch:
        place = Path(scratch) / "candidates.git"
        each = asyncio.run(grow(place, children))
        size = megabytes(place)
    return tell(
        [
            Figure(f"{children} candidates of {FILES} files on disk", size, "MB", 50 * children / 1000),
            Figure("one candidate: tree, commit, diff, ref", 1000 * each, "ms"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
