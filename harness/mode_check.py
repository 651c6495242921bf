"""Whether a solver's mode can be used in a domain: asked before anything is spent, so that no run fails in its middle."""

from harness.domains import Domain
from harness.errors import UsageError
from harness.instrument import Instrument
from harness.modes import Mode
from harness.prompting import PLACEHOLDER
from harness.trajectory import SOLVERS

PLACES = {"context", "question"}


def refuse_modes(instrument: Instrument) -> None:
    """See that both modes can be used.

    Raises:
        UsageError: one cannot; names the setting and what to set instead.
    """
    for solver in SOLVERS:
        mode, table = instrument.mode(solver), f"measure.{solver}"
        if problem := aggregation_problem(instrument.domain, mode, table) or sight_problem(
            instrument.domain, mode, table
        ):
            raise UsageError(problem)
        refuse_prompt(instrument.domain, mode.prompt, f"{table}.prompt")


def aggregation_problem(domain: Domain, mode: Mode, table: str) -> str:
    """Why several samples cannot become one answer; empty if they can."""
    if mode.samples == 1 or mode.aggregation == "pick" or domain.comparable:
        return ""
    return (
        f"{table}.aggregation is 'majority' with {table}.samples = {mode.samples}, but in the domain {domain.name!r} "
        f"answers are prose that cannot be counted as equal or not; set {table}.aggregation = 'pick', or {table}.samples = 1"
    )


def sight_problem(domain: Domain, mode: Mode, table: str) -> str:
    """Why a solver cannot be given what it is to see; empty if it can."""
    if mode.sees != "passage" or domain.passages:
        return ""
    return (
        f"{table}.sees is 'passage', but tasks of the domain {domain.name!r} rest on no single passage; set {table}.sees to "
        "'document' or 'task'"
    )


def refuse_prompt(domain: Domain, name: str, setting: str) -> None:
    """See that a solver's prompt is there and has a place for context and question, and for nothing else.

    Raises:
        UsageError: it is not, or has not.
    """
    try:
        text = domain.prompt(name)
    except UsageError as missing:
        raise UsageError(f"{setting}: {missing}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{setting} is {name!r}, which cannot be read as UTF-8 text: {error}") from None
    found = set(PLACEHOLDER.findall(text))
    if lacking := sorted(PLACES - found):
        places = " and ".join("{{" + one + "}}" for one in lacking)
        raise UsageError(
            f"{setting} is {name!r}, which has no place for the {' and the '.join(lacking)}; write {places} into it where "
            "that is to stand"
        )
    if unknown := sorted(found - PLACES):
        raise UsageError(
            f"{setting} is {name!r}, which has a place {{{{{unknown[0]}}}}} that nothing can fill; a solver's prompt has "
            "{{context}} and {{question}}, and the source comes before it if the mode's `sees` says so"
        )
