"""`evolve init`: what it writes is read back as it was meant, and nothing of the user's is lost."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evolve.cli import cli
from evolve.configuration.fields import ROLE, leaves
from evolve.configuration.founding import found
from evolve.configuration.profiles import OPENAI, PROFILES, Profile, chosen
from evolve.configuration.sources import read_environment
from evolve.configuration.template import evolve_toml
from evolve.layout import embedded_scaffold, scaffold_files
from evolve.settings import Settings, fields, read
from harness.errors import StorageError, UsageError
from harness.types import ROLES

CHOSEN = [
    *(chosen(name, None, None) for name in PROFILES if name != "custom"),
    chosen("custom", "https://gateway.example/v1", "big"),
    chosen("custom", "http://127.0.0.1:9000/v1", "big"),
    chosen("vllm", "http://gpu7:8000/v1", None),
    chosen("openai", None, 'größer "😀" \\ x'),
]


def switched_on(text: str) -> str:
    """Every name that a "#" switches off, switched on."""
    return re.sub(r'^#(?=[\w\["])', "", text, flags=re.MULTILINE)


def as_read(folder: Path, text: str) -> Settings:
    (folder / "evolve.toml").write_text(text)
    return read(folder / "evolve.toml")


def expected(profile: Profile) -> Mapping[str, object]:
    """The settings of models that a profile gives, by dotted name."""
    flat: dict[str, object] = {}
    for role in ROLES if profile.models else ():
        for table in (profile.models["default"], profile.models.get(role, {})):
            flat |= {f"models.{role}.{key}": value for key, value in table.items()}
    return flat


@pytest.mark.parametrize("profile", CHOSEN, ids=lambda one: f"{one.name}-{len(str(one))}")
def test_what_is_written_is_read_back(tmp_path: Path, profile: Profile) -> None:
    """The file gives the profile's values and else the defaults, before and after every name is switched on."""
    text = evolve_toml(profile)
    settings = as_read(tmp_path, text)
    flat = dict(leaves(settings))
    wanted = expected(profile)
    assert {key: flat[key] for key in wanted} == wanted
    rest = {key: value for key, value in leaves(Settings()) if not key.startswith("models.")}
    assert {key: flat[key] for key in rest} == rest
    unreal = (
        ROLES
        if not profile.models
        else sorted({*ROLES} - {"weak", "strong"})
        if profile.name == "local"
        else ()
    )
    assert sorted(settings.simulated) == sorted(unreal)
    assert profile.models or settings == Settings()
    on = as_read(tmp_path, switched_on(text))
    if profile.models:
        assert on == settings
    else:
        assert on == as_read(tmp_path, evolve_toml(OPENAI))


@pytest.mark.parametrize("profile", CHOSEN, ids=lambda one: f"{one.name}-{len(str(one))}")
def test_every_setting_is_in_the_file(profile: Profile) -> None:
    """With its help; no line is longer than a terminal; no key and no price of a provider is in it."""
    text = evolve_toml(profile)
    plain = " ".join(text.replace("\n#", " ").split())
    for one in fields():
        if not one.table:
            name = one.key.rpartition(".")[2]
            assert re.search(rf"^#?{name} = ", text, re.MULTILINE) or ROLE in one.key, one.key
            assert one.help in plain or one.key.startswith("budget.roles"), one.key
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "sk-" not in text
    if profile.name == "openai":
        assert '#input_price = "none"' in text


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["init", *arguments])


def test_a_folder_is_begun(tmp_path: Path) -> None:
    """All files are there, and the scaffold is the embedded one."""
    folder = tmp_path / "new" / "papers"
    result = invoke(str(folder), "--profile", "openai")
    assert result.exit_code == 0, result.output
    assert sorted(one.name for one in folder.iterdir()) == [
        ".env.example",
        ".gitignore",
        "baseline_repo",
        "evolve.toml",
    ]
    assert scaffold_files(folder / "baseline_repo") == scaffold_files(embedded_scaffold())
    (folder / ".env").write_text((folder / ".env.example").read_text())
    assert read_environment(folder, {}).file["OPENAI_API_KEY"] == ""
    ignored = (folder / ".gitignore").read_text().splitlines()
    assert {".env", "/runs/", "/population.db*"} <= set(ignored)
    steps = result.output.split("Next")[1].splitlines()[1:]
    assert len(steps) == 3
    assert "evolve models check" in steps[1]
    assert "evolve run --workers 1 --budget-usd 2" in steps[2]
    assert max(map(len, steps)) <= 80


