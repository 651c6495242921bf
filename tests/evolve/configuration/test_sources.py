"""Where settings come from: positions in evolve.toml, .env line by line, one variable at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from evolve.configuration.sources import (
    Environment,
    Origin,
    display,
    from_file,
    from_variables,
    positions,
    read_environment,
)
from evolve.settings import Settings, effective, gathered
from harness.errors import UsageError


def layer(**variables: str) -> dict[str, object]:
    found = from_variables(Environment(variables), "environment", Settings)
    assert found.problems == ()
    return {key: one.value for key, one in found.settings.items()}


def problems(**variables: str) -> str:
    return "\n".join(from_variables(Environment(variables), "environment", Settings).problems)


def test_every_place_of_a_key_is_found() -> None:
    """Tables, dotted and quoted keys, inline tables and comments; what stands in a text is not taken for more."""
    text = '''# seed = 1
sandbox = "auto"
[search] # the loop
seed = 1
"lag" = 2
[models . "weak"]
sampling.top_p = 0.5
name = """
seed = 9
"""
'''
    found = dict(positions(text))
    assert found["sandbox"] == 2
    assert (found["search"], found["search.seed"], found["search.lag"]) == (3, 4, 5)
    assert (found["models.weak"], found["models.weak.sampling.top_p"], found["models.weak.name"]) == (6, 7, 8)


def test_a_key_in_an_inline_table_has_the_place_of_the_table(tmp_path: Path) -> None:
    """The nearest line above is named."""
    path = tmp_path / "evolve.toml"
    path.write_text('[models.weak]\nname = "x"\nsampling = { top_p = 0.5 }\n')
    origins = {key: one.origin for key, one in from_file(path, Settings).settings.items()}
    assert origins["models.weak.sampling.top_p"] == Origin("file", f"{path}:3")


def test_a_file_here_is_named_as_it_is_written_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths below the current folder are short."""
    monkeypatch.chdir(tmp_path)
    assert display(tmp_path / "evolve.toml") == "evolve.toml"
    assert display(Path("evolve.toml")) == "evolve.toml"
    assert display(tmp_path.parent / "x") == str(tmp_path.parent / "x")


def test_variables_are_settings() -> None:
    """Texts become what the setting holds; names are of any case; an empty variable is none."""
    assert layer(
        EVOLVE_SEARCH__TEMPERATURE="0.2",
        EVOLVE_BUDGET__COST="5",
        EVOLVE_BUDGET__CALLS="none",
        evolve_models__weak__simulated="true",
        EVOLVE_SANDBOX="external",
        EVOLVE_SEARCH__SEED="",
        HOME="/root",
        EVOLVER="x",
    ) == {
        "search.temperature": 0.2,
        "budget.cost": 5.0,
        "budget.calls": None,
        "models.weak.simulated": True,
        "sandbox": "external",
    }


def test_tables_are_json_and_the_more_special_variable_wins() -> None:
    """A whole table may be given at once; free-form fields keep the types of JSON, and add up."""
    found = layer(
        EVOLVE_MODELS__WEAK='{"name": "a", "slots": 3}',
        EVOLVE_MODELS__WEAK__NAME="b",
        EVOLVE_MODELS__WEAK__SAMPLING__EXTRA__TOP_K="5",
        EVOLVE_MODELS__WEAK__SAMPLING__EXTRA__REASONING_EFFORT="low",
    )
    assert (found["models.weak.name"], found["models.weak.slots"]) == ("b", 3)
    assert found["models.weak.sampling.extra"] == {"top_k": 5, "reasoning_effort": "low"}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("EVOLVE_SERCH__SEED", "1", "EVOLVE_SERCH__SEED is unknown; did you mean EVOLVE_SEARCH__SEED?"),
        ("EVOLVE_SEARCH__SEEDS", "1", "did you mean EVOLVE_SEARCH__SEED?"),
        ("EVOLVE_SEARCH_SEED", "1", "did you mean EVOLVE_SEARCH__SEED?"),
        ("EVOLVE_SANDBOX__X", "1", "EVOLVE_SANDBOX__X is unknown; did you mean EVOLVE_SANDBOX?"),
        ("EVOLVE_SEARCH__SEED", "-1", "EVOLVE_SEARCH__SEED = '-1': must be a whole number of at least 0"),
        ("EVOLVE_SEARCH", "3", "EVOLVE_SEARCH = 3: must be a table"),
        ("EVOLVE_MODELS", "{", "EVOLVE_MODELS must be a table in JSON"),
        ("EVOLVE_MODELS__WEKA__NAME", "x", "did you mean EVOLVE_MODELS__WEAK"),
        ("EVOLVE_MODELS__WEAK", '{"slots": 0}', "EVOLVE_MODELS__WEAK (models.weak.slots) = 0: must be"),
    ],
)
def test_a_wrong_variable_is_named_with_the_nearest(name: str, value: str, message: str) -> None:
    """As with keys of a file: the variable, its value, and what was perhaps meant."""
    text = problems(**{name: value})
    assert text.startswith(f"environment: {name}")
    assert message in text
    assert "\n" not in text


