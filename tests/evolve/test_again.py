"""Measuring with a recorded run again: what is needed for it."""

import shutil
from pathlib import Path

import pytest

from evolve.again import reopen
from evolve.opening import Options
from harness.errors import ProviderError
from harness.instrument import MEASURING

KEYED = """[models.{role}]
name = "x"
base_url = "https://gateway.example/v1"
key_variable = "{variable}"
simulated = false
"""


def written(folder: Path, *named: tuple[str, str]) -> Options:
    """A folder whose models are simulated but for those, each with the variable of its key."""
    text = '[models.default]\nname = "simulated"\nsimulated = true\n'
    text += "".join(KEYED.format(role=role, variable=variable) for role, variable in named)
    (folder / "evolve.toml").write_text(text)
    return Options(folder, folder / "population.db", environment={})


def test_keys_of_roles_that_only_search_are_not_asked_for(finished: Path, tmp_path: Path) -> None:
    """Neither analyzer nor implementer has a part in measuring, so their keys may be missing; a judge's may not."""
    folder = Path(shutil.copytree(finished, tmp_path / "copy"))
    opening = reopen(written(folder, ("analyzer", "SEARCH_KEY"), ("implementer", "SEARCH_KEY")), "run-001")
    assert "SEARCH_KEY" not in opening.keys
    assert {opening.settings.models[role].key_variable for role in MEASURING} == {None}
    assert opening.settings.models["analyzer"].key_variable is None
    with pytest.raises(ProviderError, match="JUDGE_KEY, of judge"):
        reopen(written(folder, ("judge", "JUDGE_KEY")), "run-001")