def test_nothing_that_is_there_is_replaced(tmp_path: Path) -> None:
    """What is left is named; a scaffold is left as a whole; with --force the former files stay under another name."""
    (tmp_path / "baseline_repo").mkdir()
    (tmp_path / "baseline_repo" / "agent.py").write_text("mine")
    (tmp_path / "evolve.toml").write_text("mine")
    (tmp_path / ".gitignore").write_text("runs\n.env")
    result = invoke(str(tmp_path))
    assert result.exit_code == 0
    assert "written: " in result.output
    assert re.search(r"left: .*evolve.toml, .*gitignore, .*baseline_repo", result.output)
    assert "lacks /comparisons/ /population.db*" in result.output
    assert (tmp_path / "evolve.toml").read_text() == "mine"
    assert [one.name for one in (tmp_path / "baseline_repo").iterdir()] == ["agent.py"]
    forced = found(tmp_path, PROFILES["vllm"], force=True)
    assert dict(forced.kept)["evolve.toml"] == "evolve.toml.old"
    assert (tmp_path / "evolve.toml.old").read_text() == "mine"
    assert (tmp_path / "baseline_repo.old" / "agent.py").read_text() == "mine"
    assert scaffold_files(tmp_path / "baseline_repo") == scaffold_files(embedded_scaffold())
    ignored = (tmp_path / ".gitignore").read_text().splitlines()
    assert ignored[:2] == ["runs", ".env"]
    assert "/population.db*" in ignored
    again = found(tmp_path, PROFILES["vllm"], force=True)
    assert (again.written, again.kept, len(again.left)) == ((), (), 4)
    found(tmp_path, PROFILES["openai"], force=True)
    assert (tmp_path / "evolve.toml.old").read_text() == "mine"
    assert "vllm" in (tmp_path / "evolve.toml.old2").read_text()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file in the way of the folder is refused, with what to do."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is no folder"):
        found(tmp_path / "file", OPENAI, force=False)
    with pytest.raises(StorageError, match="choose a folder you can write"):
        found(tmp_path / "file" / "below", OPENAI, force=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--profile", "custom"), "--profile custom needs --base-url and --model"),
        (("--base-url", "localhost", "--model", "x"), "--base-url must be a URL such as"),
        (("--profile", "simulated", "--model", "x"), "leave out --base-url and --model"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Exit code 2, and nothing is written."""
    result = invoke(str(tmp_path), *arguments)
    assert (result.exit_code, message in result.output) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_an_endpoint_of_the_user_s_replaces_those_of_the_profile() -> None:
    """All roles go there; a key is only kept for a server that encrypts; weak and strong are said to be the same."""
    local = chosen("openai", "http://127.0.0.1:1/v1", "m")
    assert local.keys == ()
    assert {str(table.get("base_url")) for role, table in local.models.items() if role != "default"} == {
        "None"
    }
    assert {table["name"] for table in local.models.values() if "name" in table} == {"m"}
    assert "now they are the same" in local.remarks["weak"]
    assert chosen(None, "https://x.example/v1", "m").keys == ("MODEL_API_KEY",)
    assert (chosen(None, None, None).name, chosen(None, None, "m").name) == ("simulated", "openai")


@pytest.mark.parametrize(("profile", "limit"), [("openai", "--budget-usd 2"), ("vllm", "--iterations 2")])
def test_the_first_run_that_is_named_ends(tmp_path: Path, profile: str, limit: str) -> None:
    """Where models cost nothing a budget in dollars would never end a first run, so iterations do."""
    result = CliRunner().invoke(cli, ["init", str(tmp_path / "new"), "--profile", profile])
    assert f"evolve run --workers 1 {limit}" in result.output
