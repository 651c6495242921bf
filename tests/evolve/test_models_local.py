"""Local models from the command line to the record: chosen, served while a run lasts, labelled, and never by their port."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from local_stub import ask, install, weights
from run_facts import SMALL, journal, query, write_documents

from evolve.assembly import instrument_of
from evolve.cli import cli
from evolve.commands.model_choice import checked, chosen_models
from evolve.configuration.binding import differences
from evolve.configuration.roles import LOCAL_URL
from evolve.configuration.sources import Environment, Layer, Origin, Setting
from evolve.serving import in_words, refuse_missing, serving
from evolve.settings import Effective, Settings, effective, validate
from harness.errors import UsageError
from harness.types import ROLES

SOLVERS = ("weak", "strong")
OTHERS = tuple(role for role in ROLES if role not in SOLVERS)
FILE = (
    "[documents]\nvalidation = 2\ntest = 2\nminibatch = 2\n"
    "[search]\neffect = 0.5\nblock = 3\noverlook = 0.9\n"
    "[measure.allowance]\nsubmissions = 1\n"
)


def chosen(choice: str, folder: Path = Path()) -> Settings:
    return validate(chosen_models(choice, folder), "test")


def filled(**tables: dict[str, object]) -> Effective:
    """Models as evolve.toml gives them."""
    origin = Origin("file", "evolve.toml")
    given = {
        f"models.{role}.{key}": Setting(value, origin)
        for role, table in tables.items()
        for key, value in table.items()
    }
    return effective([Layer(given)], Environment())


def choice(value: str) -> str | None:
    command = click.Command("run")
    return checked(click.Context(command), click.Option(["--models"]), value)


def test_what_may_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four words, one with a file, which is then named from the root; anything else is refused with them."""
    monkeypatch.chdir(tmp_path)
    assert [choice(one) for one in ("sim", "config", "local", "local:smollm2")] == [
        "sim",
        "config",
        "local",
        "local:smollm2",
    ]
    assert choice("local:my/x.gguf") == f"local:{tmp_path}/my/x.gguf"
    for wrong in ("Local", "local:", "gpt-5", "sim:x"):
        with pytest.raises(click.BadParameter, match="is none of sim, config, local and local:FILE"):
            choice(wrong)


def test_the_solvers_are_local_and_the_rest_is_simulated() -> None:
    """At an address that is none, for nothing, under the name of the weights."""
    settings = chosen("local")
    assert settings.simulated == OTHERS
    for role in SOLVERS:
        model = settings.models[role]
        assert (model.local, model.base_url) == ("smollm2", LOCAL_URL)
        assert (model.name, model.simulated) == ("SmolLM2-135M-Instruct-Q4_1", False)
        assert (model.input_price, model.output_price) == (0.0, 0.0)
    assert chosen("local:/x/Qwen.gguf").models["weak"].name == "Qwen"
    assert chosen("sim") == Settings()
    assert in_words(settings) == (
        "local SmolLM2-135M-Instruct-Q4_1 for weak, strong; "
        "simulated: challenger, verifier, judge, analyzer, implementer"
    )
    assert in_words(Settings()) == ""


def test_a_file_of_settings_says_the_same() -> None:
    """As `evolve init --profile local` writes it; a role's own settings win over those of the weights."""
    found = filled(
        default={"simulated": True}, weak={"local": "smollm2"}, strong={"local": "smollm2", "slots": 2}
    )
    assert found.settings.simulated == OTHERS
    assert found.settings.models["weak"] == chosen("local").models["weak"]
    assert found.settings.models["strong"].slots == 2
    everything = filled(default={"local": "smollm2"}).settings
    assert {one.local for one in everything.models.values()} == {"smollm2"}


def test_other_models_beside_local_ones() -> None:
    """A role with an address of its own is no local one, and one that is simulated inherits nothing."""
    found = filled(
        default={"local": "smollm2", "slots": 3},
        judge={"name": "big", "base_url": "http://gpu7/v1"},
        analyzer={"simulated": True},
    ).settings
    assert (found.models["judge"].local, found.models["judge"].base_url) == ("", "http://gpu7/v1")
    assert found.simulated == ("analyzer",)
    assert found.models["weak"].slots == 3
    with pytest.raises(UsageError, match="no model is named for challenger"):
        filled(weak={"local": "smollm2"})
    with pytest.raises(UsageError, match=r"models.weak has local = 'smollm2', and simulated = true"):
        filled(default={"simulated": True}, weak={"local": "smollm2", "simulated": True})


def test_the_place_of_the_weights_is_free_and_their_name_is_not() -> None:
    """A run goes on with the same file elsewhere; another model is another instrument."""
    began, moved, other = (chosen(f"local:{path}") for path in ("/a/x.gguf", "/b/x.gguf", "/a/y.gguf"))
    assert differences(began, Effective(moved, {})) == []
    assert "models.weak.name" in "".join(differences(began, Effective(other, {})))
    assert instrument_of(began).hash == instrument_of(moved).hash != instrument_of(other).hash


