"""The endpoints' checks against lists of every kind."""

import pytest

from evolve.checks import State, services
from harness.models.listing import Listing
from harness.types import Model


@pytest.mark.parametrize(
    ("listed", "state", "words"),
    [
        (Listing(("tiny", "huge"), 0.01), "ok", "lists tiny"),
        (Listing(("Tiny-7b",), 0.01), "warn", "Tiny-7b"),
        (Listing(None, 0.01), "ok", "does not list"),
        (Listing(problem="no way", remedy="do this"), "bad", "do this"),
    ],
)
def test_what_an_endpoint_lists(listed: Listing, state: State, words: str) -> None:
    """A model that is not listed is a warning with the nearest names, an endpoint in trouble is bad."""
    found = services.endpoint([Model(name="tiny", base_url="http://me:pass@localhost/v1")], listed)
    assert found.state == state
    assert words in found.found + found.remedy
    assert "pass" not in found.found
