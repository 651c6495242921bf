"""Local models of a run: their servers live for as long as the run does, and it alone knows at which addresses.

What is recorded, hashed and shown is the settings as they were given, without those addresses.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from evolve.settings import Settings
from harness.errors import UsageError
from harness.models.local.supervisor import Care, Service, served
from harness.models.local.weights import find
from harness.types import ROLES, Model, Role

RUNTIME = "xllamacpp"
ROOM = 3584  # tokens of a prompt


def refuse_missing(settings: Settings, folder: Path) -> None:
    """What local models need has to be here before anything begins.

    folder: where relative paths begin.

    Raises:
        UsageError: weights are missing, or what runs them; says how to get it.
    """
    wanted = [model.local for model in settings.models.values() if model.local]
    for one in wanted:
        find(one, folder)
    if wanted and find_spec(RUNTIME) is None:
        raise UsageError(
            f"a local model needs the package {RUNTIME}, which is not installed; `pip install 'evolve-scaffold[local]'`, or "
            "in a checkout `pip install '.[local]'`, gets it"
        )


@asynccontextmanager
async def serving(
    settings: Settings,
    folder: Path,
    say: Callable[[str], object] = lambda _: None,
    care: Care = Care(),  # noqa: B008  # frozen
) -> AsyncIterator[Settings]:
    """The settings with the addresses of local models, each served for as long as the block lasts; say: told of crashes.

    Raises:
        UsageError: weights are missing. ProviderError: a server does not start, or crashes too often.
    """
    addresses: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        for wanted, models in local_models(settings).items():
            slots = max(one.slots for one in models)
            context = ROOM + max(one.sampling.max_tokens for one in models)
            service = Service(find(wanted, folder), slots, context)
            addresses[wanted] = await stack.enter_async_context(served(service, say, care))
        found = {role: addressed(model, addresses) for role, model in settings.models.items()}
        yield settings.model_copy(update={"models": found})


def addressed(model: Model, addresses: dict[str, str]) -> Model:
    """The model at the address where it is served; any other as it is."""
    return model.model_copy(update={"base_url": addresses[model.local]}) if model.local else model


def local_models(settings: Settings) -> dict[str, list[Model]]:
    """Weights as they are named in the settings -> the models that are these."""
    found: dict[str, list[Model]] = {}
    for model in settings.models.values():
        if model.local:
            found.setdefault(model.local, []).append(model)
    return found


def in_words(settings: Settings) -> str:
    """Which local model answers for which roles, and which roles are simulated beside it; empty if none is local."""
    roles: dict[str, list[Role]] = {}
    for role in ROLES:
        if (model := settings.models[role]).local:
            roles.setdefault(model.name, []).append(role)
    parts = [f"local {name} for {', '.join(some)}" for name, some in roles.items()]
    if parts and settings.simulated:
        parts.append(f"simulated: {', '.join(settings.simulated)}")
    return "; ".join(parts)
