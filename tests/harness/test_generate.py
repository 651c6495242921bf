"""The file of examples: what it holds already, and what is somebody else's."""

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.generate import Measured, Provenance, Record, read, write
from harness.trajectory import Criterion, Example

SOURCE = Provenance(
    run="run-001",
    candidate="c1",
    commit="0",
    instrument="i",
    domain="cs",
    preset="meta",
    sandbox="s",
    simulated=True,
)
EXAMPLE = Example(
    question_type="why",
    skills=("reasoning",),
    context="c\u2028d",
    question="q",
    reference_answer="a",
    rubric_policy="signed",
    rubric=(Criterion(criterion="says a", weight=1, category="positive"),),
)


def record(number: int) -> Record:
    measured = Measured(weak=(0.1,), strong=(0.9,), gap=0.8)
    return Record(
        id=f"{number:016x}",
        document="d",
        document_name="d.txt",
        trial=0,
        example=EXAMPLE,
        measured=measured,
        provenance=SOURCE,
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A file of two examples."""
    path = tmp_path / "out.jsonl"
    with path.open("a", encoding="utf-8") as file:
        for number in (11, 12):
            write(file, record(number))
    return path


def test_what_was_written_is_read(out: Path) -> None:
    """Every line as it was, and the file as it was."""
    before = out.read_bytes()
    assert read(out, SOURCE) == [record(11), record(12)]
    assert out.read_bytes() == before
    assert read(out.with_name("other.jsonl"), SOURCE) == []


def test_a_line_that_a_kill_cut_off_is_removed(out: Path) -> None:
    """Wherever it was cut."""
    whole = out.read_bytes()
    line = whole.splitlines(keepends=True)[1]
    for length in range(1, len(line)):
        out.write_bytes(whole + line[:length])
        assert len(read(out, SOURCE)) == 2
        assert out.read_bytes() == whole


@pytest.mark.parametrize(
    "text", ["my notes", '{"id": "x"}', '{"id": 7}', "[1, 2]", "\n", '{"id": "0123456789abcdef"}', "\0"]
)
@pytest.mark.parametrize("before", [False, True])
def test_a_file_of_somebody_else_is_never_cut(out: Path, text: str, before: bool) -> None:
    """A last line without its end that cannot be ours is refused like any other."""
    out.write_bytes((out.read_bytes() if before else b"") + text.encode())
    kept = out.read_bytes()
    with pytest.raises(UsageError, match=f"line {3 if before else 1} is no example of ours; choose another"):
        read(out, SOURCE)
    assert out.read_bytes() == kept


def test_examples_of_another_scaffold_are_not_mixed_with_these(out: Path) -> None:
    """What differs is named, and nothing is cut."""
    with out.open("ab") as file:
        file.write(b'{"id": "00')
    before = out.read_bytes()
    with pytest.raises(UsageError, match="another candidate, sandbox; choose another file"):
        read(out, SOURCE.model_copy(update={"candidate": "c2", "sandbox": "t"}))
    assert out.read_bytes() == before
