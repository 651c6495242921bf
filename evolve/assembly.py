"""Putting a run's tools together and taking them apart: files, threads, clients, sandbox. Decides nothing."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np

from evolve import analyzer, implementer
from evolve.case import Case
from evolve.disk import reserved
from evolve.evaluation import Evaluator
from evolve.executors.local import LocalExecutor
from evolve.history import History
from evolve.implementer import Workshop
from evolve.layout import Layout
from evolve.lock import RunLock
from evolve.loop import Parts, Record
from evolve.opening import Opening, known_documents
from evolve.population import Candidate, Choice, Diagnosis, Evaluation, Population, Proposal
from evolve.repository import Repository, create
from evolve.selection import Select, Survival, Survives, rule
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
from harness.gate import in_words
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
from harness.types import Document, Draw


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
        executor = LocalExecutor(Place(gateway, sandbox, instrument, checker), live, mix)
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
            evaluator=Evaluator(repository, executor, instrument.hash, layout.work),
            mix=mix,
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
        f"world {VERSION}, seed {settings.simulation.seed}" if settings.simulated else "",
        kind,
        wanted.domain,
        {"weak": wanted.weak, "strong": wanted.strong},
        checks_of(wanted),
    )
    refuse_modes(instrument)
    return instrument


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


def rules_of(settings: Settings) -> tuple[Select, Survives]:
    """The rules that choose parents and keep children.

    Raises:
        UsageError: there is no such rule.
    """
    return function_of(settings.search.selection, "select"), function_of(settings.search.survival, "survives")


def function_of(name: str, wanted: str) -> Any:
    """The function of a rule's module, as `evolve/selection/__init__.py` describes it.

    Raises:
        UsageError: there is no such module, or it has no such function.
    """
    if not callable(found := getattr(rule(name), wanted, None)):
        raise UsageError(
            f"the rule {name!r} has no function {wanted!r}; see evolve/selection/ for how one looks"
        )
    return found


def assemble(tools: Tools, record: Record) -> Parts:
    """The parts of the loop, each with its settings filled in."""
    search, documents = tools.settings.search, tools.settings.documents
    choose_parent, survival = rules_of(tools.settings)
    training = tools.splits.training
    size = min(documents.minibatch, len(training))

    def select(population: Population, rng: np.random.Generator) -> Choice:
        return choose_parent(population, search.temperature, rng)

    def survives(parent: Evaluation, child: Evaluation) -> Survival:
        return survival(parent, child, search.missing_bound)

    def minibatch(rng: np.random.Generator) -> tuple[Document, ...]:
        return tuple(training[int(one)] for one in rng.choice(len(training), size, replace=False))

    async def case(parent: Candidate, measured: Evaluation, seen: Population, draw: Draw) -> Case:
        files = await tools.repository.files(parent.commit)
        return Case(parent, files, measured, seen, draw, in_words(tools.instrument.gate))

    async def implement(case: Case, diagnosis: Diagnosis) -> Proposal:
        bench = bench_of(tools, case.seen)
        return await implementer.implement(tools.gateway, case, diagnosis, Workshop(bench.build, bench.smoke))

    return Parts(
        select=select,
        minibatch=minibatch,
        validation=tools.splits.validation,
        evaluate=tools.evaluator,
        case=case,
        diagnose=partial(analyzer.diagnose, tools.gateway),
        implement=implement,
        survives=survives,
        record=record,
    )


def bench_of(tools: Tools, seen: Population) -> Bench:
    """A bench that knows the trees of the candidates seen so far."""
    return Bench(tools.repository, tools.sandbox, tools.layout.work, seen.trees)


def empty(folder: Path) -> None:
    """Remove what a killed process left in the folder of checkouts."""
    for path in folder.iterdir():
        rmtree(path, ignore_errors=True)
