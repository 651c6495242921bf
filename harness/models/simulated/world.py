"""The simulated subject matter: which effects follow from which, and the English in which items and answers say so.

Challenger, solvers, judge and verifier share nothing but this language. What follows from a link between two terms is
fixed by a hash of the terms, so that a solver can work it out from the text alone, and get it wrong.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

RISING = ("rises", "grows", "climbs", "increases")
FALLING = ("falls", "shrinks", "drops", "decreases")
REGIMES = (
    ("at once", "immediately"),
    ("only past a threshold", "only beyond a certain level"),
    ("until it saturates", "up to a ceiling"),
    ("after a delay", "with a lag"),
)
FORWARD = ("feeds into", "acts on", "constrains", "governs", "is passed on to", "shapes")
BACKWARD = ("depends on", "is driven by", "responds to", "is derived from")
RAISED = ("raised", "doubled", "increased")
LOWERED = ("lowered", "halved", "reduced")

_TERM = r"`([^`\n]{1,80})`"
TERM = re.compile(_TERM)
LINK = re.compile(rf"{_TERM} ({'|'.join(FORWARD + BACKWARD)}) {_TERM}")
CHANGE = re.compile(rf"{_TERM} is ({'|'.join(RAISED + LOWERED)})\b")
DECIDER = re.compile(rf"{_TERM} (?:is what |as what |as the effect that )?(?:decides|settles|dominates)")
STATEMENT = re.compile(
    rf"{_TERM} (?:then |also |therefore |in turn )?({'|'.join(RISING + FALLING)})"
    rf"(?:,? ({'|'.join(phrase for pair in REGIMES for phrase in pair)}))?"
)
REGIME_OF = {phrase: number for number, pair in enumerate(REGIMES) for phrase in pair}


@dataclass(frozen=True)
class Effect:
    """How a term moves: direction +1 or -1, and the number of its regime, or None where none is stated."""

    direction: int
    regime: int | None


# What every practitioner knows without reading anything: cause, effect, direction, regime.
_COMMON = """
cache size > hit rate + 2 | hit rate > read latency - 0 | read latency > response time + 0
cache size > memory use + 0 | memory use > swap activity + 1 | swap activity > response time + 0
hit rate > disk traffic - 0 | disk traffic > queue depth + 1 | queue depth > tail latency + 1
concurrency > lock contention + 1 | lock contention > throughput - 1 | throughput > completion time - 0
concurrency > context switches + 0 | context switches > CPU overhead + 0 | CPU overhead > throughput - 1
batch size > per-call overhead - 2 | per-call overhead > throughput - 0 | batch size > memory use + 0
batch size > waiting time + 0 | waiting time > response time + 0 | request rate > queue depth + 1
request rate > CPU load + 0 | CPU load > response time + 1 | request rate > lock contention + 1
queue depth > waiting time + 0 | memory use > garbage collection + 1 | garbage collection > pause time + 1
pause time > tail latency + 0 | lock contention > waiting time + 0 | disk traffic > device wear + 0
read latency > throughput - 0 | CPU load > power draw + 0 | waiting time > timeout rate + 1
swap activity > disk traffic + 0 | context switches > cache misses + 0 | cache misses > read latency + 0
late payments > default interest + 0 | default interest > total debt + 0 | total debt > insolvency risk + 1
late payments > notice letters + 1 | notice letters > termination risk + 1 | late payments > lost goodwill + 3
rent arrears > termination risk + 1 | rent arrears > total debt + 0 | rent arrears > notice letters + 1
termination risk > bargaining power - 0 | bargaining power > settlement offers + 0 | total debt > legal costs + 1
notice period > time to respond + 0 | time to respond > missed deadlines - 0 | missed deadlines > lost claims + 0
notice period > planning costs - 2 | notice period > bargaining power + 0 | lost claims > recoverable damages - 0
kept evidence > burden of proof - 0 | kept evidence > settlement offers + 0 | burden of proof > lost claims + 1
kept evidence > recoverable damages + 0 | settlement offers > legal costs - 3 | planning costs > legal costs + 0
""".replace("\n", "|")
COMMON: dict[tuple[str, str], Effect] = {}
for _row in filter(str.strip, _COMMON.split("|")):
    _cause, _rest = _row.strip().split(" > ")
    _effect, _sign, _regime = _rest.rsplit(" ", 2)
    COMMON[_cause, _effect] = Effect(1 if _sign == "+" else -1, int(_regime))
COMMON_TERMS = frozenset(term for pair in COMMON for term in pair)


@lru_cache(maxsize=65536)
def effect(cause: str, result: str) -> Effect:
    """What raising `cause` does to `result` where the two are linked."""
    known = COMMON.get((cause, result))
    if known:
        return known
    value = crc32(f"{cause}\0{result}".lower().encode("utf-8", "replace"))
    return Effect(1 if value & 64 else -1, (value >> 8) % len(REGIMES))


def decider(ends: tuple[str, ...]) -> str:
    """Which of several effects decides, whatever the order in which they are named."""
    return min(ends, key=lambda term: crc32(f"decides {term}".lower().encode("utf-8", "replace")))


def statements(text: str) -> dict[str, Effect]:
    """What a text says about each term. A statement that names a regime outweighs one that does not."""
    found: dict[str, Effect] = {}
    for term, verb, phrase in STATEMENT.findall(text):
        if phrase or term not in found:
            found[term] = Effect(1 if verb in RISING else -1, REGIME_OF.get(phrase))
    return found


def links(text: str) -> dict[str, list[str]]:
    """Cause -> results, as the text links them."""
    found: dict[str, list[str]] = {}
    for first, verb, second in LINK.findall(text):
        cause, result = (first, second) if verb in FORWARD else (second, first)
        found.setdefault(cause, []).append(result)
    return found


def change(text: str) -> tuple[str, int] | None:
    """The term that a text says is changed, and the direction; None if it names none."""
    match = CHANGE.search(text)
    return (match[1], 1 if match[2] in RAISED else -1) if match else None
