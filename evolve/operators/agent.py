"""A child made by an external coding agent: any command, run in a confined checkout of the parent with the diagnosis as a
file. What it left there is taken as the edit. It is run once an iteration: its result is on disk before it has an effect.
"""

import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from evolve import case as texts
from evolve.analyzer import diagnose
from evolve.asking import Unusable
from evolve.case import Case
from evolve.disk import remedy, scratch
from evolve.implementer import Workshop
from evolve.iteration import Candidate, Diagnosis, Exchange, Proposal
from evolve.layout import Layout
from evolve.operators import Attempt
from evolve.operators.confining import confined
from evolve.operators.making import child_of, rejected, section, unanalysed
from evolve.operators.running import Confinement, Ran, run
from evolve.operators.taking import taken
from evolve.quoting import clean, line
from evolve.repository import Repository
from evolve.scope import FILE_BYTES, TOTAL_BYTES
from evolve.settings import Settings
from evolve.trace_folder import TraceFolder
from harness.errors import StorageError, UsageError
from harness.gateway import Models
from harness.prompting import fitted, load, render
from harness.types import Wire

FOLDER = "agents"
SHORTEST_SECRET = 8
SUMMARY = re.compile(r"^\W*SUMMARY:\W*(\S.*)$", re.MULTILINE)


class AgentRun(Wire):
    """What one run of the agent came to, as it is on disk. status: exit code, None if its time was up.

    parent: commit that it started from. files: all that it left; None if they cannot be a scaffold, `problem` says why.
    """

    parent: str
    command: tuple[str, ...]
    status: int | None
    seconds: float
    output: str
    files: dict[str, str] | None
    problem: str = ""


@dataclass(frozen=True)
class Agency:
    """An agent ready for use. work: folder of checkouts. records: where results are kept, see `FOLDER`.

    secrets: name -> value of the variables that it gets; a value never gets into a record or a candidate.
    """

    command: tuple[str, ...]
    seconds: float
    secrets: Mapping[str, str]
    confinement: Confinement
    repository: Repository
    work: Path
    records: TraceFolder


@asynccontextmanager
async def opened(
    settings: Settings, layout: Layout, repository: Repository, visible: Sequence[str] = ()
) -> AsyncIterator[Agency | None]:
    """The agent of the settings, tried out as far as that costs nothing; None if there is none.

    visible: files and folders that it may read besides programs and its checkout, relative to the run's folder.

    Raises:
        UsageError: its command or a variable is not there. SandboxError: no confinement works here.
        StorageError: its folder cannot be made.
    """
    wanted, folder = settings.agent, layout.folder
    if not wanted.command:
        if settings.search.operator == "agent":
            raise UsageError(
                "search.operator = 'agent' needs agent.command, which is empty; see docs/operators.md"
            )
        yield None
        return
    documents = () if settings.documents.path is None else (folder / settings.documents.path,)
    hidden, shown = (folder, *documents), tuple((folder / one).expanduser() for one in visible)
    confinement = await confined(wanted, settings.sandbox, folder, hidden, shown)
    place = layout.home / FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make {str(place)!r}: {error.strerror}. {remedy(error)}") from None
    records, secrets = TraceFolder(place), {name: os.environ[name] for name in wanted.environment}
    try:
        yield Agency(wanted.command, wanted.seconds, secrets, confinement, repository, layout.work, records)
    finally:
        records.close()


async def make(
    models: Models, workshop: Workshop, agency: Agency, case: Case, partner: Candidate | None = None
) -> Attempt:
    """Diagnosis, then the agent; one run, no repair.

    What it changed counts, however it ended. Without a change the outcome is `no_change` if it ended well, and
    `no_proposal` if it failed or was ended.

    Raises:
        UsageError, OurFault: the agent, its sandbox or the disk does not work; no candidate is charged.
        BudgetSpent: as models and workshop raise it.
    """
    diagnosis, exchanges = await diagnose(models, case)
    if diagnosis is None:
        return Attempt(None, unanalysed(exchanges), exchanges)
    task = task_text(case, diagnosis)
    done = await recorded(agency, case) or await _performed(agency, case, task)
    return Attempt(diagnosis, await _proposal(case, task, done, workshop), exchanges)


def name_of(iteration: int) -> str:
    """The file of an iteration's record within its folder."""
    return f"{iteration:06d}.json"


def told(home: Path, call: str) -> str | None:
    """What the agent said, by the `call` of its exchange; None if its record is not there or cannot be read.

    home: folder of the run. The journal knows nothing of these calls: they are no model calls.
    """
    try:
        return AgentRun.model_validate_json((home / call).read_bytes()).output
    except (OSError, ValidationError):
        return None


