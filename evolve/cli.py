"""The command line: names, helps and errors. Every command is imported when it is called, so `--help` is instant."""

import errno
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from harness.errors import EvolveError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

INTERRUPTED = 130
COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "init": ("evolve.commands.init", "Write evolve.toml, .env.example and the baseline scaffold here."),
        "run": ("evolve.commands.run", "Start a run, or go on with the picked or newest one."),
        "status": ("evolve.commands.read", "How a run stands: state, scores, failures, cost."),
        "log": ("evolve.commands.read", "Every iteration and why it ended as it did."),
        "show": ("evolve.commands.show", "A candidate (c12, best) or iteration (12) in full."),
        "why": ("evolve.commands.why", "The evidence for one decision; without ID what the run has learnt."),
        "diff": ("evolve.commands.show", "What was changed between two scaffolds."),
        "lineage": ("evolve.commands.read", "The tree of candidates."),
        "best": ("evolve.commands.read", "The best candidate and its scores."),
        "export": ("evolve.commands.show", "Write a scaffold as a folder or a patch."),
        "test": (
            "evolve.commands.test",
            "Open the test split for chosen candidates, and record that it was.",
        ),
        "generate": ("evolve.commands.generate", "Make accepted examples with a scaffold."),
        "compare": ("evolve.commands.compare", "Arms on the same documents: one-shot, baseline, candidates."),
        "null": (
            "evolve.commands.null",
            "Simulate runs that cannot improve: false wins, noise, detectable gain.",
        ),
        "plan": ("evolve.commands.plan", "Estimate calls, tokens, money and time of a run."),
        "runs": ("evolve.commands.runs", "List, pick and delete runs."),
        "verify": ("evolve.commands.verify", "Check that git, database, journal and traces agree."),
        "models": ("evolve.commands.models", "Try every role's model; fetch and serve a small one."),
        "config": ("evolve.commands.config", "Show every setting and where its value comes from."),
        "doctor": ("evolve.commands.doctor", "Check sandbox, SQLite, git, disk, locks and endpoints."),
        "completion": ("evolve.commands.completion", "Print shell completion for bash, zsh or fish."),
    }
)
CLICK_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "valid integer range": "whole number",
        "valid integer": "whole number",
        "valid float range": "number",
        ". (Did you mean": "; did you mean",
        "?)": "?",
    }
)
EPILOG = """\b
Exit codes:
  0    done (also when nothing beat the baseline)
  1    failed; for verify: something disagrees
  2    a wrong setting, argument or document
  3    a model endpoint is down or refuses
  4    the budget was spent before the first iteration was done
  130  interrupted; the same command goes on
"""


class Commands(click.Group):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; of an unknown name, the nearest one that there is."""
        if args and args[0] not in COMMANDS and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            ctx.fail(f"there is no command {args[0]!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """The commands from the table, none of them imported, and the options of the group."""
        from click.shell_completion import CompletionItem

        named = [name for name in COMMANDS if name.startswith(incomplete)]
        found = [CompletionItem(name, help=COMMANDS[name][1]) for name in named]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of ours is a line for people and an exit code, never a traceback."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except EvolveError as error:
            complain(str(error))
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            raise
        except OSError as error:  # what the machine refuses, wherever it was met; it names no line of ours
            from evolve.disk import remedy

            place = f"{str(error.filename)!r}: " if error.filename else ""
            with suppress(OSError):  # a terminal that is gone is one of them
                complain(f"{place}{error.strerror or error}. {remedy(error)}")
            ctx.exit(1)


def complain(message: str) -> None:
    """The line for people."""
    colour = False if os.environ.get("NO_COLOR") else None
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True, color=colour)


def misused(error: click.ClickException) -> None:
    """An argument that click refuses, in the words and the form of our own errors."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    said = error.format_message()
    for word, ours in CLICK_WORDS.items():
        said = said.replace(word, ours)
    ctx = getattr(error, "ctx", None)
    where = f" `{ctx.command_path} --help` tells more." if ctx is not None else ""
    complain(f"{said[:1].lower()}{said[1:].rstrip('.?')}{'?' if said.endswith('?') else '.'}{where}")


def open_streams() -> None:
    """Put the null device where a standard stream is closed, so that no file of ours ever gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def close_streams() -> None:
    """Send what a standard stream can no longer get rid of nowhere: Python would try once more, and end with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="evolve-scaffold", prog_name="evolve")
def cli() -> None:
    """Evolve the scaffold that turns documents into hard, checkable training tasks.

    `evolve run` needs no key, no network and no configuration: models are simulated until evolve.toml names yours.
    """


def main() -> None:
    """The console script."""
    open_streams()
    try:
        sys.exit(cli.main(prog_name="evolve", standalone_mode=False))
    except click.ClickException as error:
        misused(error)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # `evolve log | head`
        sys.exit(1)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        sys.exit(INTERRUPTED)  # the terminal is gone, and click wanted to end its line
    finally:
        close_streams()
