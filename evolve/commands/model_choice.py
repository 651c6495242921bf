"""The option `--models` of commands that start a run: simulated, local or configured ones, as settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from evolve.configuration.roles import local_solvers, simulated_models
from evolve.configuration.sources import read_environment
from evolve.settings import FILE, effective, gathered
from harness.errors import UsageError
from harness.models.local.weights import KNOWN

SIMULATED, CONFIGURED, LOCAL = "sim", "config", "local"
USUAL = next(iter(KNOWN))
WORDS = (SIMULATED, CONFIGURED, LOCAL)
DOMAIN, SMALL = "measure.domain", "passage"


def checked(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """`sim`, `config`, `local`, or `local:` with a GGUF file, which becomes an absolute path, or the name of weights."""
    if value is None or value in WORDS:
        return value
    kind, _, wanted = value.partition(":")
    if kind != LOCAL or not wanted:
        raise click.BadParameter(
            f"{value!r} is none of {', '.join(WORDS)} and {LOCAL}:FILE.gguf", param=parameter
        )
    return value if wanted in KNOWN else f"{LOCAL}:{Path(wanted).expanduser().absolute()}"


def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The words that begin so."""
    return [CompletionItem(word) for word in WORDS if word.startswith(incomplete)]


models_option = click.option(
    "--models",
    metavar=f"[{'|'.join(WORDS)}|{LOCAL}:FILE]",
    callback=checked,
    shell_complete=complete,
    help=f"Simulated ones; a small real one here for the solvers, or your GGUF file; or those of {FILE}.",
)


def chosen_models(choice: str | None, folder: Path) -> dict[str, Any]:
    """What the option says, as settings that replace all that others say of models; nothing if it was not given.

    Raises:
        UsageError: `config` without models in evolve.toml.
    """
    if choice is None:
        return {}
    if choice == CONFIGURED:
        refuse_simulated(folder)
        return {}
    wanted = choice.partition(":")[2] or USUAL
    models = simulated_models() if choice == SIMULATED else local_solvers(wanted)
    return {"models": {role: one.model_dump(mode="json") for role, one in models.items()}}


def usual_domain(choice: str | None, chosen: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The domain that is made for small models, as a setting, if a local one is to be used and nobody names a domain."""
    if choice is None or choice.partition(":")[0] != LOCAL or DOMAIN in chosen:
        return {}
    environment = read_environment(folder)
    if effective(gathered(folder, environment), environment).origins[DOMAIN].kind != "default":
        return {}
    click.echo(f"domain: {SMALL}, which is made for small models; --domain takes another", err=True)
    return {DOMAIN: SMALL}


def refuse_simulated(folder: Path) -> None:
    """Whoever wants the models of the file means a file that names some.

    Raises:
        UsageError: it leaves a role to the simulation.
    """
    environment = read_environment(folder)
    settings = effective(gathered(folder, environment), environment).settings
    if any(one.local for one in settings.models.values()):
        return  # as the profile `local` writes it: on purpose
    if settings.simulated:
        raise UsageError(
            f"--models config needs a model for every role in {str(folder / FILE)!r}: give [models.default] a name "
            "there, or let `evolve init --profile openai` write the file"
        )
