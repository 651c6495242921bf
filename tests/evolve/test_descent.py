"""Whom children are compared with, and who was shown to be beaten: chains, branches, merges, parts of a population."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.descent import Descent

# c0 - c1 (contender) - c2 (contender) - c3 (claimed) - c4 (contender) - c5 (claimed)
#    - c6 (claimed)                    - c7 (contender)
CHAIN = Descent(
    {"c0": None, "c1": "c0", "c2": "c1", "c3": "c2", "c4": "c3", "c5": "c4", "c6": "c0", "c7": "c2"},
    frozenset({"c1", "c2", "c4", "c7"}),
    frozenset({"c3", "c5", "c6"}),
)


@pytest.mark.parametrize(
    ("key", "reference"),
    [
        ("c0", "c0"),
        ("c1", "c0"),
        ("c2", "c0"),
        ("c3", "c3"),
        ("c4", "c3"),
        ("c5", "c5"),
        ("c6", "c6"),
        ("c7", "c0"),
        ("c99", "c99"),
    ],
)
def test_the_reference_is_the_nearest_that_is_no_contender(key: str, reference: str) -> None:
    """However many contenders lie between; a candidate that is not known is its own."""
    assert CHAIN.reference(key) == reference


def test_a_contender_without_a_parent_is_its_own_reference() -> None:
    """Where its line ends, nothing older can be compared with."""
    assert Descent({"c1": None}, frozenset({"c1"})).reference("c1") == "c1"
    assert Descent({}, frozenset({"c1"})).reference("c1") == "c1"


def test_a_claim_beats_the_reference_not_the_contender() -> None:
    """c3 was compared with c0 and c5 with c3; of the contenders between nothing was shown."""
    assert CHAIN.outdone() == {"c0", "c3"}


@pytest.mark.parametrize(
    ("among", "beaten"),
    [
        ((), set()),
        (("c5",), {"c3"}),
        (("c6",), {"c0"}),
        (("c0", "c1", "c2", "c4", "c7"), set()),
        (("c3",), {"c0"}),
    ],
)
def test_only_those_among_us_beat(among: tuple[str, ...], beaten: set[str]) -> None:
    """A survivor that is not asked about, of another arm or of later on, beats nobody here."""
    assert CHAIN.outdone(among) == beaten
    assert CHAIN.outdone(frozenset(among)) == beaten


def test_without_claims_nobody_is_beaten() -> None:
    """Survivors of a rule that makes no claim show nothing, contenders neither, nor does the baseline."""
    assert Descent({"c0": None, "c1": "c0", "c2": "c1"}, frozenset({"c2"})).outdone() == set()
    assert Descent({"c0": None}, frozenset(), frozenset({"c0"})).outdone() == set()
    assert Descent({}).outdone() == set()


def test_a_merge_follows_its_first_parent() -> None:
    """c4 merges c3 into the contender c2: its contest is against c0, and that is all it shows."""
    merged = Descent(
        {"c0": None, "c2": "c0", "c3": "c0", "c4": "c2"}, frozenset({"c2"}), frozenset({"c3", "c4"})
    )
    assert merged.reference("c2") == "c0"
    assert merged.outdone() == {"c0"}
    assert merged.outdone({"c4"}) == {"c0"}


@st.composite
def descents(draw: st.DrawFn) -> Descent:
    """Any tree in which every candidate but the baseline survived or contends."""
    count = draw(st.integers(0, 12))
    parents: dict[str, str | None] = {"c0": None}
    parents |= {f"c{n}": f"c{draw(st.integers(0, n - 1))}" for n in range(1, count + 1)}
    kinds = {key: draw(st.sampled_from(["contender", "claimed", "survived"])) for key in list(parents)[1:]}
    of = {
        name: frozenset(key for key, one in kinds.items() if one == name) for name in ("contender", "claimed")
    }
    return Descent(parents, of["contender"], of["claimed"])


@given(descents())
def test_a_reference_is_an_ancestor_and_no_contender(descent: Descent) -> None:
    """It is its own reference, and older than whoever has it."""
    for key in descent.parents:
        found = descent.reference(key)
        assert found not in descent.contenders
        assert descent.reference(found) == found
        assert int(found[1:]) <= int(key[1:])
        at = key
        while at != found:
            assert at in descent.contenders
            at = descent.parents[at] or ""


@given(descents(), st.data())
def test_somebody_is_always_left(descent: Descent, data: st.DataObject) -> None:
    """Whatever part is asked about: no contender is beaten, and not everybody is."""
    among = data.draw(st.sets(st.sampled_from(sorted(descent.parents)), min_size=1)) | {"c0"}
    for some in (None, among):
        beaten = descent.outdone(some)
        assert not beaten & descent.contenders
        assert (some or set(descent.parents)) - beaten
    assert descent.outdone(among) <= descent.outdone()
    assert descent.outdone(set(descent.parents)) == descent.outdone()


@given(descents(), st.integers(0, 12))
def test_what_grew_is_what_was_made_whole(descent: Descent, cut: int) -> None:
    """Older ones and later ones together are the same descent."""
    early = {key for key in descent.parents if int(key[1:]) <= cut}

    def part(inside: bool) -> Descent:
        return Descent(
            {key: one for key, one in descent.parents.items() if (key in early) == inside},
            frozenset(key for key in descent.contenders if (key in early) == inside),
            frozenset(key for key in descent.claimed if (key in early) == inside),
        )

    assert part(True).extended(part(False)) == descent
