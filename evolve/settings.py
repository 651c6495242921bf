"""Every setting in one frozen tree. The docstring under a field is its help; unknown names are refused by name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from evolve.configuration.fields import FieldHelp, leaves, nested, walk
from evolve.configuration.roles import every_role, simulated_models
from evolve.configuration.sources import (
    BY_DEFAULT,
    Environment,
    Layer,
    Origin,
    Setting,
    from_file,
    from_flags,
    from_variables,
)
from harness.budget import BudgetLimits
from harness.errors import UsageError
from harness.modes import ModeChange
from harness.types import ROLES, Model, Role, Wire

FILE = "evolve.toml"
MODELS = "models."


class Section(Wire):
    """A table of evolve.toml."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class DocumentSettings(Section):
    """Which documents, and how many of each split are used."""

    path: str | None = None
    """Folder or file: .txt .md .rst .html .jsonl .csv .tsv .pdf .docx; none: the text of the Python installation."""
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


class AllowanceSettings(Section):
    """What one rollout may spend, part of the instrument."""

    submissions: int | None = Field(None, ge=1)
    """Tasks that the scaffold may submit for one document; none: as the domain has it (cs, math and passage 3, legal 16)."""
    asks: int | None = Field(None, ge=1)
    """Questions that the scaffold may put to the challenger model for one document; none: as the domain has it."""
    tokens: int | None = Field(None, ge=1)
    """Tokens of the challenger for one document, prompt and completion together; none: as the domain has it."""


class CheckSettings(Section):
    """What a task has to pass besides the gate; none: as the preset has it."""

    number_recall: bool | None = None
    """The answer is not a number that only has to be found in the document."""
    reference: bool | None = None
    """The reference answer itself scores high by the rubric."""
    null_answers: bool | None = None
    """Answers that say nothing (a refusal, the question or the context repeated, keywords, generic prose) score low."""
    agreement: bool | None = None
    """The strong solver's answers agree with the reference answer; else the reference is suspect."""
    closed_book: bool | None = None
    """Without the context the question cannot be answered."""
    context_only: bool | None = None
    """What the context says by itself, without the question, is not yet the answer."""
    final_verification: bool | None = None
    """The verifier passes the task a second time, after everything else."""


class MeasureSettings(Section):
    """What a score means."""

    domain: str = "cs"
    """Kind of task: cs, legal, math, passage, or the path of a file of yours such as recipes.py; see docs/domains.md."""
    preset: str | None = None
    """Gate that decides acceptance; the others are logged as shadow verdicts. none: as the domain has it (cs meta, legal
    judge, math and passage few)."""
    checks: CheckSettings = CheckSettings()
    """What a task has to pass besides the gate, each true or false; none: as the preset has it."""
    allowance: AllowanceSettings = AllowanceSettings()
    """What one rollout may spend."""
    weak: ModeChange = ModeChange()
    """How the weak solver is used."""
    strong: ModeChange = ModeChange()
    """How the strong solver is used; with the weak one's model, this is what makes it strong."""


class ProductionSettings(Section):
    """What `generate` and `compare` accept."""

    preset: str | None = None
    """Gate that decides acceptance there; none: as the domain has it, mostly confirmed."""


class ProviderSettings(Section):
    """What a run does when an endpoint is in trouble."""

    patience: float = Field(1800.0, gt=0)
    """Seconds without one answer of an endpoint after which the run stops; nothing is lost, it can be resumed."""
    retries: float = Field(0.1, ge=0)
    """Retry budget: retries an endpoint may cause for each answered call before all its calls are paused."""
    model_change: Literal["warn", "stop"] = "warn"
    """What to do when an endpoint begins to report another model name than before for the same role."""


class StorageSettings(Section):
    """The disk."""

    free_space: int = Field(200, ge=0)
    """Megabytes that stay free: below it the run stops in order and can be resumed."""


class SimulationSettings(Section):
    """The offline models."""

    seed: int = Field(0, ge=0)
    """Seed of the simulated world."""
    latency: float = Field(0.0, ge=0)
    """Mean seconds a simulated call takes."""
    faults: float = Field(0.0, ge=0, le=0.5)
    """Share of simulated calls that fail the way endpoints do (429, 500, HTML, cut bodies); all are retried."""


