"""A small run with simulated models, made once by the command line itself, for tests of what reads a run."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from evolve.cli import cli

SETTINGS = "[documents]\nvalidation = 4\ntest = 4\nminibatch = 2\n[search]\neffect = 0.5\nblock = 4\noverlook = 0.9\n"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of three iterations; `output.jsonl` holds what `evolve run --json` printed."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "evolve.toml").write_text(SETTINGS)
    options = ["--iterations", "3", "--workers", "2", "--json", "--db", str(folder / "population.db")]
    result = CliRunner().invoke(cli, ["run", *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    (folder / "output.jsonl").write_text(result.stdout)
    return folder
