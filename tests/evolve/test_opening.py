"""Which run is meant, with which settings, and what a resume refuses."""

import asyncio
import platform
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evolve.commands.run import overrides
from evolve.configuration.binding import differences, fixed
from evolve.history import History
from evolve.opening import (
    Options,
    Recorded,
    checked,
    known_documents,
    read_recorded,
    resolve,
    run_names,
    wanted_settings,
)
from evolve.rows import DocumentRow, RunRow
from evolve.settings import Effective, SearchSettings, Settings, validate
from harness.documents import Collection, document, split_of
from harness.errors import ProviderError, StorageError, UsageError
from harness.modes import ModeChange
from harness.trajectory import CHECKS, SOLVERS

SETTINGS = Settings()
ROW = RunRow("r", "0.1.0", 7, 8, "hash", "full", (), SETTINGS.model_dump_json(), "b" * 40, "runs/r")
USED = DocumentRow("d1", "one", "validation", 300, True)


def changed(**tables: Any) -> Settings:
    return validate(SETTINGS.model_dump(mode="json") | tables, "test")


def options(folder: Path, **more: Any) -> Options:
    return Options(folder, folder / "population.db", **more)


def record(folder: Path, *names: str, settings: Settings = SETTINGS) -> None:
    """A database with these runs, in this order."""

    async def write() -> None:
        history = await History.open(folder / "population.db")
        for name in names:
            await history.open_run(replace(ROW, run=name, settings=settings.model_dump_json()), [USED])
        await history.close()

    asyncio.run(write())


def test_an_empty_folder_starts_a_run(tmp_path: Path) -> None:
    """The first run is run-001, with the defaults, and a line says that there is no evolve.toml."""
    opening = resolve(options(tmp_path))
    assert (opening.layout.run, opening.recorded, opening.settings) == ("run-001", None, SETTINGS)
    assert opening.notices == ("settings: the defaults (no evolve.toml here)",)
    assert list(tmp_path.iterdir()) == []


def test_the_latest_run_goes_on(tmp_path: Path) -> None:
    """Without a name the newest is resumed; a name picks any; an unknown name starts it."""
    record(tmp_path, "zebra", "apple")
    assert run_names(tmp_path / "population.db") == ["zebra", "apple"]
    for wanted, name in ((None, "apple"), ("zebra", "zebra")):
        opening = resolve(options(tmp_path, run=wanted))
        assert opening.layout.run == name
        assert opening.recorded is not None
        assert opening.notices == ("settings: as this run began",)
    assert resolve(options(tmp_path, run="other")).recorded is None


def test_what_was_recorded_is_read(tmp_path: Path) -> None:
    """Settings, lag, instrument, sandbox level and the documents with their use."""
    record(tmp_path, "r")
    recorded = read_recorded(tmp_path / "population.db", "r")
    assert recorded == Recorded(SETTINGS, 8, "hash", "full", {"d1": ("validation", True)}, None)


def test_a_new_run_takes_a_free_name(tmp_path: Path) -> None:
    """A run that happens to be called like the next number is never started over."""
    record(tmp_path, "run-001", "run-003")
    opening = resolve(options(tmp_path, new=True))
    assert (opening.layout.run, opening.recorded) == ("run-004", None)
    with pytest.raises(UsageError, match="run 'run-003' exists already; leave out --new"):
        resolve(options(tmp_path, new=True, run="run-003"))


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "-x", "a b", "x" * 61, "a\n"])
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    """A name never leads out of runs/ and never looks like an option."""
    with pytest.raises(UsageError, match="is no name for a run"):
        checked(name)


def test_flags_win_over_the_file_and_the_file_over_the_past(tmp_path: Path) -> None:
    """A flag changes its one setting; evolve.toml replaces the defaults."""
    (tmp_path / "evolve.toml").write_text("[search]\nseed = 4\n[documents]\nminibatch = 2\n")
    found, source = wanted_settings(options(tmp_path, overrides={"search.seed": 9}), None)
    holding = found.settings
    assert (holding.search.seed, holding.documents.minibatch, source) == (9, 2, "settings: evolve.toml")
    assert str(found.origins["search.seed"]) == "the command line"
    assert str(found.origins["documents.minibatch"]).endswith("evolve.toml:4")
    with pytest.raises(UsageError, match=r"the command line: search.seed = 'x': must be a whole number"):
        wanted_settings(options(tmp_path, overrides={"search.seed": "x"}), None)


