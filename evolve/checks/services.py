"""What lies outside the folder: the settings, the variables with the keys, the endpoints, and the sandbox."""

import asyncio
from pathlib import Path

from evolve.checks import Finding, bad, ok, warn
from evolve.configuration.credentials import keys_of, needs
from evolve.configuration.sources import Environment
from evolve.report.figures import visible
from evolve.serving import in_words, refuse_missing
from evolve.settings import FILE, Settings
from harness.errors import ProviderError, SandboxError, UsageError
from harness.models.listing import Listing, harmless, nearest, served
from harness.sandbox.choose import choose, remedy
from harness.types import Model

SECONDS = 5.0


def keys(settings: Settings, environment: Environment) -> list[Finding]:
    """Every variable that should hold a key: set or not and where, never what it holds."""
    found = []
    for need in needs(settings.models, environment):
        models = {role: settings.models[role] for role in need.roles}
        users = f"for {', '.join(need.roles)}"
        try:
            keys_of(models, environment)
        except ProviderError as error:
            text = f"{need.variable} {'holds what is no key' if need.set else 'is not set'}, {users}"
            _, _, advice = str(error).partition("\n")
            found.append(
                bad("key", text, advice or f"correct {need.where}: no blanks, no letters outside of ASCII")
            )
        else:
            found.append(ok("key", f"{need.variable} is set ({need.where}), {users}"))
    return found


def local_models(settings: Settings, folder: Path) -> list[Finding]:
    """Whether the weights of local models are here, and what runs them; nothing is loaded."""
    if not (told := in_words(settings)):
        return []
    try:
        refuse_missing(settings, folder)
    except UsageError as error:
        problem, _, advice = str(error).partition("; ")
        return [bad("local model", problem, advice)]
    return [ok("local model", told)]


async def endpoints(settings: Settings, environment: Environment) -> list[Finding]:
    """Whether each endpoint can be reached and knows its models; costs nothing, no model is asked."""
    asked: dict[str, list[Model]] = {}
    for model in settings.models.values():
        if not model.simulated and not model.local:
            asked.setdefault(model.account, []).append(model)
    if not asked:
        return [ok("endpoints", f"none: {in_words(settings) or 'all models are simulated'}")]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                served(models[0], environment.get(models[0].key_variable or "").strip(), SECONDS)
            )
            for models in asked.values()
        ]
    pairs = zip(asked.values(), tasks, strict=True)
    return [endpoint(models, task.result()) for models, task in pairs]


def endpoint(models: list[Model], listing: Listing) -> Finding:
    """What came of asking one endpoint which models it has. models: those that are configured there."""
    where = harmless(models[0].base_url)
    where += f" with {models[0].key_variable}" if models[0].key_variable else ""
    if listing.problem:
        return bad("endpoint", f"{where}: {listing.problem}", listing.remedy)
    if listing.names is None:
        return ok("endpoint", f"{where} answers; it does not list its models")
    text = f"{where} answers in {1000 * listing.seconds:.0f} ms"
    unknown = sorted({one.name for one in models} - set(listing.names))
    if unknown:
        near = ", ".join(visible(one) for one in nearest(unknown[0], listing.names)) or "nothing"
        return warn(
            "endpoint",
            f"{text}, and does not list the model {unknown[0]!r}",
            f"it lists {near}; correct `name` in {FILE} unless `evolve models check` gets an answer",
        )
    return ok("endpoint", f"{text} and lists {', '.join(sorted({one.name for one in models}))}")


async def sandbox(settings: Settings) -> Finding:
    """The level that the self-test gives, and what failed where there is none."""
    written = not settings.models["implementer"].simulated
    if settings.sandbox == "external":
        text = "external, as the settings say: scaffolds can do here whatever you can"
        return warn("sandbox", text, f'only on a disposable machine; else set sandbox = "auto" in {FILE}')
    try:
        chosen = await choose("bubblewrap", foreign_code=True)
    except SandboxError as error:
        cause = str(error.__cause__ or error)
        text = f"no confinement: {cause}"
        if written or settings.sandbox == "bubblewrap":
            return bad("sandbox", text, remedy(cause))
        return warn("sandbox", f"{text}. Enough while models are simulated", remedy(cause))
    return ok("sandbox", f"{chosen.level}: a scaffold reaches no network, no file of yours and no process")
