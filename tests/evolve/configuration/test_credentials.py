"""Keys: found by the names that settings give, missing ones named all at once, values never shown."""

import pytest

from evolve.configuration.credentials import keys_of, needs
from evolve.configuration.sources import Environment
from evolve.settings import Settings, validate
from harness.errors import ProviderError

MODELS = validate(
    {
        "models": {
            "default": {"name": "x", "base_url": "https://a.example/v1", "key_variable": "A"},
            "weak": {"base_url": "https://b.example/v1", "key_variable": "B"},
            "strong": {"base_url": "http://127.0.0.1:8000/v1"},
        }
    },
    "test",
).models


def test_keys_are_looked_up_in_both_places() -> None:
    """The environment wins over .env; only what the models name is taken along."""
    environment = Environment({"A": "one ", "C": "other"}, {"A": "file", "B": "two"}, {"A": 1, "B": 2})
    assert keys_of(MODELS, environment) == {"A": "one", "B": "two"}
    found = {one.variable: one for one in needs(MODELS, environment)}
    assert found["B"].roles == ("weak",)
    assert "strong" not in found["A"].roles
    assert (found["A"].where, found["B"].where) == ("the environment", ".env:2")


def test_all_missing_keys_are_named_at_once() -> None:
    """Role, variable, server and remedy; an empty variable is not set."""
    with pytest.raises(ProviderError) as raised:
        keys_of(MODELS, Environment({"A": " "}))
    text = str(raised.value)
    assert "A, of challenger, verifier, judge, analyzer, implementer at https://a.example/v1" in text
    assert "B, of weak at https://b.example/v1" in text
    assert "export A=..." in text
    assert raised.value.exit_code == 3
    with pytest.raises(ProviderError, match=r"^a key is not set: B, of weak at https://b.example/v1\n"):
        keys_of(MODELS, Environment({"A": "x"}))


def test_what_cannot_be_a_key_is_refused_unseen() -> None:
    """Blanks or foreign letters would fail at the first call; the message does not show them."""
    with pytest.raises(ProviderError, match="is no key") as raised:
        keys_of(MODELS, Environment({"A": "sécret key", "B": "x"}))
    assert "cret" not in str(raised.value)


def test_simulated_models_need_no_key() -> None:
    """Nothing is asked of somebody who only tries."""
    assert keys_of(Settings().models, Environment()) == {}
