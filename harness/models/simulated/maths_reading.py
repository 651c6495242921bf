"""How the simulated maths challenger takes its instructions: a strength in [0, 1] for each slip that it is told to avoid.

Like `concepts` for research questions: words of several families that meet in one sentence express a remedy, whatever
their order; shrugging at it counts against it. The document and the listed failures never count.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from harness.models.simulated.concepts import ROOMY, forbids_what_is_good, passages
from harness.models.simulated.lexicon import SHRUGS, facet, facets

MathsSlip = Literal["shallow", "stock", "wrong", "ambiguous", "guessable", "leak", "format"]
SLIPS: tuple[MathsSlip, ...] = ("shallow", "stock", "wrong", "ambiguous", "guessable", "leak", "format")

_WORDS: Mapping[str, str] = {
    "many": "two three four five several multiple many chain* series sequence* successive long longer nested both",
    "step": "step steps stage* operation* inference* construction* deduction* link links transformation* manipulation*"
    " intermediate lemma* derivation* substitution* composition* computation*",
    "one_step": "one_step single_step one-step single-step one_formula single_formula one_routine single_routine"
    " one_operation single_operation plug* put*~into_a_formula immediate* at_once directly single_substitution one_line",
    "stock": "textbook* stock standard well-known well_known known_by_heart famous familiar collection* classic*"
    " memor* exercise_book* catalogue* seen_before anybody_has_seen routine_exercise*",
    "problem": "problem* question* exercise* task* construction* data coefficients numbers",
    "check": "check* verif* recomput* comput* solve* work~out derive* test* confirm* redo recalculat* calculat*",
    "twice": "twice second again independent* another_way different_way other_way by_substitut* substitut* back"
    " numerical* two_ways from_scratch once_more step_by_step",
    "answer": "answer* result* reference* solution* outcome*",
    "all": "every each all any whatever everything complete* fully nothing",
    "thing": "symbol* quantit* constant* parameter* assumption* condition* domain* value* name names letter* variable*"
    " data interval range notation",
    "give": "defin* given give gives state states stated introduc* specif* fix fixed fixes explain* missing lacking"
    " undefined unstated",
    "open": "undefined ambiguous* unclear vague* the_usual two_readings several_readings left_open not_given unstated",
    "only": "exactly_one single one_and_only only_one unique* one_right just_one",
    "guess": "integer* whole_number* rounded decimal* approximat* guess* small_number* plain_number* bare_number*",
    "text": "context question* problem* statement hint hints text wording",
    "tell": "state states stated stating give_away gives_away giv*~away reveal* contain* mention* quot* copy* hint* leak*"
    " repeat*",
    "json": "json object braces",
    "solely": "only nothing_else solely exactly_one a_single no_prose no_text no_comment* valid parse* parsable strict*",
    "latex": "latex formula* notation markup backslash* brace* bracket*",
    "sound": "complete* balanced closed valid well-formed well_formed escape* doubled parse* readable compil* plain bare",
    "kind": "kind kinds answer_kind type",
    "match": "match* fit fits exactly agree* same really correspond* consistent belongs",
    "easy": "easy easier simple simpler beginner* elementary introductory gentle",
    "hopeless": "impossible unsolvable unanswerable cryptic riddle* misleading trick",
}


@dataclass(frozen=True)
class Clause:
    """Families that together express a remedy. shun: they name the bad thing, so the sentence must turn it down."""

    slip: MathsSlip
    words: str
    strength: float
    shun: bool = False


CLAUSES = (
    Clause("shallow", "many step", 0.65),
    Clause("shallow", "one_step", 0.6, shun=True),
    Clause("stock", "stock", 0.65, shun=True),
    Clause("wrong", "check twice answer", 0.75),
    Clause("wrong", "check twice", 0.5),
    Clause("ambiguous", "all thing give", 0.7),
    Clause("ambiguous", "open", 0.55, shun=True),
    Clause("ambiguous", "only answer", 0.45),
    Clause("guessable", "guess", 0.5, shun=True),
    Clause("leak", "text answer tell", 0.7, shun=True),
    Clause("format", "json solely", 0.5),
    Clause("format", "latex sound", 0.45),
    Clause("format", "kind match", 0.45),
)


@dataclass(frozen=True)
class Wishes:
    """Instructions as understood. strengths: 0 unasked .. 1 insisted on. crowding: 0 for prompts of sensible length."""

    strengths: dict[MathsSlip, float]
    easy: bool
    hopeless: bool
    crowding: float


@cache
def families() -> Mapping[str, re.Pattern[str]]:
    """Every family of words as a pattern."""
    return {name: facet(words) for name, words in _WORDS.items()}


@lru_cache(maxsize=16384)
def understand(sentence: str) -> tuple[tuple[MathsSlip, float], ...]:
    """What one lower-case sentence asks to avoid; a negative strength where it shrugs at it."""
    present = {name for name, pattern in families().items() if pattern.search(sentence)}
    dismissed = SHRUGS.search(sentence) is not None
    shuns = facets()["avoidance"].search(sentence) is not None or "too simple" in sentence
    backwards = forbids_what_is_good(sentence)
    found: dict[MathsSlip, float] = {}
    for clause in CLAUSES:
        if not present.issuperset(clause.words.split()) or (clause.shun and not (shuns or dismissed)):
            continue
        against = dismissed or (backwards and not clause.shun)
        found[clause.slip] = max(found.get(clause.slip, -1.0), -0.3 if against else clause.strength)
    return tuple(found.items())


@lru_cache(maxsize=4096)
def wishes(instructions: str) -> Wishes:
    """All instructions together. A sentence that stands twice counts once."""
    sentences = list(dict.fromkeys(one for part in passages(instructions) for one in part))
    missing = dict.fromkeys(SLIPS, 1.0)
    shrugged = dict.fromkeys(SLIPS, 0.0)
    for one in sentences:
        for slip, strength in understand(one):
            missing[slip] *= 1 - max(0.0, strength)
            shrugged[slip] = max(shrugged[slip], -strength)
    crowding = max(0.0, len(instructions) / ROOMY - 1)
    strengths = {slip: (1 - missing[slip]) / (1 + crowding) - shrugged[slip] for slip in SLIPS}
    return Wishes(strengths, _asks("easy", sentences), _asks("hopeless", sentences), crowding)


def _asks(family: str, sentences: list[str]) -> bool:
    """Whether a sentence on the problem asks for this, without turning it down."""
    return any(
        families()[family].search(one)
        and families()["problem"].search(one)
        and not facets()["avoidance"].search(one)
        and "too easy" not in one
        for one in sentences
    )
