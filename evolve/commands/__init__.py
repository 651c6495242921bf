"""The commands: each parses, calls one function and draws. Imported only when it is called, see evolve/cli.py."""
