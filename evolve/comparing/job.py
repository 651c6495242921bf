"""What a comparison needs before it begins: settings, documents, scaffolds, and what identifies it. Asks no model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evolve.again import reopen
from evolve.assembly import instrument_of
from evolve.comparing import arms as entrants
from evolve.comparing.arms import Entrant
from evolve.comparing.stored import Facts
from evolve.comparing.values import Arm, Unit
from evolve.configuration.credentials import keys_of
from evolve.configuration.sources import read_environment
from evolve.iteration import Candidate
from evolve.layout import Layout
from evolve.opening import Opening, Options, wanted_settings
from evolve.seal import unsealed
from evolve.settings import Settings
from harness.budget import BudgetLimits
from harness.documents import Collection, load_async
from harness.domains import domain
from harness.errors import UsageError
from harness.instrument import MEASURING
from harness.types import Document

UNUSED_SPLITS = ("training", "validation")


@dataclass(frozen=True)
class Job:
    """What to compare. layout: folder and database, and the run whose candidates are meant.

    plain: of `cot` and `agentic`. documents: a folder or file; None: those of the settings. unit: in which the best-of-k
    arms are given the spend of the others. overrides: dotted setting -> value. new: also if there is such a comparison.
    """

    layout: Layout
    plain: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    documents: Path | None
    wanted: int
    unit: Unit | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    budget: BudgetLimits = field(default_factory=BudgetLimits)
    new: bool = False


@dataclass(frozen=True)
class Ready:
    """A job with all that it needs to begin. notices: of settings and documents."""

    job: Job
    opening: Opening
    entrants: tuple[Entrant, ...]
    documents: tuple[Document, ...]
    facts: Facts
    notices: tuple[str, ...]

    @property
    def settings(self) -> Settings:
        return self.opening.settings


async def prepared(job: Job, scratch: Path) -> Ready:
    """Settings, documents and scaffolds.

    Raises:
        UsageError: one of them cannot be used.
    """
    opening = opening_of(job)
    settings = opening.settings
    kind = domain(settings.measure.domain)
    refuse_other_domain(job, opening)
    path = job.documents or settings.documents.path
    collection = await load_async(None if path is None else job.layout.folder / path)
    documents, notices = chosen(job, opening, collection)
    found = [
        entrants.plain(name, job.layout.folder, (settings.measure.domain, kind), scratch)
        for name in job.plain
    ]
    found += await entrants.recorded(job.candidates, job.layout, scratch)
    instrument = instrument_of(settings, production=True)
    facts = Facts(
        domain=instrument.domain.name,
        preset=instrument.preset,
        instrument=instrument.hash,
        seed=settings.search.seed,
        source=str(path) if path is not None else collection.source,
        documents=tuple(one.id for one in documents),
        spend_unit=unit_of(job, settings, [one.arm for one in found]),
        simulated=settings.simulated,
        measured_by_simulation=instrument.simulated,
        arms=tuple(one.arm for one in found),
    )
    return Ready(
        job, opening, tuple(found), documents, facts, (*opening.notices, *notices, *collection.notices)
    )


def opening_of(job: Job) -> Opening:
    """The settings that hold: of a comparison with candidates over those of their run, else over the defaults.

    Raises:
        UsageError, ProviderError: something there cannot be used.
    """
    options = Options(job.layout.folder, job.layout.database, overrides=job.overrides)
    if job.candidates:
        opening = reopen(options, job.layout.run)
    else:
        environment = read_environment(options.folder, options.environment)
        wanted, source = wanted_settings(options, None, environment)
        asked = {role: wanted.settings.models[role] for role in MEASURING}
        keys = keys_of(asked, environment)
        opening = Opening(job.layout, wanted.settings, None, (source, *wanted.notices), wanted.origins, keys)
    settings = opening.settings.model_copy(update={"budget": job.budget})
    return replace(opening, settings=settings)


def refuse_other_domain(job: Job, opening: Opening) -> None:
    """A scaffold of one domain makes no tasks of another.

    Raises:
        UsageError: the candidates' run was of another domain.
    """
    now, began = opening.settings.measure.domain, opening.recorded
    if began is not None and began.settings.measure.domain != now:
        raise UsageError(
            f"the candidates of run {job.layout.run!r} make tasks of domain {began.settings.measure.domain!r}, not {now!r}; "
            "leave out --domain, or name a run of that domain with --run"
        )


def chosen(
    job: Job, opening: Opening, collection: Collection
) -> tuple[tuple[Document, ...], tuple[str, ...]]:
    """So many documents, in the order of the hashes that are their ids, and what to tell about the choice.

    Documents that a candidate was bred on or selected by are left out: on them it looks better than it is. So are those
    that its run is tested on: they are sealed.

    Raises:
        UsageError: none is left.
    """
    known = opening.recorded.documents if opening.recorded is not None else {}
    bred = {one for one, (split, _) in known.items() if split in UNUSED_SPLITS}
    fresh = [one for one in collection.documents if one.id not in bred]
    free = sorted(unsealed(fresh, known), key=lambda one: one.id)
    left_out, sealed = len(collection.documents) - len(fresh), len(fresh) - len(free)
    if not free:
        raise UsageError(
            f"all {left_out + sealed} documents in {collection.source} are of run {job.layout.run!r}: on its training and "
            "validation documents its candidates look better than they are, and only `evolve test` opens its test "
            "documents; give others with --docs"
        )
    notices = []
    if left_out:
        notices.append(f"{left_out} training and validation documents of {job.layout.run} are left out")
    if sealed:
        notices.append(f"{sealed} test documents of {job.layout.run} are left out: they are sealed")
    if len(free) < job.wanted:
        notices.append(
            f"{len(free)} documents instead of the {job.wanted} asked for: intervals will be wider"
        )
    return tuple(free[: job.wanted]), tuple(notices)


def unit_of(job: Job, settings: Settings, arms: list[Arm]) -> Unit:
    """In which unit spend is matched: as wanted, else money where every price is known, else calls."""
    if not {"cot"} < {one.name for one in arms}:
        return "none"
    models = [settings.models[role] for role in MEASURING]
    paid = all(one.priced for one in models) and any(one.input_price or one.output_price for one in models)
    return job.unit or ("money" if paid else "calls")
