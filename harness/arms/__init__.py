"""Fixed scaffolds that others are compared with: launched in the sandbox like any, never imported, never evolved."""

from pathlib import Path

from harness.domains import ARM, Domain

FOLDER = Path(__file__).resolve().parent


def cot_files(domain: Domain) -> dict[str, bytes]:
    """Files of the one-shot arm in a domain, by path: its program, and the domain's prompt for it.

    Raises:
        UsageError: the domain has no such prompt.
    """
    return {"agent.py": (FOLDER / "cot" / "agent.py").read_bytes(), ARM: domain.prompt(ARM).encode()}
