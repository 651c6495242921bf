"""Fingerprints: never no to a known key, whatever came in which order."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fingerprints import GATHERED, LENGTH, Fingerprints


def key(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()[:32]


@given(st.lists(st.integers(0, 30)), st.lists(st.integers(0, 30)), st.integers(0, 60))
def test_known_keys(first: list[int], later: list[int], other: int) -> None:
    """Keys of the beginning and those that were added are known, others are not; twice does no harm."""
    known = Fingerprints("".join(key(n)[:LENGTH] for n in first))
    for number in later:
        known.add(key(number))
    assert all(key(n) in known for n in (*first, *later))
    assert (key(other) in known) == (other in (*first, *later))


def test_what_was_gathered_is_sorted_in() -> None:
    """Many more than are gathered at once stay known, and what lies between them unknown."""
    known = Fingerprints("".join(key(-n)[:LENGTH] for n in range(1, 100)))
    for number in range(3 * GATHERED + 1):
        known.add(key(number))
    assert len(known.recent) == 1 and len(known) == 3 * GATHERED + 100
    assert all(key(n) in known for n in range(-99, 3 * GATHERED + 1))
    assert not any(key(n) in known for n in range(10**6, 10**6 + 2000))


def test_extremes_and_short_keys() -> None:
    """Keys of all zeros, of all ones and shorter than a fingerprint are keys like others."""
    known = Fingerprints("f" * 32 + "0" * 16)
    assert all(one in known for one in ("f" * 32, "0" * 32, "00", ""))
    assert "ff" not in known
    known.add("ff")
    assert "ff" in known


def test_no_hex() -> None:
    """What is no key is an error, not a stranger."""
    with pytest.raises(ValueError):
        Fingerprints("x" * 16)
    with pytest.raises(ValueError):
        assert "hello" in Fingerprints()