def pay(home: Path) -> None:
    """Put one call into the journal of a run's folder."""
    home.mkdir(parents=True)
    with closing(sqlite3.connect(home / "calls.db")) as connection:
        connection.execute("CREATE TABLE calls (key TEXT)")
        connection.execute("INSERT INTO calls VALUES ('k')")
        connection.commit()


def test_a_folder_of_another_database_is_never_written_into(tmp_path: Path) -> None:
    """A new run passes over a folder that holds somebody's calls, and refuses it by name."""
    pay(tmp_path / "runs" / "run-001")
    assert resolve(options(tmp_path)).layout.run == "run-002"
    with pytest.raises(UsageError, match="holds the calls of a run"):
        resolve(options(tmp_path, run="run-001"))


def test_a_database_killed_before_its_first_table_is_filled(tmp_path: Path) -> None:
    """An empty file where the database should be is no run and no error."""
    (tmp_path / "population.db").touch()
    assert resolve(options(tmp_path)).recorded is None


def test_a_changed_setting_is_refused_with_both_values(tmp_path: Path) -> None:
    """Scores would not be comparable: the message lists each difference and says what to do."""
    record(tmp_path, "r")
    changes = {"search.seed": 3, "measure.preset": "prose"}
    fresh = resolve(options(tmp_path, overrides=changes))
    assert (fresh.recorded, fresh.layout.run) == (None, "run-002")  # nothing was measured yet
    pay(tmp_path / "runs" / "r")
    with pytest.raises(UsageError) as raised:
        resolve(options(tmp_path, overrides=changes))
    text = str(raised.value)
    assert "  search.seed: began with 0, now 3 (the command line)" in text
    assert "  measure.preset: began with None, now 'prose' (the command line)" in text
    assert text.endswith("Use the old values to go on with it, or --new to start another run.")
    (tmp_path / "evolve.toml").write_text("[search]\ntemperature = 0.5\n")
    with pytest.raises(UsageError, match=r"search.temperature: began with 0.05, now 0.5 \(.*toml:2\)"):
        resolve(options(tmp_path))
    with pytest.raises(
        UsageError, match=r"temperature: began with 0.05, now 0.2 \(environment EVOLVE_SEARCH__TEMP"
    ):
        resolve(options(tmp_path, environment={"EVOLVE_SEARCH__TEMPERATURE": "0.2"}))
    resolve(options(tmp_path, environment={"EVOLVE_SEARCH__TEMPERATURE": "0.05"}))


def test_the_order_of_the_sources(tmp_path: Path) -> None:
    """Default, recorded run, evolve.toml, .env, environment, flags: each wins over all before it."""
    recorded = Recorded(changed(search={"missing_bound": 2}), 8, "hash", "full", {}, None)
    expected = [(None, 1, "default"), (recorded, 2, "as the run began")]
    steps: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
        ("evolve.toml", "[search]\nmissing_bound = 3\n", {}, {}),
        (".env", "EVOLVE_SEARCH__MISSING_BOUND=4\n", {}, {}),
        ("", "", {"EVOLVE_SEARCH__MISSING_BOUND": "5"}, {}),
        ("", "", {"EVOLVE_SEARCH__MISSING_BOUND": "5"}, {"search.missing_bound": 6}),
    ]
    for began, value, origin in expected:
        found, _ = wanted_settings(options(tmp_path, environment={}), began)
        assert (found.settings.search.missing_bound, str(found.origins["search.missing_bound"])) == (
            value,
            origin,
        )
    kinds = []
    for number, (name, text, variables, flags) in enumerate(steps, 3):
        if name:
            (tmp_path / name).write_text(text)
        found, _ = wanted_settings(options(tmp_path, environment=variables, overrides=flags), recorded)
        assert found.settings.search.missing_bound == number
        kinds.append(found.origins["search.missing_bound"].kind)
    assert kinds == ["file", ".env", "environment", "flags"]


