"""Models as they were given, `[models.default]` and one table a role -> the model of every role. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from evolve.configuration.checking import DEFAULT, url_problem
from evolve.configuration.fields import leaves
from evolve.configuration.sources import BY_DEFAULT, Environment, Origin, Setting
from harness.models.local.weights import name_of
from harness.types import ROLES, Model, Role, Sampling

SIMULATED_URL = "http://simulated.invalid/v1"
LOCAL_URL = "http://local.invalid/v1"  # stands for the address that a local model's server has while it runs
OPENAI = "https://api.openai.com/v1"
OPENAI_HOST = "api.openai.com"
ADDRESS = "OPENAI_BASE_URL"
KEY = "OPENAI_API_KEY"
LEVELS = ("default", "run", "file", ".env", "environment", "flags")

Keys = Mapping[str, Setting]


@dataclass(frozen=True)
class Filled:
    """The settings of every role by dotted name, what is wrong with them, and what the user may not expect."""

    settings: Mapping[str, Setting]
    problems: tuple[str, ...]
    notices: tuple[str, ...]


def simulated_models() -> dict[Role, Model]:
    """The offline model of every role. Their prices are notional, so that budgets can be tried."""
    prices: dict[Role, tuple[float, float]] = {"weak": (0.1, 0.4), "strong": (1.0, 4.0), "judge": (0.3, 1.2)}
    return {
        role: Model(
            name=f"simulated-{role}",
            base_url=SIMULATED_URL,
            input_price=prices.get(role, (0.5, 2.0))[0],
            output_price=prices.get(role, (0.5, 2.0))[1],
            sampling=Sampling(max_tokens=16_384 if role in ("analyzer", "implementer") else 4096),
            slots=16,
            simulated=True,
        )
        for role in ROLES
    }


def local_model(wanted: str) -> Model:
    """The model of a GGUF file or of a known name, served here for as long as a run lasts; it costs nothing."""
    return Model(
        name=name_of(wanted),
        base_url=LOCAL_URL,
        sampling=Sampling(temperature=0.2, top_p=0.9, max_tokens=512),
        input_price=0.0,
        output_price=0.0,
        slots=4,
        local=wanted,
    )


def local_solvers(wanted: str) -> dict[Role, Model]:
    """A local model for both solvers; it is too small for any other role, and those are simulated."""
    return simulated_models() | {"weak": local_model(wanted), "strong": local_model(wanted)}


def every_role(given: Keys, held: Keys, environment: Environment) -> Filled:
    """The settings of each role: its own over those of `default`, then what a model has when nothing is said.

    given: dotted names without the leading `models.`. held: the same of what held before, the run's or the defaults.
    """
    simulated = simulated_models()
    still = still_held(given, held)
    tables = {role: over(own_over_default(given, role), dict(below(still, role))) for role in ROLES}
    filled: dict[str, Setting] = {}
    notices: list[str] = []
    for role, table in tables.items():
        if offline(table):
            table = {key: Setting(value, BY_DEFAULT) for key, value in leaves(simulated[role])} | table
        elif wanted := local(table):
            table = {key: Setting(value, BY_DEFAULT) for key, value in leaves(local_model(wanted))} | table
        else:
            table, notice = served(role, table, environment)
            notices += notice
        filled |= {f"models.{role}.{key}": one for key, one in table.items()}
    problems = [*nameless(tables, next(iter(given.values())).origin), *contradictory(tables)]
    address = environment.get(ADDRESS)
    if any(one.value == address for one in filled.values()) and address and (text := url_problem(address)):
        problems.append(f"environment: {ADDRESS} {text}")
    return Filled(filled, tuple(problems), tuple(notices))


def still_held(given: Keys, held: Keys) -> Keys:
    """What of the models that held before counts beside what is given now.

    All of it if nobody names a model or an address: only slots or sampling, say. Nothing if evolve.toml does, since a
    file says the whole, or if all were simulated: a run is not half real by oversight. Else variables and flags change
    the roles that they mention, and a simulated model makes way for a named one.
    """
    named = [name for name in (*ROLES, DEFAULT) if names_a_model(dict(below(given, name)))]
    if not named:
        return held
    unreal = [role for role in ROLES if offline(dict(below(held, role)))]
    if len(unreal) == len(ROLES) or any(one.origin.kind == "file" for one in given.values()):
        return {}
    gone = [role for role in unreal if role in named or DEFAULT in named]
    return {key: one for key, one in held.items() if key.partition(".")[0] not in gone}


def names_a_model(table: Keys) -> bool:
    """Whether a table says which real model or endpoint is meant."""
    named = not table.keys().isdisjoint(("name", "base_url", "key_variable")) or bool(local(table))
    return named and not offline(table)


def own_over_default(given: Keys, role: Role) -> dict[str, Setting]:
    """A role's own settings over those of `default`.

    A role with a base_url of its own does not inherit the default's key: no key goes to a server it was not named for.
    One that alone is simulated, or local, inherits nothing.
    """
    own, common = dict(below(given, role)), dict(below(given, DEFAULT))
    if kind(own) and kind(own) != kind(common):
        return own
    if "base_url" in own:
        common.pop("key_variable", None)
    return over(own, common)


def over(own: dict[str, Setting], common: dict[str, Setting]) -> dict[str, Setting]:
    """What one place says over what another says; an address of its own makes an end of a local model."""
    return {key: one for key, one in common.items() if key != "local" or "base_url" not in own} | own


def kind(table: Keys) -> str:
    """Where a model is that no endpoint of the user's answers for; empty for one that an endpoint does."""
    return "simulated" if offline(table) else "local" if local(table) else ""


