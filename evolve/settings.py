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
    validation: int = Field(25, ge=2)
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
    temperature: float = Field(0.05, gt=0)
    """Boltzmann temperature, in the unit below: low is greedy."""
    temperature_unit: Literal["score", "error"] = "score"
    """Unit of the temperature: points of the score, or the typical standard error of the candidates' scores."""
    shrink: bool = True
    """Parents are drawn by scores shrunk towards the population's mean, the more the fewer trials they rest on."""
    children_bonus: float = Field(0.0, ge=0)
    """What a candidate without children gets on top of its score when parents are drawn; it falls with each child."""
    survival: str = "sequential"
    """Rule that decides whether a child is kept: sequential, paired, strict, or a dotted path to one of yours."""
    error: float = Field(0.05, gt=0, lt=1)
    """Error budget of the whole run: the chance that a child ever survives as better though it is not."""
    horizon: int = Field(50, ge=1)
    """Iterations after which half of the error budget is used; a longer run goes on with the rest."""
    effect: float = Field(0.2, gt=0, lt=1)
    """Gain that the sequential rule is made to find, in points of the score; smaller ones are found less often."""
    overlook: float = Field(0.1, gt=0, lt=1)
    """Chance with which a child that is better by `effect` may be dropped early; higher is cheaper."""
    contend: int | None = Field(None, ge=0)
    """Rollouts of a child after which it may be a parent if it is ahead of its own, though nothing is claimed of it; none:
    1.2 / effect^2; 0: only survivors are parents. Under `sequential`."""
    most: int | None = Field(None, ge=10)
    """Validation rollouts of one child after which the sequential rule decides at the latest; none: 10 / effect squared."""
    block: int = Field(10, ge=1)
    """Validation rollouts between two looks of the sequential rule."""
    missing_bound: int = Field(1, ge=0)
    """A child with more missing than this is not kept: under strict and paired beyond what its parent has, under sequential
    if it is also more than chance allows in view of whom it is compared with."""
    rerun: bool = True
    """Run a child on its parent's minibatch first, which checks what the diagnosis predicted."""
    screen: bool = True
    """Drop a child at once if not one of its parent's failures on that minibatch got better."""
    control: float = Field(0.1, ge=0, le=0.5)
    """Share of the rollouts that goes to the control arms: edits without a diagnosis, and best of n from the baseline."""
    arm: Literal["evolution", "random", "best_of"] = "evolution"
    """What all other iterations are: evolution, or one of the control arms alone, to compare whole runs."""
    operator: Literal["edit", "merge", "agent"] | None = None
    """How children are made; none: what earns most for its cost, learnt during the run."""
    same_edit: Literal["tree", "diff", "model"] = "diff"
    """What counts as an edit that was tried before: the same files, the same lines changed, or the analyzer's judgement."""


class AgentSettings(Section):
    """An external coding agent as one more way to make a child."""

    command: tuple[str, ...] = ()
    """Command and arguments, run in a confined checkout of the parent; {task} stands for the task's file. Empty: none."""
    network: bool = True
    """Whether it may use the network: most agents have to reach their model."""
    environment: tuple[str, ...] = ()
    """NAMES of environment variables that it gets, such as its key; all others are withheld."""
    visible: tuple[str, ...] = ()
    """Further files and folders that it may read, such as where it is installed; its home is empty."""
    seconds: float = Field(900.0, gt=0)
    """Time after which it is ended and what it changed so far is taken."""


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
    agent: AgentSettings = AgentSettings()
    measure: MeasureSettings = MeasureSettings()
    production: ProductionSettings = ProductionSettings()
    models: dict[Role, Model] = Field(default_factory=simulated_models)
    """One table a role (challenger, verifier, weak, strong, judge, analyzer, implementer); `default` fills the rest."""
    budget: BudgetLimits = BudgetLimits()
    provider: ProviderSettings = ProviderSettings()
    storage: StorageSettings = StorageSettings()
    simulation: SimulationSettings = SimulationSettings()
    executor: str = "local"
    """Where rollouts run: a module of evolve.executors, or a dotted path to one of yours."""
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
