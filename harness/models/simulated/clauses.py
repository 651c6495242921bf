"""Which facets, met in one sentence, express which remedy, and how firmly. Data; `concepts` reads with it."""

from dataclasses import dataclass
from typing import Literal

Cause = Literal["generic", "shallow", "leak", "underspecified", "misfire", "lenient", "format"]
CAUSES: tuple[Cause, ...] = ("generic", "shallow", "leak", "underspecified", "misfire", "lenient", "format")


@dataclass(frozen=True)
class Clause:
    """Facets that together express a concept. `shun`: they name the bad thing, so the sentence must turn it down.

    damped: facets whose presence makes it likely that the sentence speaks of something else.
    """

    cause: Cause
    facets: str
    strength: float
    shun: bool = False
    damped: str = ""


CLAUSES = (
    Clause("generic", "document specific insight", 0.7, damped="criterion context"),
    Clause("generic", "question rare insight", 0.7, damped="criterion"),
    Clause("generic", "question rare document", 0.65, damped="criterion"),
    Clause("generic", "rare document", 0.55, damped="criterion context skill"),
    Clause("generic", "question specific document", 0.4, damped="criterion context negative"),
    Clause("generic", "common document", 0.6, shun=True, damped="criterion premise"),
    Clause("generic", "question particular insight", 0.5, damped="criterion context negative"),
    Clause("generic", "common question", 0.75, shun=True, damped="criterion"),
    Clause("generic", "common answer", 0.75, shun=True, damped="criterion"),
    Clause("generic", "common insight", 0.6, shun=True, damped="criterion"),
    Clause("generic", "unread inable", 0.75, damped="premise context"),
    Clause("shallow", "multi step combine", 0.75, damped="criterion skill negative"),
    Clause("shallow", "multi step", 0.55, damped="criterion skill negative context"),
    Clause("shallow", "interplay question", 0.6, damped="criterion negative"),
    Clause("shallow", "interplay step", 0.6, damped="criterion negative"),
    Clause("shallow", "interplay answer", 0.55, damped="criterion negative context"),
    Clause("shallow", "interplay reader", 0.5, damped="criterion negative context"),
    Clause("shallow", "single step", 0.7, shun=True, damped="lift criterion negative"),
    Clause("shallow", "single answer", 0.7, shun=True, damped="lift criterion negative context"),
    Clause("shallow", "single question", 0.5, shun=True, damped="lift criterion negative context"),
    Clause("leak", "context result withhold", 0.75),
    Clause("leak", "context result reveal", 0.75, shun=True),
    Clause("leak", "context result show", 0.65, shun=True, damped="premise criterion total"),
    Clause("leak", "reveal result", 0.7, shun=True),
    Clause("leak", "reveal context", 0.6, shun=True),
    Clause("leak", "withhold result", 0.65, damped="criterion"),
    Clause("leak", "context withhold", 0.4, damped="criterion premise undefined"),
    Clause("leak", "premises result apart", 0.65),
    Clause("leak", "lift context", 0.65, shun=True, damped="criterion"),
    Clause("leak", "lift result", 0.65, shun=True, damped="criterion"),
    Clause("underspecified", "standalone context", 0.8),
    Clause("underspecified", "standalone question", 0.7),
    Clause("underspecified", "standalone reader", 0.6),
    Clause("underspecified", "context complete premise supply", 0.75),
    Clause("underspecified", "context complete premise", 0.6),
    Clause("underspecified", "context total result", 0.5),
    Clause("underspecified", "context total reader", 0.65),
    Clause("underspecified", "reader complete premise supply", 0.6, damped="criterion"),
    Clause("underspecified", "context undefined", 0.6, shun=True),
    Clause("underspecified", "total premise supply", 0.55, damped="criterion field skill json question"),
    Clause("underspecified", "premise undefined", 0.5, shun=True, damped="criterion field json question"),
    Clause("underspecified", "alone context", 0.6),
    Clause("underspecified", "define term", 0.55, damped="criterion question"),
    Clause("underspecified", "define term complete", 0.7, damped="criterion"),
    Clause("underspecified", "define term context", 0.65),
    Clause("underspecified", "premise undefined supply", 0.55, damped="criterion field json"),
    Clause("underspecified", "total premise supply context", 0.7),
    Clause("underspecified", "total premise supply reader", 0.65, damped="criterion"),
    Clause("underspecified", "alone answer", 0.7),
    Clause("underspecified", "alone total", 0.65),
    Clause("misfire", "negative narrow", 0.7),
    Clause("misfire", "negative vague", 0.7, shun=True),
    Clause("misfire", "negative sound befall", 0.65, shun=True),
    Clause("misfire", "negative talk", 0.5, shun=True),
    Clause("lenient", "criterion exact claim", 0.75, damped="negative"),
    Clause("lenient", "criterion exact", 0.5, damped="negative field json skill"),
    Clause("lenient", "criterion narrow claim", 0.6, damped="negative"),
    Clause("lenient", "criterion vague", 0.65, shun=True, damped="negative"),
    Clause("lenient", "criterion talk", 0.7, shun=True, damped="negative"),
    Clause("lenient", "criterion poor", 0.6, shun=True, damped="negative"),
    Clause("lenient", "criterion claim exact", 0.75, damped="negative"),
    Clause("lenient", "criterion claim", 0.45, damped="negative question context skill field"),
    Clause("lenient", "talk naught", 0.65, damped="context document"),
    Clause("lenient", "poor naught", 0.5, damped="context document question"),
    Clause("lenient", "testing claim", 0.5, damped="negative context document json"),
    Clause("format", "json solely", 0.6),
    Clause("format", "json valid", 0.5),
    Clause("format", "json chatter", 0.5, shun=True),
    Clause("format", "integer numeral", 0.5),
    Clause("format", "integer json", 0.5),
    Clause("format", "reply valid", 0.4),
    Clause("format", "reply solely json", 0.5),
    Clause("format", "weight integer", 0.6),
    Clause("format", "field exactly", 0.5),
)
