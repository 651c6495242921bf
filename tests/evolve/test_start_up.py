"""What importing the package and asking for help loads: next to nothing."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "openai",
    "httpx2",
    "numpy",
    "git",
    "sqlite_utils",
    "rich",
    "pydantic",
    "asyncio",
    "sqlite3",
    "json_repair",
}
HELP = "from evolve.cli import cli; cli.main(['--help'], standalone_mode=False)"


@pytest.mark.parametrize("statement", ["import evolve", "import evolve.cli", HELP])
def test_nothing_heavy_is_imported(statement: str) -> None:
    """Neither the package nor its help loads a client, a database, a picture or a number library."""
    program = f"{statement}\nimport json, sys; sys.stderr.write(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stderr))
    assert "evolve" in loaded
    assert not HEAVY & loaded
