"""The console script, and `python -m evolve`: a door in front of the command line, which takes a moment to import."""

import sys


def main() -> None:
    """The command line; Ctrl-C before it is there ends as quietly as afterwards."""
    try:
        from evolve.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
