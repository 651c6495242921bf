"""`--models local` takes the domain that is made for small models, unless somebody names one."""

from pathlib import Path
from typing import Any

import pytest

from evolve.commands.model_choice import usual_domain
from evolve.commands.run import overrides

NAMES = ("seed", "sandbox", "domain", "docs", "models", "calls", "tokens", "cost", "seconds")
FLAGS: dict[str, Any] = dict.fromkeys(NAMES)
DOMAIN = "measure.domain"


def chosen(folder: Path, **flags: Any) -> dict[str, Any]:
    return overrides(folder, FLAGS | flags)


@pytest.mark.parametrize("models", ["local", "local:smollm2", "local:/anywhere/mine.gguf"])
def test_a_local_model_takes_passage_and_says_so(
    models: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a domain it is `passage`, with a notice on stderr."""
    assert chosen(tmp_path, models=models)[DOMAIN] == "passage"
    said = capsys.readouterr()
    assert "passage" in said.err and "--domain" in said.err and not said.out


def test_a_named_domain_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flag, evolve.toml or a variable that names a domain is kept, and nothing is said."""
    assert chosen(tmp_path, models="local", domain="cs")[DOMAIN] == "cs"
    (tmp_path / "evolve.toml").write_text('[measure]\ndomain = "math"\n')
    assert DOMAIN not in chosen(tmp_path, models="local")
    (tmp_path / "evolve.toml").unlink()
    monkeypatch.setenv("EVOLVE_MEASURE__DOMAIN", "legal")
    assert DOMAIN not in chosen(tmp_path, models="local")
    assert not capsys.readouterr().err


@pytest.mark.parametrize("models", ["sim", "config", None])
def test_other_models_take_no_domain_by_themselves(models: str | None, tmp_path: Path) -> None:
    """Only a local model has a domain of its own."""
    assert usual_domain(models, {}, tmp_path) == {}
