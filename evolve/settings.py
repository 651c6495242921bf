"""Every setting in one frozen tree. The docstring under a field is its help; unknown names are refused by name."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from harness.budget import BudgetLimits
from harness.errors import UsageError
from harness.gate import PresetName
from harness.types import ROLES, Allowance, Model, Role, Sampling, Wire

FILE = "evolve.toml"
SIMULATED_URL = "http://simulated.invalid/v1"


class Section(Wire):
    """A table of evolve.toml."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class DocumentSettings(Section):
    """Which documents, and how many of each split are used."""

    path: str | None = None
    """Folder or file with .txt, .md, .rst, .html or .jsonl documents; none: the text of the Python installation."""
    minibatch: int = Field(4, ge=1)
    """Training documents a parent is run on before its failures are analysed."""
    validation: int = Field(10, ge=2)
    """Held-out documents on which parent and child are compared."""
    test: int = Field(40, ge=2)
    """Documents that stay untouched until the final report."""


class SearchSettings(Section):
    """The outer loop."""

    seed: int = Field(0, ge=0)
    """Source of every random choice of the run."""
    lag: int | None = Field(None, ge=1)
    """Iteration i sees the results of iterations up to i - lag; none: the number of workers at the first start."""
    selection: str = "boltzmann"
    """Rule that chooses parents: a module of evolve.selection, or a dotted path to one of yours."""
    temperature: float = Field(0.1, gt=0)
    """Boltzmann temperature in units of the score: low is greedy."""
    survival: str = "strict"
    """Rule that decides whether a child is kept: a module of evolve.selection, or a dotted path to one of yours."""
    missing_bound: int = Field(1, ge=0)
    """A child with more missing documents than its parent plus this bound is not kept."""


class MeasureSettings(Section):
    """What a score means."""

    preset: PresetName = "meta"
    """Gate that decides acceptance; the others are logged as shadow verdicts."""
    allowance: Allowance = Allowance()
    """What one rollout may spend."""


class SimulationSettings(Section):
    """The offline models."""

    seed: int = Field(0, ge=0)
    """Seed of the simulated world."""
    latency: float = Field(0.0, ge=0)
    """Mean seconds a simulated call takes."""
    faults: float = Field(0.0, ge=0, le=0.5)
    """Share of simulated calls that fail the way endpoints do (429, 500, HTML, cut bodies); all are retried."""


def simulated_models() -> dict[Role, Model]:
    """The offline model of every role. Their prices are notional, so that budgets can be tried."""
    prices: dict[Role, tuple[float, float]] = {"weak": (0.1, 0.4), "strong": (1.0, 4.0), "judge": (0.3, 1.2)}
    return {
        role: Model(
            name=f"simulated-{role}",
            base_url=SIMULATED_URL,
            input_price=prices.get(role, (0.5, 2.0))[0],
            output_price=prices.get(role, (0.5, 2.0))[1],
            sampling=Sampling(max_tokens=16_384 if role in ("analyzer", "implementer") else 4096),
            slots=16,
            simulated=True,
        )
        for role in ROLES
    }


class Settings(Section):
    """All of evolve.toml."""

    documents: DocumentSettings = DocumentSettings()
    search: SearchSettings = SearchSettings()
    measure: MeasureSettings = MeasureSettings()
    models: dict[Role, Model] = Field(default_factory=simulated_models)
    """One table a role (challenger, verifier, weak, strong, judge, analyzer, implementer); `default` fills the rest."""
    budget: BudgetLimits = BudgetLimits()
    simulation: SimulationSettings = SimulationSettings()
    sandbox: Literal["auto", "bubblewrap", "external"] = "auto"
    """How candidate code is confined; `external` states that this whole machine is disposable."""

    @property
    def simulated(self) -> tuple[Role, ...]:
        """The roles whose models are simulated."""
        return tuple(role for role in ROLES if self.models[role].simulated)


def read(path: Path) -> Settings:
    """The settings of a file, or the defaults if there is no file.

    Raises:
        UsageError: it is no TOML, or a key or value of it is not known; names each.
    """
    if not path.exists():
        return Settings()
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error}") from None
    return validate(data, str(path))


def validate(data: dict[str, Any], origin: str) -> Settings:
    """Settings from decoded TOML; `[models.default]` is merged under every role.

    Raises:
        UsageError: a key or a value is wrong, or a role has no model; names each with where it came from.
    """
    try:
        models = data.get("models")
        if isinstance(models, dict):
            data = data | {"models": every_role(models, origin)}
        return Settings.model_validate(data)
    except ValidationError as error:
        rows = [
            f"  {'.'.join(map(str, one['loc']))}: {one['msg']} (got {one['input']!r})"
            for one in error.errors()
        ]
        raise UsageError(f"{origin} has wrong settings:\n" + "\n".join(rows)) from None


def every_role(tables: dict[str, Any], origin: str) -> dict[str, Any]:
    """The table of each role, its own keys over those of `default`.

    A role with a base_url of its own does not inherit the default's key: no key goes to a server it was not named for.

    Raises:
        UsageError: a table is of no role, or a role has neither name nor base_url.
    """
    if unknown := sorted(set(tables) - {*ROLES, "default"}):
        raise UsageError(f"{origin}: [models.{unknown[0]}] is no role; the roles are {', '.join(ROLES)}")
    common = tables.get("default", {})
    keyless = {key: value for key, value in common.items() if key != "key_variable"}
    merged: dict[str, Any] = {
        role: (keyless if "base_url" in tables.get(role, {}) else common) | tables.get(role, {})
        for role in ROLES
    }
    for role, table in merged.items():
        if lacking := [key for key in ("name", "base_url") if key not in table]:
            raise UsageError(
                f"{origin}: [models.{role}] lacks {lacking[0]!r}; set it there or in [models.default]"
            )
    return merged
