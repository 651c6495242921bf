"""Keys of endpoints: looked up in the environment and .env, by the names that the settings give. Never stored or shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evolve.configuration.sources import Environment, display
from harness.errors import ProviderError
from harness.types import Model, Role


@dataclass(frozen=True)
class Need:
    """One key variable: who needs it, for which servers, whether it is set, and where."""

    variable: str
    roles: tuple[Role, ...]
    servers: tuple[str, ...]
    set: bool
    where: str


def needs(models: Mapping[Role, Model], environment: Environment) -> list[Need]:
    """The key variables that the models name, in the order of the roles."""
    named = {role: one for role, one in models.items() if one.key_variable and not one.simulated}
    found = []
    for variable in unique(one.key_variable for one in named.values() if one.key_variable):
        asking = {role: one for role, one in named.items() if one.key_variable == variable}
        there = bool(environment.get(variable).strip())
        origin = environment.origin(variable)
        where = (origin.where if origin.kind == ".env" else "the environment") if there else ""
        servers = unique(one.base_url for one in asking.values())
        found.append(Need(variable, tuple(asking), servers, there, where))
    return found


def unique(words: Iterable[str]) -> tuple[str, ...]:
    """Each word once, in order."""
    return tuple(dict.fromkeys(words))


def keys_of(models: Mapping[Role, Model], environment: Environment) -> dict[str, str]:
    """The key behind each variable that the models name.

    Raises:
        ProviderError: some are not set, or hold what no key can be; names the roles, the variables and the remedy.
    """
    wanted = needs(models, environment)
    if missing := [one for one in wanted if not one.set]:
        count = "a key is" if len(missing) == 1 else f"{len(missing)} keys are"
        raise ProviderError(f"{count} not set: {lines(missing)}\n{remedy(missing, environment)}")
    keys = {one.variable: environment.get(one.variable).strip() for one in wanted}
    if odd := [one for one in wanted if not keys[one.variable].isascii() or " " in keys[one.variable]]:
        raise ProviderError(
            f"what is set ({odd[0].where}) is no key, since it holds blanks or letters outside of ASCII: {lines(odd)}"
        )
    return keys


def lines(some: list[Need]) -> str:
    """Each variable with its roles and servers; on a line of its own if there are several."""
    texts = [f"{one.variable}, of {', '.join(one.roles)} at {' and '.join(one.servers)}" for one in some]
    return texts[0] if len(texts) == 1 else "\n  " + "\n  ".join(texts)


def remedy(missing: list[Need], environment: Environment) -> str:
    """What to do about variables that are not set."""
    first = missing[0].variable
    return (
        f"Set {'it' if len(missing) == 1 else 'them'} in the environment (export {first}=...) or in "
        f"{display(environment.path)} ({first}=...), or name another variable with key_variable, then run the same "
        "command again."
    )
