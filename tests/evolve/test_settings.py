"""evolve.toml: what is read, what is refused, and how a refusal helps."""

from pathlib import Path

import pytest

from evolve.settings import Settings, fields, read, validate
from harness.errors import UsageError
from harness.types import ROLES

REAL = """
[models.default]
base_url = "http://localhost:8000/v1"
name = "small"
slots = 4
[models.strong]
name = "large"
sampling = { temperature = 0.3 }
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "evolve.toml"
    path.write_text(text)
    return path


def test_without_a_file_everything_is_simulated(tmp_path: Path) -> None:
    """The defaults need no key and no network: every role is simulated, with room for the long replies."""
    settings = read(tmp_path / "evolve.toml")
    assert settings == Settings()
    assert settings.simulated == ROLES
    assert set(settings.models) == set(ROLES)
    assert settings.models["implementer"].sampling.max_tokens > settings.models["weak"].sampling.max_tokens
    assert {one.key_variable for one in settings.models.values()} == {None}


def test_the_default_model_fills_the_rest(tmp_path: Path) -> None:
    """A role's own keys win over those of [models.default]; none of them is simulated any more."""
    settings = read(written(tmp_path, REAL))
    assert settings.simulated == ()
    assert {settings.models[role].name for role in ROLES if role != "strong"} == {"small"}
    strong = settings.models["strong"]
    assert (strong.name, strong.sampling.temperature, strong.slots) == ("large", 0.3, 4)
    assert settings.search == Settings().search


def test_what_is_written_is_read_again() -> None:
    """The settings stored with a run are the settings it goes on with."""
    settings = validate(
        {"search": {"seed": 9}, "budget": {"calls": 5, "roles": {"weak": {"cost": 0.5}}}}, "here"
    )
    assert validate(settings.model_dump(mode="json"), "again") == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[search]\nseeds = 3", r":2: search.seeds is unknown; did you mean search.seed\?"),
        ("[serach]\nseed = 3", r":1: \[serach\] is unknown; did you mean \[search\]\?"),
        ("seed = 3", r":1: seed is unknown; did you mean search.seed\?"),
        ("[search]\nminibatch = 3", r"search.minibatch is unknown; did you mean documents.minibatch\?"),
        ("search = 3", "search = 3: must be a table"),
        ("[search]\nseed = -1", r":2: search.seed = -1: must be a whole number of at least 0"),
        ("[search]\nseed = '3'", r"search.seed = '3': must be a whole number"),
        ("[search]\ntemperature = 0.0", "search.temperature = 0.0: must be a number greater than 0"),
        ("[search]\ntemperature = inf", "search.temperature = inf: must be a number"),
        ("[documents]\nvalidation = 1", "documents.validation = 1: must be a whole number of at least 2"),
        ("[measure.allowance]\nsubmissions = 0", ":2: measure.allowance.submissions = 0: "),
        ("[simulation]\nfaults = 0.9", "simulation.faults = 0.9: .*at least 0 and at most 0.5"),
        ("sandbox = 'none'", "sandbox = 'none': must be auto, bubblewrap or external"),
        (
            "[budget.roles.teacher]\ncalls = 1",
            r"\[budget.roles.teacher\] is no role; the roles are challenger, ",
        ),
        ("[models.teacher]\nname = 'x'", r"\[models.teacher\] is no role; the roles are challenger, "),
        ("[models.weka]\nname = 'x'", r"did you mean \[models.weak\]\?"),
        (
            "[models.weak]\nname = 'x'",
            r"no model is named for challenger, verifier, strong, .*\[models.default\]",
        ),
        ("[models.default]\nname = 'x'\nbase_url = 'u'", "base_url = 'u': must be a URL such as http://127"),
        ("[models.default]\nname = 'x'\nkey = 's'", ":3: models.default.key is unknown; .*key_variable"),
        (
            "[models.default]\nname = 'x'\nsampling.max_token = 3",
            "did you mean models.default.sampling.max_tokens",
        ),
        ("\nseed = x", ":2 cannot be read, it is no TOML: "),
    ],
)
def test_what_is_wrong_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    """Unknown names, values out of range and bad TOML are named, with the file, the line and the nearest name."""
    path = written(tmp_path, text)
    with pytest.raises(UsageError, match=message) as raised:
        read(path)
    assert str(raised.value).startswith(str(path))
    assert len(str(raised.value).splitlines()) == 1


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    """Two wrong values are two lines of one message."""
    with pytest.raises(UsageError) as raised:
        read(written(tmp_path, "[search]\nseed = 'a'\nlag = 0"))
    first, *rest = str(raised.value).splitlines()
    assert (first, len(rest)) == ("2 settings cannot be used:", 2)