def test_a_missing_key_is_found_before_anything_is_made(tmp_path: Path) -> None:
    """All roles without a key are named with their variables, and the folder stays as it was."""
    text = """[models.default]
name = "x"
[models.weak]
name = "y"
base_url = "https://other.example/v1"
key_variable = "WEAK_KEY"
"""
    (tmp_path / "evolve.toml").write_text(text)
    with pytest.raises(ProviderError) as raised:
        resolve(options(tmp_path, environment={}))
    message = str(raised.value)
    assert message.startswith("2 keys are not set:")
    assert (
        "  OPENAI_API_KEY, of challenger, verifier, strong, judge, analyzer, implementer at https://api"
        in message
    )
    assert "  WEAK_KEY, of weak at https://other.example/v1" in message
    assert [one.name for one in tmp_path.iterdir()] == ["evolve.toml"]
    (tmp_path / ".env").write_text("WEAK_KEY=w-secret\n")
    opening = resolve(options(tmp_path, environment={"OPENAI_API_KEY": "o-secret", "OTHER": "x"}))
    assert opening.keys == {"OPENAI_API_KEY": "o-secret", "WEAK_KEY": "w-secret"}
    assert "secret" not in repr(opening)
    assert "secret" not in opening.settings.model_dump_json()


def test_the_models_of_a_run_stay_beneath_variables(tmp_path: Path) -> None:
    """A variable may move the server of a run that goes on; a key does not follow to another server."""
    began = validate(
        {"models": {"default": {"name": "m", "base_url": "http://old/v1", "key_variable": "OLD"}}}, "test"
    )
    recorded = Recorded(began, 8, "hash", "full", {}, None)
    moved = {"EVOLVE_MODELS__DEFAULT__BASE_URL": "http://new/v1"}
    found, _ = wanted_settings(options(tmp_path, environment=moved), recorded)
    assert {(one.name, one.base_url, one.key_variable) for one in found.settings.models.values()} == {
        ("m", "http://new/v1", None)
    }
    assert differences(began, found) == []
    assert "OLD" in found.notices[0]
    named = moved | {"EVOLVE_MODELS__DEFAULT__KEY_VARIABLE": "NEW"}
    found, _ = wanted_settings(options(tmp_path, environment=named), recorded)
    assert found.settings.models["judge"].key_variable == "NEW"
    assert found.notices == ()


def model(**changes: Any) -> dict[str, Any]:
    models = SETTINGS.model_dump(mode="json")["models"]
    return {"models": models | {"weak": models["weak"] | changes}}


FREE: list[dict[str, Any]] = [
    {"budget": {"calls": 5, "roles": {"weak": {"cost": 1.0}}}},
    {"sandbox": "bubblewrap"},
    {"simulation": {"latency": 0.5, "faults": 0.1}},
    {"search": {"lag": 3}},
    model(key_variable="KEY"),
    model(input_price=9.0, output_price=9.0),
    model(deadline=9.0, slots=2),
    model(base_url="http://elsewhere/v1"),
]
FIXED: list[dict[str, Any]] = [
    {"search": {"seed": 1}},
    {"search": {"survival": "mine.rule"}},
    {"documents": {"validation": 11}},
    {"documents": {"path": "elsewhere"}},
    {"measure": {"allowance": {"submissions": 4}}},
    {"simulation": {"seed": 1}},
    model(name="other"),
    model(sampling={"temperature": 0.5}),
    model(simulated=False),
]


@pytest.mark.parametrize("change", FREE, ids=str)
def test_what_no_score_depends_on_may_change(change: dict[str, Any]) -> None:
    """Budget, confinement by the same level, speed, keys and prices are free in a resume."""
    assert differences(SETTINGS, Effective(changed(**change), {})) == []


