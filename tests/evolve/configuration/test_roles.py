"""Which model, address and key each role has, and that no key goes where it was not named for."""

from collections.abc import Mapping

import pytest

from evolve.configuration.roles import KEY, OPENAI
from evolve.configuration.sources import Environment, Layer, Origin, Setting
from evolve.settings import Effective, Settings, effective
from harness.errors import UsageError
from harness.types import ROLES

LOCAL = "http://127.0.0.1:8000/v1"
GATEWAY = "https://gateway.example/v1"


def given(kind: str = "file", **tables: Mapping[str, object]) -> Layer:
    """Models as one source gives them; the keys of `tables` are roles or `default`."""
    settings = {
        f"models.{role}.{key}": Setting(value, Origin(kind, kind))  # type: ignore[arg-type]  # kinds are words here
        for role, table in tables.items()
        for key, value in table.items()
    }
    return Layer(settings)


def filled(*layers: Layer, **variables: str) -> Effective:
    return effective(layers, Environment(variables))


def served(found: Effective, role: str = "weak") -> tuple[str, str | None]:
    model = found.settings.models[role]  # type: ignore[index]  # roles are words here
    return model.base_url, model.key_variable


def test_without_an_address_it_is_openai() -> None:
    """OpenAI's own endpoint, with its usual key, unless a variable or a table says otherwise."""
    found = filled(given(default={"name": "x"}))
    assert served(found) == (OPENAI, KEY)
    assert str(found.origins["models.weak.base_url"]) == "default"
    assert served(filled(given(default={"name": "x", "key_variable": "MINE"}))) == (OPENAI, "MINE")


def test_the_usual_variable_names_the_address() -> None:
    """OPENAI_BASE_URL goes with OPENAI_API_KEY; a server without encryption needs no key."""
    found = filled(given(default={"name": "x"}), OPENAI_BASE_URL=GATEWAY)
    assert served(found) == (GATEWAY, KEY)
    assert found.origins["models.weak.base_url"] == Origin("environment", "OPENAI_BASE_URL")
    assert served(filled(given(default={"name": "x"}), OPENAI_BASE_URL=LOCAL)) == (LOCAL, None)
    assert served(filled(given(default={"name": "x"}), OPENAI_BASE_URL=LOCAL, OPENAI_API_KEY="k")) == (
        LOCAL,
        KEY,
    )
    own = filled(given(default={"name": "x", "base_url": LOCAL}), OPENAI_BASE_URL=GATEWAY, OPENAI_API_KEY="k")
    assert served(own) == (LOCAL, None)
    with pytest.raises(UsageError, match="OPENAI_BASE_URL must be a URL"):
        filled(given(default={"name": "x"}), OPENAI_BASE_URL="gateway")


def test_the_address_of_openai_goes_with_its_key() -> None:
    """Written out or not; "none" is taken at its word."""
    assert served(filled(given(default={"name": "x", "base_url": OPENAI}))) == (OPENAI, KEY)
    assert served(filled(given(default={"name": "x", "base_url": OPENAI, "key_variable": None}))) == (
        OPENAI,
        None,
    )
    assert (
        served(filled(given(default={"name": "x", "base_url": "https://api.openai.com.evil.example/v1"})))[1]
        is None
    )


def test_a_role_elsewhere_does_not_get_the_key_of_the_default() -> None:
    """No key goes to a server it was not named for."""
    default: dict[str, object] = {"name": "x", "base_url": GATEWAY, "key_variable": "GATEWAY_KEY"}
    found = filled(given(default=default, weak={"base_url": LOCAL}))
    assert served(found, "weak") == (LOCAL, None)
    assert served(found, "judge") == (GATEWAY, "GATEWAY_KEY")


@pytest.mark.parametrize("table", ["default", "weak"])
def test_a_key_does_not_follow_an_address_that_a_stronger_source_changed(table: str) -> None:
    """A variable that moves a role elsewhere takes no key of the file along, and that is said."""
    file = given(default={"name": "x", "base_url": GATEWAY}, weak={"key_variable": "FILE_KEY"})
    moved = given("environment", **{table: {"base_url": "https://elsewhere.example/v1"}})
    found = filled(file, moved)
    assert served(found) == ("https://elsewhere.example/v1", None)
    assert any("FILE_KEY" in one and "models.weak" in one for one in found.notices)
    named = given("environment", weak={"key_variable": "K"})
    both = Layer({**moved.settings, **named.settings})
    assert served(filled(file, both)) == ("https://elsewhere.example/v1", "K")
    assert filled(file, both).notices == ()


def test_simulated_models_need_nothing_else() -> None:
    """`simulated = true` gives a role its offline model; the others need a name."""
    everything = filled(given(default={"simulated": True}))
    assert everything.settings.models == Settings().models
    found = filled(given(default={"name": "x", "base_url": LOCAL}, judge={"simulated": True, "slots": 2}))
    assert found.settings.simulated == ("judge",)
    assert found.settings.models["judge"].slots == 2
    assert found.settings.models["judge"].base_url == Settings().models["judge"].base_url
    assert filled(given(judge={"simulated": True})).settings.models == Settings().models
    with pytest.raises(
        UsageError, match="file: no model is named for challenger, verifier, strong, analyzer"
    ):
        filled(given(judge={"simulated": True}, weak={"name": "x"}))


def test_without_a_name_the_models_stay_what_they_are() -> None:
    """Slots or sampling alone change the simulated models, or those of the run that goes on."""
    found = filled(given(default={"slots": 3}, weak={"sampling.max_tokens": 9}))
    assert found.settings.simulated == ROLES
    assert {one.slots for one in found.settings.models.values()} == {3}
    assert found.settings.models["weak"].sampling.max_tokens == 9
    assert str(found.origins["models.weak.name"]) == "default"
    began = filled(given(default={"name": "x", "base_url": LOCAL, "key_variable": "K"})).settings
    found = effective([given(weak={"slots": 3})], Environment(), began)
    assert served(found) == (LOCAL, "K")
    assert str(found.origins["models.weak.name"]) == "as the run began"


@pytest.mark.parametrize("kind", ["environment", "flags"])
def test_a_run_is_not_half_real_by_oversight(kind: str) -> None:
    """Whoever names one model names all; a run that mixes them on purpose goes on so."""
    one = given(kind, weak={"name": "y", "base_url": "http://moved/v1"})
    with pytest.raises(UsageError, match="no model is named for challenger, verifier, strong"):
        effective([one], Environment(), Settings())
    mixed = filled(given(default={"name": "x", "base_url": LOCAL}, judge={"simulated": True})).settings
    found = effective([one], Environment(), mixed)
    assert found.settings.simulated == ("judge",)
    assert (found.settings.models["weak"].name, found.settings.models["strong"].name) == ("y", "x")
    found = effective([given(kind, judge={"name": "z", "base_url": LOCAL})], Environment(), mixed)
    assert found.settings.simulated == ()
