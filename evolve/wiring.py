"""The parts of the loop, filled in with a run's tools and settings. Decides nothing."""

from functools import partial

import numpy as np

from evolve.assembly import Tools, bench_of
from evolve.assigning import Policy, maker, task_of
from evolve.case import Case
from evolve.implementer import Workshop
from evolve.iteration import Evaluation
from evolve.loop import Parts, Record, Task
from evolve.operators import Attempt, agent, edit, merge, unguided
from evolve.population import Population
from evolve.race import Track
from evolve.rules import pressure_of, rules_of
from harness.gate import in_words
from harness.types import Document, Draw


def assemble(tools: Tools, record: Record) -> Parts:
    """The parts of the loop, each with its settings filled in."""
    search, training = tools.settings.search, tools.splits.training
    size = min(tools.settings.documents.minibatch, len(training))

    def minibatch(rng: np.random.Generator) -> tuple[Document, ...]:
        return tuple(training[int(one)] for one in rng.choice(len(training), size, replace=False))

    async def case(task: Task, measured: Evaluation, seen: Population, draw: Draw) -> Case:
        parent = task.choice.parent
        files = await tools.repository.files(parent.commit)
        return Case(parent, files, measured, seen.arms[task.arm], draw, in_words(tools.instrument.gate))

    return Parts(
        task=partial(task_of, policy_of(tools)),
        minibatch=minibatch,
        case=case,
        make=maker(partial(way_of, tools)),
        track=track_of(tools),
        record=record,
        rerun=search.rerun,
        screen=search.screen,
    )


def track_of(tools: Tools) -> Track:
    """Where candidates are measured on validation documents."""
    validation = tools.splits.validation
    _, rule = rules_of(tools.settings, len(validation))
    return Track(rule, validation, tools.evaluator)


def policy_of(tools: Tools) -> Policy:
    """How tasks are given out."""
    search = tools.settings.search
    select, _ = rules_of(tools.settings, len(tools.splits.validation))
    return Policy(
        select=select,
        pressure=pressure_of(tools.settings),
        control=search.control,
        operator=search.operator,
        agent=tools.agency is not None,
        arm=search.arm,
    )


async def way_of(tools: Tools, task: Task, case: Case) -> Attempt:
    """Make the child of a task in its way.

    Raises:
        OurFault, BudgetSpent: as models, workshop and agent raise them.
    """
    bench = bench_of(tools, case.seen)
    workshop = Workshop(bench.build, bench.smoke, tools.settings.search.same_edit)
    if task.arm == "best_of":
        return await unguided.best_of(tools.gateway, workshop, case)
    if task.operator == "random":
        return await unguided.make(tools.gateway, workshop, case)
    if task.operator == "merge" and task.partner is not None:
        return await merge.make(tools.gateway, workshop, tools.repository, case, task.partner)
    if task.operator == "agent" and tools.agency is not None:
        return await agent.make(tools.gateway, workshop, tools.agency, case)
    return await edit.make(tools.gateway, workshop, case)
