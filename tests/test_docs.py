"""README and docs say what is true: the paths of the tree, the commands, the settings of the example, the exit codes."""

import re
import tomllib
from pathlib import Path

import pytest

from evolve.cli import COMMANDS, cli
from evolve.settings import validate
from harness.types import ROLES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of the README in that language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for named, text in found if named == language]


def test_every_path_of_the_tree_exists() -> None:
    """The annotated tree names only files and folders that are there."""
    (tree,) = [one for one in blocks("") if "THE SCAFFOLDS THAT EVOLVE" in one]
    folder = ROOT
    checked = 0
    for line in tree.splitlines():
        names = re.findall(r"(?<!\S)([\w.]+(?:\.py|/))(?=\s|$)", line)
        if not line.startswith(" "):
            folder = ROOT
            if names and names[0] in ("runs/",):
                continue
        for name in names:
            assert (folder / name).exists() or (ROOT / name).exists(), f"{name} of {line!r}"
            checked += 1
        if not line.startswith(" ") and names and (ROOT / names[0]).is_dir():
            folder = ROOT / names[0]
    assert checked > 25


def test_every_command_of_the_readme_exists() -> None:
    """`evolve WORD` is a command wherever the README says so, and each of its options is known to that command."""
    used = re.findall(r"^evolve ([a-z]+)([^\n#]*)", "\n".join(blocks("")), re.MULTILINE)
    assert {"run", "log", "show", "lineage", "verify", "generate"} <= {name for name, _ in used}
    for name, rest in used:
        assert name in COMMANDS, name
        command = cli.get_command(None, name)  # type: ignore[arg-type]  # the context is not looked at
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        for option in re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", rest.split("  ")[0]):
            assert option in known, f"evolve {name} {option}"


def test_the_example_settings_are_valid() -> None:
    """The evolve.toml of the README is accepted, fills every role, and sends no key to a server it was not named for."""
    (example,) = blocks("toml")
    settings = validate(tomllib.loads(example), "README.md")
    assert set(settings.models) == set(ROLES)
    assert not settings.simulated
    for role in ("weak", "judge"):
        assert settings.models[role].key_variable is None  # type: ignore[index]  # two of the roles
    assert settings.models["strong"].key_variable == "OPENAI_API_KEY"
    assert settings.budget.cost == 25.0


@pytest.mark.parametrize("name", ["openai", "git", "sqlite_utils"])
def test_one_library_one_owner(name: str) -> None:
    """Only the files that architecture.md names import the library."""
    pattern = re.compile(rf"^\s*(?:import|from) {name}\b", re.MULTILINE)
    sources = [*(ROOT / "evolve").rglob("*.py"), *(ROOT / "harness").rglob("*.py")]
    owners = {
        path.relative_to(ROOT).as_posix() for path in sources if pattern.search(path.read_text("utf-8"))
    }
    assert owners
    (row,) = re.findall(rf"`{name}` in (.*?)(?:, `|\.\n)", ARCHITECTURE.replace("\n", " ") + ".\n")
    assert set(re.findall(r"`([\w/.]+\.py)`", row)) == owners


def test_simulated_scores_in_the_readme_are_labelled() -> None:
    """Every line of real output that shows a score says that it is simulated."""
    shown = [line for line in README.splitlines() if re.search(r"\[[+-]?\d\.\d\d, [+-]?\d\.\d\d\]", line)]
    assert shown
    assert all("simulated" in line for line in shown)
