"""No command but `run` and `test` reaches the documents that a run is tested on, whatever documents it is given."""

import asyncio
import re
from pathlib import Path

import pytest
from run_facts import RUN, query, reference

import evolve
from evolve.again import reopen
from evolve.comparing import job as comparing
from evolve.iteration import Candidate
from evolve.layout import Layout
from evolve.opening import Opening, Options
from evolve.production import Job, documents_of
from harness.documents import load
from harness.errors import UsageError

C0 = Candidate("c0", 0, None, "0" * 40, "0" * 40)


def sealed() -> set[str]:
    """Ids of the test documents of the reference run."""
    rows = query(
        reference() / "population.db", "SELECT document FROM documents WHERE split = 'test' AND used = 1"
    )
    return {one for (one,) in rows}


def opening() -> Opening:
    return reopen(Options(reference(), reference() / "population.db"), RUN)


def layout() -> Layout:
    return Layout(reference(), reference() / "population.db", RUN)


def only_sealed(folder: Path) -> Path:
    """A folder with the test documents alone."""
    for one in load(reference() / "documents").documents:
        if one.id in sealed():
            (folder / one.name).write_text(one.text)
    return folder


def produced(place: Path | None) -> tuple[set[str], tuple[str, ...]]:
    job = Job(layout(), C0, Path("out.jsonl"), 1, documents=place)
    documents, notices = asyncio.run(documents_of(job, opening()))
    return {one.id for one in documents}, notices


def compared(place: Path) -> tuple[set[str], tuple[str, ...]]:
    job = comparing.Job(layout(), (), (C0,), None, 1000)
    documents, notices = comparing.chosen(job, opening(), load(place))
    return {one.id for one in documents}, notices


def test_generate_leaves_them_out(tmp_path: Path) -> None:
    """Of the run's own folder all others are worked on, which is said; without --docs it is the training split."""
    every = {one.id for one in load(reference() / "documents").documents}
    assert produced(reference() / "documents") == (
        every - sealed(),
        ("3 test documents of run-001 are left out: they are sealed",),
    )
    training, notices = produced(None)
    assert training
    assert (training & sealed(), notices) == (set(), ())
    with pytest.raises(UsageError, match=r"all 3 documents in .* are test documents of run 'run-001'"):
        produced(only_sealed(tmp_path))


def test_compare_leaves_them_out(tmp_path: Path) -> None:
    """Beside those that its candidates were bred on or selected by; what is left is of no use to the run."""
    documents, notices = compared(reference() / "documents")
    known = {one for (one,) in query(reference() / "population.db", "SELECT document FROM documents")}
    assert documents == {one.id for one in load(reference() / "documents").documents} - known
    assert "3 test documents of run-001 are left out: they are sealed" in notices
    with pytest.raises(UsageError, match="only `evolve test` opens its test documents"):
        compared(only_sealed(tmp_path))


def test_only_the_door_permits_and_few_places_begin_rollouts() -> None:
    """A new place where documents are rolled out has to be looked at: can it reach the test documents of a run?"""
    package = Path(evolve.__file__).parent
    texts = {one.relative_to(package).as_posix(): one.read_text() for one in package.rglob("*.py")}
    assert [name for name, text in texts.items() if re.search(r"\bpermit=", text)] == ["testing.py"]
    assert {name for name, text in texts.items() if re.search(r"\broll_out\(|\bexecutor\.run\(", text)} == {
        "comparing/running.py",  # of documents without those sealed, see comparing/job.py
        "evaluation.py",  # asks for the permit
        "executors/local.py",  # called by evaluation.py, as all executors
        "executors/world.py",
        "planning/measuring.py",  # of training documents
        "production.py",  # of documents without those sealed
        "testing.py",  # counts for evaluation.py
    }