@pytest.mark.parametrize("change", FIXED, ids=str)
def test_what_a_score_depends_on_may_not(change: dict[str, Any]) -> None:
    """Everything else is fixed."""
    assert differences(SETTINGS, Effective(changed(**change), {}))


def test_every_setting_is_free_or_fixed_on_purpose() -> None:
    """The fixed settings are these; a new setting has to be thought about."""
    top = {key for key, _ in fixed(SETTINGS) if not key.startswith("models.")}
    assert top == {
        "documents.path",
        "documents.minibatch",
        "documents.validation",
        "documents.test",
        *(f"search.{name}" for name in SearchSettings.model_fields if name != "lag"),
        "agent.command",
        "agent.network",
        "executor",
        "measure.domain",
        "measure.preset",
        *(f"measure.checks.{check}" for check in CHECKS),
        *(f"measure.{solver}.{field}" for solver in SOLVERS for field in ModeChange.model_fields),
        "measure.allowance.submissions",
        "measure.allowance.asks",
        "measure.allowance.tokens",
        "simulation.seed",
    }
    weak = {key.removeprefix("models.weak.") for key, _ in fixed(SETTINGS) if key.startswith("models.weak.")}
    sampling = {f"sampling.{one}" for one in ("temperature", "top_p", "max_tokens", "extra")}
    assert weak == {"name", "structured", "simulated", *sampling}


def test_a_damaged_database_is_not_an_empty_one(tmp_path: Path) -> None:
    """A file that is no database stops everything; nothing is started beside it."""
    (tmp_path / "population.db").write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(StorageError, match=r"population\.db"):
        resolve(options(tmp_path))


DOCUMENTS = tuple(document(f"{n}.txt", f"text number {n} ") for n in range(40))


def began(used: tuple[Any, ...]) -> Recorded:
    return Recorded(SETTINGS, 8, "hash", "full", {one.id: (split_of(one.id), True) for one in used}, None)


def test_added_documents_are_left_out() -> None:
    """A run keeps the documents it began with, in their order, and says how many training ones are new."""
    found = known_documents(Collection(DOCUMENTS, ("skipped x",)), began(DOCUMENTS[:25]))
    assert found.documents == DOCUMENTS[:25]
    added = sum(split_of(one.id) == "training" for one in DOCUMENTS[25:])
    assert added > 0
    assert found.notices == (
        "skipped x",
        f"{added} training documents added since the run began are left out of it",
    )


def test_documents_that_were_never_used_are_not_called_new() -> None:
    """Validation documents beyond the number asked for are left out in silence, as they were before."""
    used = tuple(one for one in DOCUMENTS if split_of(one.id) == "training")
    assert len(used) < len(DOCUMENTS)
    assert known_documents(Collection(DOCUMENTS), began(used)).notices == ()


def test_a_document_that_is_gone_is_refused() -> None:
    """Nothing can be measured on a document that is not there any more."""
    with pytest.raises(
        UsageError, match=rf"^2 documents .* gone or changed \(the first: {DOCUMENTS[0].id}\)"
    ):
        known_documents(Collection(DOCUMENTS[2:]), began(DOCUMENTS))


def test_the_default_documents_change_with_python() -> None:
    """Whoever named no documents is told that another release of Python has another text."""
    own = Settings.model_validate({"documents": {"path": "papers"}})
    for settings, cause in (
        (SETTINGS, f"this is Python {platform.python_version()}"),
        (own, "Put them back"),
    ):
        run = replace(began(DOCUMENTS), settings=settings)
        with pytest.raises(UsageError, match=cause):
            known_documents(Collection(DOCUMENTS[2:]), run)


def test_models_of_the_environment_are_configured_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--models config` needs models that somebody named, wherever that is."""
    flags: dict[str, Any] = dict.fromkeys(
        ("seed", "domain", "sandbox", "docs", "calls", "tokens", "cost", "seconds"), None
    ) | {"models": "config"}
    with pytest.raises(UsageError, match="--models config needs a model for every role"):
        overrides(tmp_path, flags)
    monkeypatch.setenv("EVOLVE_MODELS__DEFAULT__NAME", "x")
    assert overrides(tmp_path, flags) == {}