class Settings(Section):
    """All of evolve.toml."""

    documents: DocumentSettings = DocumentSettings()
    search: SearchSettings = SearchSettings()
    measure: MeasureSettings = MeasureSettings()
    production: ProductionSettings = ProductionSettings()
    models: dict[Role, Model] = Field(default_factory=simulated_models)
    """One table a role (challenger, verifier, weak, strong, judge, analyzer, implementer); `default` fills the rest."""
    budget: BudgetLimits = BudgetLimits()
    provider: ProviderSettings = ProviderSettings()
    storage: StorageSettings = StorageSettings()
    simulation: SimulationSettings = SimulationSettings()
    sandbox: Literal["auto", "bubblewrap", "external"] = "auto"
    """How candidate code is confined; `external` states that this whole machine is disposable."""

    @property
    def simulated(self) -> tuple[Role, ...]:
        """The roles whose models are simulated."""
        return tuple(role for role in ROLES if self.models[role].simulated)


@dataclass(frozen=True)
class Effective:
    """The settings that hold, where the value of each comes from (by dotted name), and what to tell the user."""

    settings: Settings
    origins: Mapping[str, Origin]
    notices: tuple[str, ...] = ()


def fields() -> Iterator[FieldHelp]:
    """Every table and setting with its type in words, default and help; `<role>` stands for each role."""
    return walk(Settings, Settings())


def gathered(folder: Path, environment: Environment) -> tuple[Layer, ...]:
    """What the folder and the environment say, the weakest first: evolve.toml, .env, the process's variables.

    Raises:
        UsageError: evolve.toml is no TOML.
    """
    file = from_file(folder / FILE, Settings)
    return (file, *(from_variables(environment, kind, Settings) for kind in (".env", "environment")))


def effective(layers: Sequence[Layer], environment: Environment, began: Settings | None = None) -> Effective:
    """What holds: the defaults, or the settings a run began with, under these layers, the strongest last.

    Models are filled in when all is known, see evolve/configuration/roles.py.

    Raises:
        UsageError: something cannot be used; names each with its place, its value and the nearest name.
    """
    source = BY_DEFAULT if began is None else Origin("run", "as the run began")
    held = {key: Setting(value, source) for key, value in leaves(began or Settings())}
    given: dict[str, Setting] = {}
    for layer in layers:
        given, held = (
            {k: v for k, v in one.items() if not k.startswith(layer.replaces)} for one in (given, held)
        )
        given |= layer.settings
    problems = [line for layer in layers for line in layer.problems]
    notices: tuple[str, ...] = ()
    if models := of_models(given):
        filled = every_role(models, of_models(held), environment)
        problems += [] if problems else filled.problems
        held = without_models(held) | dict(filled.settings)
        notices = filled.notices
    refuse(problems)
    held |= without_models(given)
    settings = built(held)
    return Effective(settings, {key: origin_of(key, held) for key, _ in leaves(settings)}, notices)


def of_models(flat: Mapping[str, Setting]) -> dict[str, Setting]:
    """The settings of models, by their names within `models`."""
    return {key.removeprefix(MODELS): one for key, one in flat.items() if key.startswith(MODELS)}


def without_models(flat: Mapping[str, Setting]) -> dict[str, Setting]:
    """All other settings."""
    return {key: one for key, one in flat.items() if not key.startswith(MODELS)}


def origin_of(key: str, held: Mapping[str, Setting]) -> Origin:
    """Where a setting comes from; one that nobody mentions is a default."""
    return held[key].origin if key in held else BY_DEFAULT


def built(held: Mapping[str, Setting]) -> Settings:
    """The tree of settings that were checked one by one.

    Raises:
        UsageError: they do not fit together.
    """
    try:
        return Settings.model_validate(nested({key: one.value for key, one in held.items()}))
    except ValidationError as error:
        refuse([f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()])
        raise


def refuse(problems: Sequence[str]) -> None:
    """Name what is wrong, if anything is.

    Raises:
        UsageError: there are problems.
    """
    lines = list(dict.fromkeys(problems))
    if len(lines) == 1:
        raise UsageError(lines[0])
    if lines:
        raise UsageError(f"{len(lines)} settings cannot be used:\n" + "\n".join(f"  {one}" for one in lines))


def read(path: Path) -> Settings:
    """The settings of a file alone, or the defaults if there is no file.

    Raises:
        UsageError: it is no TOML, or a key or value of it is not known; names each.
    """
    return effective([from_file(path, Settings)], Environment()).settings


def validate(data: Mapping[str, Any], origin: str) -> Settings:
    """Settings from tables in tables; `[models.default]` fills every role.

    Raises:
        UsageError: a key or a value is wrong, or a role has no model; names each with where it came from.
    """
    return effective([from_flags(data, origin, Settings)], Environment()).settings
