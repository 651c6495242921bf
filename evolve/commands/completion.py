"""The command `completion`."""

import click
from click.shell_completion import get_completion_class

from evolve.commands.common import examples

NAME, VARIABLE = "evolve", "_EVOLVE_COMPLETE"
INSTALL = {
    "bash": "evolve completion bash > ~/.local/share/bash-completion/completions/evolve, then a new shell",
    "zsh": "evolve completion zsh > FOLDER/_evolve with a FOLDER of your $fpath, then a new shell",
    "fish": "evolve completion fish > ~/.config/fish/completions/evolve.fish, then a new shell",
}


@click.command(
    epilog=examples(
        'eval "$(evolve completion bash)"  # for this shell only; the same with zsh',
        "evolve completion fish > ~/.config/fish/completions/evolve.fish",
    )
)
@click.argument("shell", type=click.Choice(tuple(INSTALL)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that lets bash, zsh or fish complete commands, options, runs and candidates.

    It says in a comment where to put it.
    """
    click.echo(script(ctx.find_root().command, shell))


def script(group: click.Command, shell: str) -> str:
    """The script for a shell, with a comment on how to install it: the first line, but that of zsh has a meaning."""
    made = get_completion_class(shell)
    assert made is not None, shell
    lines = made(group, {}, NAME, VARIABLE).source().strip().splitlines()
    lines.insert(1 if shell == "zsh" else 0, f"# {INSTALL[shell]}")
    return "\n".join(lines)
