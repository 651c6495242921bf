"""One tiny question to the model of every role, through the client of a real run: does it answer, how, at what price.

Not part of any run: nothing is recorded, no budget is asked. What it cost stands in the result.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from evolve.assembly import endpoints
from evolve.configuration.credentials import keys_of
from evolve.configuration.sources import Environment
from evolve.serving import refuse_missing, serving
from evolve.settings import Settings
from harness.calls import dollars
from harness.errors import ProviderError
from harness.models.listing import harmless, nearest, remedy, served, without_key
from harness.models.openai import Completion, Question, Transient, Usage
from harness.parsing import Malformed, parse
from harness.prompting import load
from harness.types import ROLES, Message, Model, Role

MOST_TOKENS = 512
SEED = 42
LISTING_SECONDS = 5.0
NO_SUCH_MODEL = (
    "not found",
    "not exist",
    "unknown model",
    "no such model",
    "not a valid model",
    "invalid model",
)


class Sum(BaseModel):
    """The form of the answer."""

    model_config = ConfigDict(extra="forbid")

    sum: int


@dataclass(frozen=True)
class Checked:
    """What came of asking the model of one role.

    same_as: the role that was asked in its place, having the same endpoint, key, model and sampling. seconds: latency.
    usage: tokens as reported, None if there was no usage block. form: how the server was asked for JSON; understood:
    whether JSON of that form came. cost: US dollars of this call, 0 where it was made for another role. priced:
    whether the settings name a price. reported: the model's name as the server says it. notes: what works otherwise
    than one may expect. problem and remedy: empty if it answered.
    """

    role: Role
    model: str
    endpoint: str
    key_variable: str | None
    simulated: bool
    same_as: Role | None = None
    seconds: float | None = None
    usage: Usage | None = None
    form: str = ""
    understood: bool = False
    cost: float = 0.0
    priced: bool = False
    reported: str = ""
    notes: tuple[str, ...] = ()
    problem: str = ""
    remedy: str = ""


async def check(
    settings: Settings,
    environment: Environment,
    roles: Sequence[Role],
    deadline: float,
    folder: Path = Path(),
) -> list[Checked]:
    """Ask every distinct model of the roles once, all at the same time; a row for each role, in their usual order.

    environment: where the keys are. deadline: seconds an answer may take, unless the role's own deadline is shorter.
    folder: where relative paths of local models begin; those models are served meanwhile.

    Raises:
        UsageError: what a local model needs is not here. ProviderError: it does not start.
    """
    wanted = [role for role in ROLES if role in roles] if roles else list(ROLES)
    asked = settings.model_copy(update={"models": {role: settings.models[role] for role in wanted}})
    refuse_missing(asked, folder)
    async with serving(asked, folder) as running:
        return await check_running(running, environment, wanted, deadline)


async def check_running(
    settings: Settings, environment: Environment, wanted: Sequence[Role], deadline: float
) -> list[Checked]:
    """`check` of these roles, now that every model has an address."""
    groups: dict[tuple[str, ...], list[Role]] = {}
    for role in wanted:
        groups.setdefault(identity(settings.models[role]), []).append(role)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(ask(settings, environment, shared[0], deadline)) for shared in groups.values()
        ]
    rows: dict[Role, Checked] = {}
    for shared, task in zip(groups.values(), tasks, strict=True):
        first = task.result()
        rows |= {role: replace(first, role=role, same_as=first.role, cost=0.0) for role in shared[1:]}
        rows[first.role] = first
    return [rows[role] for role in wanted]


def identity(model: Model) -> tuple[str, ...]:
    """What two roles must have in common for one question to tell about both."""
    sampling = model.sampling.model_dump_json(exclude={"max_tokens"})
    return model.account, model.name, sampling, model.structured


async def ask(settings: Settings, environment: Environment, role: Role, deadline: float) -> Checked:
    """Ask the model of one role; what goes wrong is in the result."""
    model = settings.models[role]
    checked = Checked(
        role=role,
        model=model.name,
        endpoint=f"local model {model.local}" if model.local else harmless(model.base_url),
        key_variable=model.key_variable,
        simulated=model.simulated,
        priced=priced(model),
    )
    alone = settings.model_copy(update={"models": {role: model}})
    try:
        endpoint = endpoints(alone, keys_of(alone.models, environment))[model.account]
    except ProviderError as error:
        problem, _, advice = str(error).partition("\n")
        return replace(checked, problem=problem, remedy=advice or "correct the variable")
    patient = model.model_copy(update={"deadline": min(deadline, model.deadline)})
    try:
        completion = await endpoint.complete(patient, question(model))
    except (Transient, ProviderError) as error:
        return await failed(checked, model, error, environment)
    finally:
        await endpoint.close()
    return answered(checked, model, completion)


def question(model: Model) -> Question:
    """The question, with as much room as a model needs that thinks a little first."""
    text = load("evolve", "check.md")
    room = min(MOST_TOKENS, model.sampling.max_tokens)
    return Question((Message(role="user", content=text),), SEED, room, Sum)


def answered(checked: Checked, model: Model, completion: Completion) -> Checked:
    """A completion, read: what it used, what it cost, and whether it is what was asked for."""
    if completion.finish_reason.startswith("refused"):
        reason = completion.finish_reason.removeprefix("refused: ")
        return replace(
            checked, problem=f"it refuses the question: {reason}", remedy=remedy("HTTP 400", model)
        )
    usage = completion.usage
    cost = dollars(model, usage.prompt, usage.completion) if usage else 0.0
    understood = fits(completion)
    return replace(
        checked,
        seconds=completion.seconds,
        usage=usage,
        form=completion.form,
        understood=understood,
        cost=cost,
        reported=completion.model,
        notes=tuple(notes(model, completion, understood)),
    )


def priced(model: Model) -> bool:
    """Whether the settings say what its tokens cost; zero is a price."""
    return model.input_price is not None and model.output_price is not None


def fits(completion: Completion) -> bool:
    """Whether the answer ended by itself and is JSON of the form that was asked for."""
    try:
        parse(completion.text, Sum)
    except Malformed:
        return False
    return completion.finish_reason == "stop"


def notes(model: Model, completion: Completion, understood: bool) -> list[str]:
    """What a run can live with, and its user should know."""
    found = []
    if completion.usage is None:
        found.append("no usage block: tokens will be estimated, so budget and cost are approximate")
    if completion.model and completion.model != model.name:
        found.append(f"reports itself as {completion.model!r}")
    if model.simulated:
        return found
    if completion.finish_reason == "length":
        room = question(model).max_tokens
        found.append(
            f"cut off after {room} tokens, as a model is that thinks first; a run gives it more room"
        )
    elif not understood:
        said = " ".join(completion.text.split())[:60]
        found.append(f"answers, but not with the JSON that was asked for: {said!r}")
    if not priced(model):
        found.append("no price in the settings: its cost counts as $0, a budget in dollars does not hold it")
    return found


async def failed(
    checked: Checked, model: Model, problem: Transient | ProviderError, environment: Environment
) -> Checked:
    """A problem with its remedy; where the model's name is the problem, with the names that the server knows."""
    key = environment.get(model.key_variable).strip() if model.key_variable else ""
    text = without_key(str(problem), key).replace(model.base_url, harmless(model.base_url))
    text = re.sub(r"Error code: \d+ - ", "", text)
    text = "no connection in time" if text.strip() == "APITimeoutError:" else text
    text = text.removesuffix(" Correct the model's settings or key, then run the same command again.")
    for_good = isinstance(problem, ProviderError) and "HTTP 429" in text  # then it is no mere rate limit
    advice = remedy("insufficient_quota" if for_good else text, model)
    missing = "HTTP 404" in text or any(words in text.lower() for words in NO_SUCH_MODEL)
    if missing and not model.simulated:
        listing = await served(model, key, LISTING_SECONDS)
        if listing.names:
            advice = f"correct `name`: the server has {', '.join(nearest(model.name, listing.names))}"
        elif listing.remedy:
            advice = listing.remedy
    return replace(checked, problem=text, remedy=advice)


def total(rows: Sequence[Checked]) -> tuple[int, float]:
    """How many calls were answered, and what they cost in US dollars."""
    asked = [one for one in rows if one.same_as is None and not one.problem]
    return len(asked), sum(one.cost for one in asked)


def by_endpoint(rows: Sequence[Checked]) -> Mapping[tuple[str, str | None], list[Checked]]:
    """The rows under the endpoint and the key variable that they were asked with."""
    found: dict[tuple[str, str | None], list[Checked]] = {}
    for one in rows:
        found.setdefault((one.endpoint, one.key_variable), []).append(one)
    return found