def test_what_is_missing_is_said_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights, the file, the runtime; each with how to get it."""
    monkeypatch.setenv("EVOLVE_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match="`evolve models fetch smollm2` gets them"):
        refuse_missing(chosen("local"), tmp_path)
    with pytest.raises(UsageError, match="there is no file"):
        refuse_missing(chosen(f"local:{tmp_path}/x.gguf"), tmp_path)
    monkeypatch.setattr("evolve.serving.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install '.\[local\]'"):
        refuse_missing(chosen(f"local:{weights(tmp_path).path}"), tmp_path)
    refuse_missing(Settings(), tmp_path)


def test_each_file_has_one_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roles of the same weights share it; relative paths begin at the folder; the settings handed in stay as they are."""
    install(monkeypatch)
    weights(tmp_path)
    (tmp_path / "second.gguf").write_text("fine")
    settings = filled(
        default={"simulated": True},
        weak={"local": "tiny.gguf"},
        strong={"local": "tiny.gguf"},
        judge={"local": "second.gguf"},
    ).settings

    async def scene() -> tuple[Settings, str]:
        async with serving(settings, tmp_path) as running:
            return running, await asyncio.to_thread(ask, running.models["judge"].base_url, "hello")

    running, said = asyncio.run(scene())
    urls = {role: running.models[role].base_url for role in ("weak", "strong", "judge")}
    assert urls["weak"] == urls["strong"] != urls["judge"]
    assert said == "echo: hello"
    assert settings.models["weak"].base_url == LOCAL_URL
    assert running.models["verifier"] == settings.models["verifier"]


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--db", str(folder / "population.db")], env={"NO_COLOR": "1"})


def test_a_run_has_its_server_for_as_long_as_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The solvers' calls are the local model's, all is labelled, the record holds no port, and it can be resumed."""
    install(monkeypatch)
    file = weights(tmp_path).path
    write_documents(tmp_path / "documents")
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in SMALL.items())
    (tmp_path / "evolve.toml").write_text(lines)
    command = ("run", "--models", f"local:{file}", "--workers", "2")
    result = run(tmp_path, *command, "--iterations", "1")
    assert result.exit_code == 0, result.output
    words = (
        "models: local tiny for weak, strong; simulated: challenger, verifier, judge, analyzer, implementer"
    )
    assert words in result.stderr
    rows = query(journal(tmp_path), "SELECT DISTINCT role, model FROM calls")
    assert {(role, name) for role, name in rows if role in SOLVERS} <= {("weak", "tiny"), ("strong", "tiny")}
    assert ("weak", "tiny") in rows
    ((recorded, roles),) = query(tmp_path / "population.db", "SELECT settings, simulated_roles FROM runs")
    assert tuple(json.loads(roles)) == OTHERS
    assert json.loads(recorded)["models"]["weak"]["base_url"] == LOCAL_URL
    assert "127.0.0.1" not in recorded
    again = run(tmp_path, "run", "--iterations", "2", "--workers", "2")
    assert again.exit_code == 0, again.output
    assert "resuming run run-001" in again.stderr


def test_check_and_doctor_know_local_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is served and asked once; without its weights doctor says so, and check ends with 2."""
    install(monkeypatch)
    weights(tmp_path)
    (tmp_path / "evolve.toml").write_text(
        '[models.default]\nsimulated = true\n[models.weak]\nlocal = "tiny.gguf"\n[models.strong]\nlocal = "tiny.gguf"\n'
    )
    result = run(tmp_path, "models", "check", "--json")
    assert result.exit_code == 0, result.output
    rows = {one["role"]: one for one in json.loads(result.stdout)["roles"]}
    assert rows["weak"]["endpoint"] == "local model tiny.gguf"
    assert (rows["weak"]["reported"], rows["strong"]["same_as"]) == ("tiny", "weak")
    assert "local tiny for weak, strong" in run(tmp_path, "doctor").output
    (tmp_path / "tiny.gguf").unlink()
    missing = run(tmp_path, "models", "check")
    assert missing.exit_code == 2
    assert "there is no file" in missing.output
    assert "there is no file" in run(tmp_path, "doctor").output


def test_serve_is_for_anybody_until_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints its address and a table for evolve.toml, answers, and ends with 0 on Ctrl-C."""
    install(monkeypatch)
    command = [sys.executable, "-m", "evolve", "models", "serve", str(weights(tmp_path).path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        head = [process.stdout.readline() for _ in range(6)]
        base_url = head[0].split(" at ")[1].strip()
        assert ask(base_url, "hello") == "echo: hello"
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert errors == "stopped\n"
    table = "".join(head[3:]) + rest
    model = validate({"models": {"default": {"simulated": True}}}, "test")
    assert f'base_url = "{base_url}"' in table
    assert 'name = "tiny"' in table
    assert model.simulated == ROLES


def test_fetch_and_serve_say_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 where nothing can be downloaded, 2 for a name or a file that is not there."""
    monkeypatch.setenv("EVOLVE_CACHE", str(tmp_path / "cache"))
    for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(tmp_path)), ("CONFIG_FILE", "/dev/null")):
        monkeypatch.setenv(f"PIP_{name}", value)
    fetched = CliRunner().invoke(cli, ["models", "fetch"])
    assert fetched.exit_code == 1
    assert "could not be downloaded" in fetched.output
    assert CliRunner().invoke(cli, ["models", "fetch", "gpt-5"]).exit_code == 2
    served = CliRunner().invoke(cli, ["models", "serve"])
    assert served.exit_code == 2
    assert "`evolve models fetch smollm2` gets them" in served.output


def test_the_place_of_the_cache_is_no_setting(tmp_path: Path) -> None:
    """EVOLVE_CACHE begins as settings do, and is refused by no command."""
    result = CliRunner().invoke(
        cli, ["config", "show", "--db", str(tmp_path / "population.db")], env={"EVOLVE_CACHE": "/x"}
    )
    assert result.exit_code == 0, result.output
