"""The command `init`."""

from pathlib import Path

import click

from evolve.commands.common import examples
from evolve.configuration.founding import DOMAINS, Founded, found
from evolve.configuration.profiles import PROFILES, Profile, chosen


@click.command(
    epilog=examples(
        "evolve init  # here, with simulated models",
        "evolve init papers --profile openai",
        "evolve init cases --domain legal",
        "evolve init --profile vllm --base-url http://gpu7:8000/v1",
        "evolve init --base-url https://gateway.example/v1 --model gpt-oss-20b",
    )
)
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), help="Which kind of endpoint.  [default: simulated]"
)
@click.option(
    "--domain", type=click.Choice(DOMAINS), default="cs", show_default=True, help="Which kind of tasks."
)
@click.option("--base-url", metavar="URL", help="The endpoint of every role, up to and with /v1.")
@click.option("--model", metavar="NAME", help="The model of every role.")
@click.option(
    "--force", is_flag=True, help="Replace files that are there; the former ones are kept as *.old."
)
def init(
    folder: Path, profile: str | None, domain: str, base_url: str | None, model: str | None, force: bool
) -> None:
    """Write evolve.toml with every setting explained, and what else a folder of runs begins with.

    That is .env.example for keys, .gitignore, and baseline_repo/, the scaffold to start from. Files that are there are
    left as they are.
    """
    kind = chosen(profile, base_url, model)
    done = found(folder, kind, force, domain)
    report(folder, kind, done, force)


def report(folder: Path, profile: Profile, done: Founded, force: bool) -> None:
    """What was written, what was left, and what to do next."""
    here = "" if folder == Path() else f"{folder}/"
    for text, names in (
        ("written", done.written),
        ("the same already" if force else "there already, left", done.left),
    ):
        if names:
            click.echo(f"{text}: {', '.join(f'{here}{name}' for name in names)}")
    for name, kept in done.kept:
        click.echo(f"the former {here}{name} is now {here}{kept}")
    if done.missing:
        click.echo(f"{here}.gitignore lacks {' '.join(done.missing)}")
    if done.left and not force:
        click.echo("--force replaces what was left; the former files are kept under another name")
    pairs = steps(profile)
    if done.left and not force and profile.models and "evolve.toml" in done.left:
        pairs[0] = ("evolve init --force, or edit evolve.toml", "it still says what it said")
    width = max(len(command) for command, _ in pairs)
    click.echo(f"\nNext, in {folder}:" if here else "\nNext:")
    for number, (command, note) in enumerate(pairs, 1):
        click.echo(f"  {number}. {command:<{width}}  {note}")


def steps(profile: Profile) -> list[tuple[str, str]]:
    """Three things to do, each with what it is for."""
    if not profile.models:
        return [
            ("evolve run --iterations 4", "try it, offline and for nothing"),
            ("evolve init --profile openai --force", "name models (vllm, llama.cpp, custom)"),
            ("evolve run --docs FOLDER --new", "on documents of your own"),
        ]
    if any("local" in table for table in profile.models.values()):
        return [
            ("evolve models fetch", "get the weights, 93 MB"),
            ("evolve models check", "does the model run, and every role answer?"),
            ("evolve run --iterations 4", "a first run, for nothing"),
        ]
    keys = "".join(f", set {one}" for one in profile.keys)
    free = profile.models["default"].get("input_price") == 0
    limit = "--iterations 2" if free else "--budget-usd 2"
    return [
        (f"edit evolve.toml{keys}", "models and addresses" if free else "models and their prices"),
        ("evolve models check", "does every role answer?"),
        (f"evolve run --workers 1 {limit}", "a first run"),
    ]