async def recorded(agency: Agency, case: Case) -> AgentRun | None:
    """The result of an earlier run for the same iteration and parent, if there is one.

    Raises:
        StorageError: it is there and cannot be read.
    """
    place = agency.records.folder / name_of(case.draw.iteration)

    def read() -> AgentRun | None:
        try:
            found = AgentRun.model_validate_json(place.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise StorageError(
                f"the agent's result {str(place)!r} cannot be read: {line(str(error), 300)}. Remove it to have the agent "
                "run again"
            ) from error
        return found if found.parent == case.parent.commit else None

    return await agency.records.door(read)


async def _performed(agency: Agency, case: Case, task: str) -> AgentRun:
    """Run it in a fresh checkout, keep what it left, and only then go on."""
    with scratch(agency.work, f"agent-{case.draw.iteration}-") as folder:
        checkout, shown = folder / "scaffold", folder / "task.md"
        await agency.repository.checkout(case.parent.commit, checkout)
        try:
            shown.write_text(task, "utf-8")
            (folder / "home").mkdir()
            ran = await run(agency.confinement, checkout, shown, agency.seconds)
            result = _result(agency, case, ran, checkout)
        except OSError as error:
            raise StorageError(
                f"the agent's folder {str(folder)!r} fails: {error}. {remedy(error)}"
            ) from error
    name = name_of(case.draw.iteration)
    await agency.records.door(lambda: agency.records.write(name, [result.model_dump_json()]))
    return result


def _result(agency: Agency, case: Case, ran: Ran, checkout: Path) -> AgentRun:
    files, problem = None, ""
    try:
        files = taken(checkout)
        _refuse_secrets(files, agency.secrets)
    except Unusable as unusable:
        files, problem = None, unusable.problem
    return AgentRun(
        parent=case.parent.commit,
        command=agency.command,
        status=ran.status,
        seconds=round(ran.seconds, 3),
        output=_without(clean(ran.output), agency.secrets),
        files=files,
        problem=problem,
    )


def _without(text: str, secrets: Mapping[str, str]) -> str:
    for name, value in secrets.items():
        text = text.replace(value, f"[{name}]") if len(value) >= SHORTEST_SECRET else text
    return text


def _refuse_secrets(files: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    for path, text in files.items():
        for name, value in secrets.items():
            if len(value) >= SHORTEST_SECRET and value in text:
                raise Unusable(f"out of scope: {path!r} holds the value of {name}", "out_of_scope")


async def _proposal(case: Case, task: str, done: AgentRun, workshop: Workshop) -> Proposal:
    """What the run comes to; from its record alone, so that a resumed iteration comes to the same."""
    summary = _summary(case, done)
    call = f"{FOLDER}/{name_of(case.draw.iteration)}"
    try:
        made = await child_of(case, _changed(case, done), summary, workshop)
    except Unusable as unusable:
        return rejected(unusable, (Exchange("implementer", call, task, done.output, unusable.problem),))
    return replace(made, exchanges=(Exchange("implementer", call, task, done.output),))


def _changed(case: Case, done: AgentRun) -> dict[str, str]:
    """The files that it left.

    Raises:
        Unusable: they cannot be a scaffold, or nothing changed.
    """
    if done.files is None:
        raise Unusable(done.problem, "out_of_scope")
    if done.files == dict(case.files) and done.status != 0:
        ended = "was ended when its time was up" if done.status is None else f"ended with {done.status}"
        words = line(done.output[-600:], 600) or "nothing"
        raise Unusable(f"the agent {ended} and changed nothing; it said last: {words}", "no_proposal")
    return done.files


def _summary(case: Case, done: AgentRun) -> str:
    """The agent's own sentence, the last of them; else the names of the files that it changed."""
    if said := SUMMARY.findall(done.output):
        return line(said[-1].strip(" *`_"), 300)
    files = done.files or {}
    changed = sorted(path for path in {*files, *case.files} if files.get(path) != case.files.get(path))
    return line(f"The agent changes {', '.join(changed) or 'nothing'}", 300)


def task_text(case: Case, diagnosis: Diagnosis) -> str:
    """The agent's task: what the implementer is told, without the files, which it finds in its folder."""
    return render(
        load("evolve", "agent.md"),
        boundary=case.boundary,
        judged=fitted(section("How an edit is judged"), rules=case.rules or texts.RULES),
        interface=fitted(section("The scaffold's interface")),
        scope=fitted(
            section("What you may change"), file_bytes=str(FILE_BYTES), total_bytes=str(TOTAL_BYTES)
        ),
        work=fitted(section("How to work")),
        scores=texts.scores_text(case),
        diagnosis=texts.diagnosis_text(case, diagnosis),
        refuted=texts.refuted_text(case),
        lessons=texts.lessons_text(case),
        history=texts.history_text(case),
    )
