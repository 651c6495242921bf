"""`python -m evolve` is the command line."""

from evolve.cli import main

if __name__ == "__main__":
    main()
