"""Numbers as people read them: a score never without its interval, its trials and who gave it. Pure text."""

from math import floor, log10

from evolve.intervals import Interval
from evolve.scope import UNSEEN

UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def score(interval: Interval | None, simulated: bool) -> str:
    """`0.52 [0.38, 0.66] n=40, simulated`; "not measured" if there is none."""
    if interval is None or interval.trials == 0:
        return "not measured"
    return f"{_ends(interval, '.2f')} n={interval.trials}{', simulated' if simulated else ''}"


def change(interval: Interval | None, simulated: bool) -> str:
    """A paired difference, signed: `+0.20 [+0.05, +0.35] n=40 pairs, simulated`."""
    if interval is None or interval.trials == 0:
        return "not measured"
    pairs = f"n={interval.trials} {'pair' if interval.trials == 1 else 'pairs'}"
    return f"{_ends(interval, '+.2f')} {pairs}{', simulated' if simulated else ''}"


def _ends(interval: Interval, form: str) -> str:
    return f"{interval.value:{form}} [{interval.low:{form}}, {interval.high:{form}}]"


def amount(number: float) -> str:
    """`812`, `12.3 k`, `4.56 M`: three figures."""
    for size, unit in UNITS:
        if abs(number) >= 0.9995 * size:
            return f"{number / size:#.3g}".rstrip(".") + f" {unit}"
    return f"{number:.0f}"


def money(dollars: float) -> str:
    """`$0`, `$0.0042`, `$3.10`: cents, or two figures of less than a cent."""
    if dollars == 0:
        return "$0"
    return f"${dollars:,.{max(2, 1 - floor(log10(dollars)))}f}" if dollars < 0.01 else f"${dollars:,.2f}"


def clock(seconds: float) -> str:
    """`0:42`, `3:07`, `1:02:03`: hours only if there are any."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(octets: float) -> str:
    """`812 B`, `12.3 kB`, `4.56 GB`: bytes in three figures, a thousand to the next unit."""
    for unit, step in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if octets >= 0.9995 * step:
            return f"{octets / step:#.3g}".rstrip(".") + f" {unit}"
    return f"{octets:.0f} B"


def moment(stamp: str) -> str:
    """`2026-11-22 21:23:09 UTC` of a recorded time."""
    return f"{stamp[:10]} {stamp[11:19]} UTC"


def count(number: int, noun: str) -> str:
    """`1 call`, `1,234 calls`."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"


def visible(text: str) -> str:
    """The text without what a terminal would obey or hide: control, zero-width and direction characters."""
    return UNSEEN.sub("", text.expandtabs(4))


def shortened(text: str, width: int) -> str:
    """The text on one line of at most `width` characters, cut after a word if it is longer."""
    line = visible(" ".join(text.split()))
    if len(line) <= width:
        return line
    return line[: max(0, width - 1)].rsplit(" ", 1)[0].rstrip(",;:. ") + "…"