def local(table: Keys) -> str:
    """The weights that a table wants served here; empty if it wants none."""
    return str(table["local"].value) if "local" in table else ""


def offline(table: Keys) -> bool:
    """Whether a table asks for a simulated model."""
    return "simulated" in table and bool(table["simulated"].value)


def below(given: Keys, name: str) -> Iterator[tuple[str, Setting]]:
    """The settings of one table."""
    return ((key[len(name) + 1 :], one) for key, one in given.items() if key.startswith(f"{name}."))


def served(
    role: Role, table: Mapping[str, Setting], environment: Environment
) -> tuple[dict[str, Setting], Sequence[str]]:
    """A model with the address and the key variable that it has where none is given, and what to say about it.

    Without an address it is that of OPENAI_BASE_URL, else OpenAI's; both come with the key in OPENAI_API_KEY, except
    that a server without encryption, such as one on this machine, needs none. A key variable does not follow an address
    that a stronger source has changed.
    """
    filled, notices = dict(table), []
    key, address = filled.get("key_variable"), filled.get("base_url")
    if key and address and key.value and level(key.origin) < level(address.origin):
        notices.append(
            f"models.{role}: {key.value} ({key.origin}) was named for another server than base_url of "
            f"{address.origin} and is not sent there; name key_variable there too"
        )
        del filled["key_variable"]
    if address is None and (found := environment.get(ADDRESS)):
        address = Setting(found, environment.origin(ADDRESS))
        if not found.startswith("http://") or environment.get(KEY):
            filled.setdefault("key_variable", Setting(KEY, BY_DEFAULT))
    filled["base_url"] = address = address or Setting(OPENAI, BY_DEFAULT)
    if host(address.value) == OPENAI_HOST:
        filled.setdefault("key_variable", Setting(KEY, BY_DEFAULT))
    return filled, notices


def host(address: str) -> str:
    """The host of a URL that has passed its check, or an empty string."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def level(origin: Origin) -> int:
    """How strong a source is."""
    return LEVELS.index(origin.kind)


def contradictory(tables: Mapping[Role, Keys]) -> Iterator[str]:
    """A line about each role whose model is to be simulated and local at once."""
    for role, table in tables.items():
        if offline(table) and local(table):
            yield (
                f"{table['local'].origin}: models.{role} has local = {local(table)!r}, and simulated = true "
                f"({table['simulated'].origin}); take one of them away"
            )


def nameless(tables: Mapping[Role, Keys], origin: Origin) -> list[str]:
    """A line about the roles whose model has no name; `origin` is where models are spoken of."""
    lacking = [role for role, table in tables.items() if "name" not in table and not kind(table)]
    if not lacking:
        return []
    named = "any role" if len(lacking) == len(ROLES) else ", ".join(lacking)
    return [
        f"{origin}: no model is named for {named}; set name in the role's table or once in [models.default] (or "
        "simulated = true for the offline models)"
    ]
