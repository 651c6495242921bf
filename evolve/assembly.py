"""Putting a run's tools together and taking them apart: files, threads, clients, sandbox. Decides nothing."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from shutil import rmtree

from evolve.disk import reserved
from evolve.evaluation import Evaluator
from evolve.executors import Executor
from evolve.executors.local import LocalExecutor
from evolve.history import History
from evolve.layout import Layout
from evolve.lock import RunLock
from evolve.opening import Opening, known_documents
from evolve.operators import agent
from evolve.operators.agent import Agency
from evolve.population import Population
from evolve.repository import Repository, create
from evolve.selection import found, named_function
from evolve.serving import refuse_missing, serving
from evolve.settings import MeasureSettings, Settings
from evolve.trace_folder import TraceFolder
from evolve.workshop import Bench
from harness.advice import Mix
from harness.answers import Checker
from harness.budget import Budget
from harness.circuit import Patience
from harness.documents import Splits, divide, load_async
from harness.domains import Domain, domain
from harness.errors import StorageError, UsageError
from harness.gateway import Gateway, Terms
from harness.instrument import Instrument
from harness.journal import Journal
from harness.mode_check import refuse_modes
from harness.models.openai import Endpoint
from harness.models.simulated import VERSION, Faults, SimulatedTransport
from harness.rollout import Place
from harness.sandbox import Sandbox
from harness.sandbox.choose import choose
from harness.trajectory import CHECKS, Allowance, Check


@dataclass(frozen=True)
class Tools:
    """Everything of a run that has to be opened and closed."""

    layout: Layout
    settings: Settings
    splits: Splits
    instrument: Instrument
    history: History
    repository: Repository
    journal: Journal
    gateway: Gateway
    sandbox: Sandbox
    traces: TraceFolder
    evaluator: Evaluator
    mix: Mix
    agency: Agency | None = None


@asynccontextmanager
async def open_tools(opening: Opening, splits: Splits) -> AsyncIterator[Tools]:
    """Open a run's files, threads and clients under its lock, and close them in the reverse order.

    Calls in flight at the end are awaited for a while and recorded, whatever ended the run.

    Raises:
        UsageError: what a local model needs is not here; nothing was opened.
        StorageError, SandboxError, ProviderError: something does not open; what was opened is closed again.
    """
    layout, settings = opening.layout, opening.settings
    refuse_missing(settings, layout.folder)
    async with AsyncExitStack() as stack:
        layout.make()
        stack.enter_context(RunLock(layout.lock))
        stack.enter_context(reserved(layout.home))
        sandbox = await choose(settings.sandbox, foreign_code=not settings.models["implementer"].simulated)
        history = await History.open(layout.database)
        stack.push_async_callback(history.close)
        if opening.recorded is not None and not layout.candidates.exists():
            raise StorageError(
                f"{str(layout.candidates)!r} is missing; put the run's folder back, or use --new"
            )
        create(layout.candidates)
        repository = Repository(layout.candidates)
        stack.callback(repository.close)
        traces = TraceFolder(layout.traces)
        stack.callback(traces.close)
        calling = open_calling(settings, opening.keys, layout.calls, layout.folder)
        journal, gateway, checker = await stack.enter_async_context(calling)
        empty(layout.work)
        instrument = instrument_of(settings)
        live = 2 * max(model.slots for model in settings.models.values())
        mix = Mix()
        place = Place(gateway, sandbox, instrument, checker)
        executor = executor_of(settings, place, live, mix)
        yield Tools(
            layout=layout,
            settings=settings,
            splits=splits,
            instrument=instrument,
            history=history,
            repository=repository,
            journal=journal,
            gateway=gateway,
            sandbox=sandbox,
            traces=traces,
            evaluator=Evaluator(
                repository, executor, instrument.hash, layout.work, frozenset(one.id for one in splits.test)
            ),
            mix=mix,
            agency=await stack.enter_async_context(
                agent.opened(settings, layout, repository, settings.agent.visible)
            ),
        )


@asynccontextmanager
async def open_calling(
    settings: Settings, keys: Mapping[str, str], calls: Path, folder: Path
) -> AsyncIterator[tuple[Journal, Gateway, Checker]]:
    """What measuring asks: the journal of the file `calls`, which counts as spent, the gateway in front of it with the
    local models that it needs, and the checker of answers. folder: where relative paths of local models begin.

    Raises:
        StorageError, ProviderError: something does not open; what was opened is closed again.
    """
    async with AsyncExitStack() as stack:
        journal = Journal(calls)
        stack.callback(journal.close)
        budget = Budget(settings.budget, {one.role: one.spent for one in await journal.totals()})
        told: list[str] = []
        running = await stack.enter_async_context(serving(settings, folder, told.append))
        gateway = Gateway(running.models, endpoints(running, keys), journal, budget, terms_of(settings))
        gateway.told = told
        stack.push_async_callback(gateway.close)
        checker = Checker()
        stack.push_async_callback(checker.close)
        yield journal, gateway, checker


def executor_of(settings: Settings, place: Place, live: int, mix: Mix) -> Executor:
    """Where rollouts run, by the settings.

    Raises:
        UsageError: there is no such executor.
    """
    if settings.executor == "local":
        return LocalExecutor(place, live, mix)
    module = found(settings.executor, "evolve.executors", "executor")
    create: Callable[[Settings, Instrument], Executor] = named_function(module, "create", settings.executor)
    return create(settings, place.instrument)


def endpoints(settings: Settings, keys: Mapping[str, str] | None = None) -> dict[str, Endpoint]:
    """One client for every account; simulated models answer inside the process, behind the same client.

    keys: the key behind each variable that a model names, see configuration/credentials.py; None: the environment's.
    """
    found: dict[str, Endpoint] = {}
    for model in settings.models.values():
        if model.account in found:
            continue
        if not model.simulated:
            found[model.account] = Endpoint(model, keys=keys)
            continue
        world = settings.simulation
        found[model.account] = Endpoint(
            model, SimulatedTransport(world.seed, world.latency, faults(world.faults))
        )
    return found


def terms_of(settings: Settings) -> Terms:
    """What the gateway of a run holds itself to."""
    provider = settings.provider
    return Terms(settings.search.seed, Patience(provider.patience, provider.retries), provider.model_change)


def faults(share: float) -> Faults:
    """A share of failing attempts, spread evenly over the ways in which endpoints fail."""
    each = share / 6
    return Faults(limited=each, broken=each, html=each, truncated=each, no_choices=each, reset=each)


def instrument_of(settings: Settings, *, production: bool = False) -> Instrument:
    """The measuring instrument that the settings describe; of production, what is accepted as an example.

    Raises:
        UsageError: there is no such domain, or the domain has no such preset, prompt or mode of a solver.
    """
    wanted = settings.measure
    kind = domain(wanted.domain)
    search = preset_of(kind, "measure.preset", wanted.preset or kind.preset)
    made = preset_of(kind, "production.preset", settings.production.preset or kind.production)
    instrument = Instrument(
        made if production else search,
        Allowance(**(kind.allowance.model_dump() | wanted.allowance.model_dump(exclude_none=True))),
        settings.models,
        world_of(settings),
        kind,
        wanted.domain,
        {"weak": wanted.weak, "strong": wanted.strong},
        checks_of(wanted),
    )
    refuse_modes(instrument)
    return instrument


def world_of(settings: Settings) -> str:
    """What simulates scores, "" if nothing does: the models' world, and an executor that draws them without any model."""
    parts = [f"world {VERSION}, seed {settings.simulation.seed}"] if settings.simulated else []
    return ", ".join([*parts, f"executor {settings.executor}"] if settings.executor != "local" else parts)


