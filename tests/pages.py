"""The pages in docs/ as tests read them, and a recorded run to hold them against."""

import atexit
import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import run_facts

DOCS = Path(__file__).parents[1] / "docs"
OTHERS = {"architecture.md", "library.md", "performance.md"}
PAGES = sorted(path for path in DOCS.glob("*.md") if path.name not in OTHERS)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    return [body for named, body in FENCED.findall(text) if named == language]


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of its level."""
    level = heading.split(" ")[0]
    (found,) = re.findall(rf"^{re.escape(heading)}$(.*?)(?=^{level} |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows, without head lines."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "---" not in line]


@cache
def recorded() -> Path:
    """A finished run whose endpoint had trouble now and then, and that has survivors; made once a process."""
    folder = Path(mkdtemp(prefix="evolve-docs-"))
    atexit.register(shutil.rmtree, folder, True)
    run_facts.write_documents(folder / "documents")
    more = {
        "simulation__faults": 0.02,
        "measure__allowance__submissions": 2,
        "search__survival": "strict",
        "search__screen": False,
        "search__control": 0.25,
    }
    assert run_facts.go(folder, 12, **more).outcome == "finished"
    return folder