def test_what_looks_like_a_key_is_never_repeated(tmp_path: Path) -> None:
    """A key that was put where a name belongs, or into an address, is refused without being shown."""
    secret = "sk-proj-Abcdefgh12345678ijklmnop"
    text = f"""[models.default]
name = "x"
key_variable = "{secret}"
api_key = "{secret}"
structured = "{secret}"
[models.weak]
base_url = "https://me:{secret}@x.example/v1"
[models.judge]
key_variable = "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6"
"""
    with pytest.raises(UsageError) as raised:
        read(written(tmp_path, text))
    message = str(raised.value)
    assert len(message.splitlines()) == 6
    assert secret not in message
    assert "a1b2c3d4" not in message
    assert message.count("must be the NAME of an environment variable") == 2


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "_K", "my_gateway_key", "TEAM_7_KEY_FOR_THE_GATEWAY_IN_2026"]
)
def test_usual_names_of_variables_are_taken(tmp_path: Path, name: str) -> None:
    """What is a plausible variable is no key."""
    settings = read(written(tmp_path, f"[models.default]\nname = 'x'\nkey_variable = '{name}'"))
    assert settings.models["weak"].key_variable == name


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("http://localhost:8000", True),
        ("https://gateway.example/openai/v1/", True),
        ("http://[::1]:8080/v1", True),
        ("http://host:99999/v1", False),
        ("http://ho st/v1", False),
        ("https://", False),
        ("ftp://x/v1", False),
        ("https://api.openai.com/v1/chat/completions", False),
    ],
)
def test_an_address_is_a_url_up_to_v1(tmp_path: Path, address: str, good: bool) -> None:
    """What is no URL is refused, and so is one of the call itself."""
    path = written(tmp_path, f"[models.default]\nname = 'x'\nbase_url = '{address}'")
    if good:
        assert read(path).models["weak"].base_url == address
        return
    with pytest.raises(UsageError, match=r"models.default.base_url = "):
        read(path)


def test_none_is_a_value(tmp_path: Path) -> None:
    """TOML has no null: "none" takes a value away where there may be none, and stays a word elsewhere."""
    settings = read(written(tmp_path, "[models.default]\nname = 'none'\nsampling.temperature = 'none'"))
    assert (settings.models["weak"].name, settings.models["weak"].sampling.temperature) == ("none", None)
    with pytest.raises(UsageError, match=r"search.seed = 'none'"):
        read(written(tmp_path, "[search]\nseed = 'none'"))


def test_a_role_keeps_the_sampling_it_does_not_mention(tmp_path: Path) -> None:
    """Sampling is filled from the default key by key; free-form fields are taken as a whole."""
    text = """[models.default]
name = "x"
sampling = { temperature = 0.3, max_tokens = 99, extra = { top_k = 5 } }
[models.weak]
sampling = { max_tokens = 7, extra = {} }
[models.judge.sampling]
extra = { min_p = 0.1 }
"""
    models = read(written(tmp_path, text)).models
    assert (models["weak"].sampling.temperature, models["weak"].sampling.max_tokens) == (0.3, 7)
    assert [models[role].sampling.extra for role in ("weak", "judge", "strong")] == [
        {},
        {"min_p": 0.1},
        {"top_k": 5},
    ]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, and a folder of that name, are the user's to mend."""
    path = tmp_path / "evolve.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        read(path)


def test_every_setting_has_a_help() -> None:
    """The docstring under a field is its help, and no table or setting is without; a default fits its own type."""
    found = list(fields())
    keys = [one.key for one in found]
    assert len(keys) == len(set(keys)) > 40
    assert {"search.seed", "models.<role>.sampling.top_p", "budget.roles.<role>.cost", "sandbox"} <= set(keys)
    assert [one.key for one in found if len(one.help) < 9 or "\n" in one.help] == []
    assert [one.key for one in found if not one.type] == []
    assert {one.key for one in found if one.required} == {"models.<role>.name", "models.<role>.base_url"}


def test_types_are_in_words() -> None:
    """What a value may be can be read by people."""
    types = {one.key: one.type for one in fields()}
    assert types["search.seed"] == "a whole number of at least 0"
    assert types["search.temperature"] == "a number greater than 0"
    assert types["search.lag"] == 'a whole number of at least 1, or "none"'
    assert types["simulation.faults"] == "a number of at least 0 and at most 0.5"
    assert types["sandbox"] == "auto, bubblewrap or external"
    assert types["models.<role>.simulated"] == "true or false"
    assert types["models.<role>.sampling.extra"] == "a table"
    assert types["models"] == "one table a role"