def preset_of(kind: Domain, setting: str, name: str) -> str:
    """The name, if the domain has such a preset.

    Raises:
        UsageError: it has none.
    """
    if name in kind.presets:
        return name
    near = get_close_matches(name, kind.presets, 1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise UsageError(
        f"{setting} = {name!r}: must be {', '.join(kind.presets)} in domain {kind.name!r}{meant}"
    )


def checks_of(wanted: MeasureSettings) -> dict[Check, bool]:
    """The checks of a task that are switched on or off against the preset."""
    switched = {check: getattr(wanted.checks, check) for check in CHECKS}
    return {check: on for check, on in switched.items() if on is not None}


async def gather_documents(opening: Opening) -> Splits:
    """The documents of a run by split; a resumed run keeps those it began with.

    Raises:
        UsageError: there are too few, or some of a resumed run are gone.
    """
    wanted = opening.settings.documents
    collection = await load_async(None if wanted.path is None else opening.layout.folder / wanted.path)
    if opening.recorded is not None:
        collection = known_documents(collection, opening.recorded)
    splits = divide(collection, wanted.validation, wanted.test)
    return Splits(splits.training, splits.validation, splits.test, collection.notices + splits.notices)


def bench_of(tools: Tools, seen: Population) -> Bench:
    """A bench that knows the trees of the candidates seen so far."""
    return Bench(tools.repository, tools.sandbox, tools.layout.work, seen.trees)


def empty(folder: Path) -> None:
    """Remove what a killed process left in the folder of checkouts."""
    for path in folder.iterdir():
        rmtree(path, ignore_errors=True)