def test_the_file_env_is_read_line_by_line(tmp_path: Path) -> None:
    """Quotes, comments and `export` as usual; nothing is taken from other variables; origins name the line."""
    (tmp_path / ".env").write_text(
        "# keys\nexport KEY='a b'  # comment\n\nEVOLVE_SEARCH__SEED=4\nRAW=${KEY}\nEMPTY=\nBARE\n"
    )
    found = read_environment(tmp_path, {"EMPTY": "", "RAW": "mine"})
    assert (found.get("KEY"), found.get("RAW"), found.get("EMPTY"), found.get("BARE")) == (
        "a b",
        "mine",
        "",
        "",
    )
    assert found.file["RAW"] == "${KEY}"
    one = from_variables(found, ".env", Settings).settings["search.seed"]
    assert (one.value, one.origin) == (4, Origin(".env", f"{tmp_path / '.env'}:4"))
    assert found.origin("RAW") == Origin("environment", "RAW")


def test_a_line_of_env_that_is_none_is_not_repeated(tmp_path: Path) -> None:
    """It may be a key: only its place is named; wrong settings in .env are named with file and line."""
    (tmp_path / ".env").write_text("A=1\n\nsk-secret secret\n")
    with pytest.raises(UsageError, match=r"\.env:3: this is no line of the form NAME=value$"):
        read_environment(tmp_path, {})
    (tmp_path / ".env").write_text("A=1\nEVOLVE_SEARCH__SEEDS=1\n")
    environment = read_environment(tmp_path, {})
    with pytest.raises(
        UsageError, match=r"\.env:2: EVOLVE_SEARCH__SEEDS is unknown; did you mean EVOLVE_SEARCH__SEED\?"
    ):
        effective(gathered(tmp_path, environment), environment)
    (tmp_path / ".env").write_bytes(b"A=\xff")
    with pytest.raises(UsageError, match="no text in UTF-8"):
        read_environment(tmp_path, {})


def test_the_environment_never_shows_its_values() -> None:
    """Not even to somebody who prints it."""
    assert "secret" not in repr(Environment({"KEY": "secret"}, {"OTHER": "secret"}, {"OTHER": 1}))


def test_problems_of_all_sources_are_told_at_once(tmp_path: Path) -> None:
    """A value that a stronger source hides is still refused."""
    (tmp_path / "evolve.toml").write_text("[search]\nseed = -1\n")
    environment = read_environment(tmp_path, {"EVOLVE_SEARCH__SEED": "4", "EVOLVE_SEARCH__LAG": "0"})
    with pytest.raises(UsageError) as raised:
        effective(gathered(tmp_path, environment), environment)
    assert "toml:2: search.seed = -1" in str(raised.value)
    assert "environment: EVOLVE_SEARCH__LAG = '0'" in str(raised.value)


def test_nothing_heavy_is_imported_without_variables() -> None:
    """Reading settings without EVOLVE_ variables costs no import of pydantic-settings."""
    code = (
        "import sys, os; from pathlib import Path\n"
        "from evolve.settings import effective, gathered\nfrom evolve.configuration.sources import Environment\n"
        "effective(gathered(Path('/nowhere'), Environment({})), Environment({}))\n"
        "print('pydantic_settings' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
