"""evolve.toml: what is read, what is refused, and how a refusal helps."""

from pathlib import Path

import pytest

from evolve.settings import Section, Settings, read, validate
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
        ("[search]\nseeds = 3", r"search.seeds: .*not permitted \(got 3\)"),
        ("[serach]\nseed = 3", "serach: "),
        ("[search]\nseed = -1", r"search.seed: .*greater than or equal to 0 \(got -1\)"),
        ("[search]\ntemperature = 0.0", "search.temperature: .*greater than 0"),
        ("[search]\ntemperature = inf", "search.temperature: .*finite"),
        ("[documents]\nvalidation = 1", "documents.validation: "),
        ("[measure]\npreset = 'easy'", r"measure.preset: .*\(got 'easy'\)"),
        ("[measure.allowance]\nsubmissions = 0", "measure.allowance.submissions: "),
        ("[simulation]\nfaults = 0.9", "simulation.faults: "),
        ("sandbox = 'none'", "sandbox: "),
        ("sandbox = 'process'", "sandbox: "),
        ("[budget.roles.teacher]\ncalls = 1", "budget.roles.teacher"),
        ("[models.teacher]\nname = 'x'", r"\[models.teacher\] is no role; the roles are challenger, "),
        ("[models.weak]\nname = 'x'\nbase_url = 'u'", r"\[models.challenger\] lacks 'name'"),
        ("[models.default]\nname = 'x'", r"\[models.challenger\] lacks 'base_url'"),
        ("[models.default]\nname = 'x'\nbase_url = 'u'\nkey = 's'", "models.challenger.key: "),
        ("seed = ", "cannot be read: "),
    ],
)
def test_what_is_wrong_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    """Unknown names, values out of range and bad TOML are named, with the file."""
    path = written(tmp_path, text)
    with pytest.raises(UsageError, match=message) as raised:
        read(path)
    assert str(path) in str(raised.value)


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    """Two wrong keys are two lines of one message."""
    with pytest.raises(UsageError) as raised:
        read(written(tmp_path, "[search]\nseed = 'a'\nlag = 0"))
    assert len(str(raised.value).splitlines()) == 3


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
    """The docstring under a field is its help, and no field of ours is without."""
    sections = [Settings, *(one.annotation for one in Settings.model_fields.values())]
    ours = [one for one in sections if isinstance(one, type) and issubclass(one, Section)]
    fields = [(one.__name__, name, field) for one in ours for name, field in one.model_fields.items()]
    tables = {"documents", "search", "measure", "simulation", "budget"}
    assert len(fields) > 15
    assert [(c, name) for c, name, field in fields if not field.description and name not in tables] == []
