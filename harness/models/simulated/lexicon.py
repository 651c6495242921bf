"""How the simulated challenger knows words: facets of meaning from facets.toml, and the turns that reverse a sentence.

All patterns are for lower-case text.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

POLARITY = ("negation", "avoidance", "exempting")


def facet(words: str) -> re.Pattern[str]:
    """One pattern that finds any of the words, whole; the notation is explained at the top of facets.toml."""
    options = []
    for word in sorted(words.split(), key=len, reverse=True):
        escaped = re.escape(word).replace(r"\*", r"\w*").replace("_", r"[\s-]+")
        options.append(escaped.replace("\\~", "~").replace("~", r"(?:\s+\S+){0,4}?\s+"))
    return re.compile(rf"(?<!\w)(?:{'|'.join(options)})(?!\w)")


@cache
def facets() -> Mapping[str, re.Pattern[str]]:
    """Every facet by name, those of polarity included."""
    text = files("harness.models.simulated").joinpath("facets.toml").read_text("utf-8")
    return {name: facet(words) for name, words in tomllib.loads(text).items()}


_REQUIRING = (
    "(?:require|need|ask|demand|use|insist|include|add|provide|make|test|call|give|define|bother|force|expect|want"
    r"|write|build|have\ to|has\ to|supply|return|rest|be\ self|be\ specific|be\ strict)\w*"
)
# "do not require several steps"
FORBIDS = re.compile(
    rf"""
      \b(?:not|never|no|don't|doesn't|needn't|cannot|avoid|refrain\ from|stop|nobody)\s+(?:\w+\s+){{0,2}}?{_REQUIRING}\b
    | \b(?:avoid|no)\s+(?:\w+[\s-]+){{0,1}}?(?:multi|chain|several|more\ than\ one|self-contained|specific)
    """,
    re.VERBOSE,
)
# "it does not matter whether", "it is fine if"
SHRUGS = re.compile(
    r"""
      \b(?:do(?:es)?\ not|don't|doesn't|need\ not|needn't|never|no\ need\ to|not)\ (?:\w+\ )?
        (?:worry|bother|care|mind|fret|concern|matter|hesitate|insist)\b
    | \bno\ (?:need|harm|problem|longer)\b | \bneed\ not\b | \bneedn't\b | \bnot\ have\ to\b
    | \bnot\ (?:important|necessary|required|needed|essential|a\ problem|an\ issue)\b
    | \b(?:is|are|it's|its|perfectly|quite)\ (?:perfectly\ |quite\ |also\ |entirely\ )?
        (?:fine|okay|ok|acceptable|permitted|unimportant|irrelevant|optional|unnecessary|harmless|welcome)\b
    | \bfeel\ free\b | (?:^|[,;:]\ )ignore\b | \bnever\ mind\b | \bforget\ about\b | \bpay\ no\ attention\b
    | \bwhether\ or\ not\b | \bregardless\ of\b | \byou\ may\ (?!not|only)
    | \b(?:may|can|could)\ (?:freely|safely|well|also|as\ well)\b
    """,
    re.VERBOSE,
)
# "leave out no fact" withholds nothing
WITHHOLDS_NOTHING = re.compile(
    r"""
    \b(?:not|never|no|don't|without|nothing|cannot|must\ not)\s+(?:\w+\s+){0,2}?
    (?:omit|leav\w+\ out|left\ out|withh|hid|exclud|remov|conceal|suppress|cut)
    """,
    re.VERBOSE,
)
# "state the conclusion in the context"
STATES_RESULT = re.compile(
    r"""
    (?:^|\b(?:must|should|always|please|and|also|may)\s+)(?:clearly\s+)?
    (?:state|include|put|give|write|mention|reveal|repeat|contain|say|tell|announce)\s+(?:the\ |your\ |its\ )?
    (?:\w+\ )?(?:conclusion|finding|outcome|result|solution|answer)\b
    """,
    re.VERBOSE,
)
# "do not lean on the document"
LEAVES_DOCUMENT = re.compile(
    r"""
    ^(?:do\ not|don't|never|avoid)\s+(?:\w+\s+)?
    (?:lean|rel[yi]|draw|bas|build|stick|tie|tying|limit|anchor|rest)\w*\b[^.;]{0,25}
    \b(?:document|text|source|paper|article)\b
    """,
    re.VERBOSE,
)
GENEROUS = re.compile(
    r"\b(?:generous\w*|lenient\w*|liberal\w*|forgiving|reward (?:any|every|all) answers?)\b"
)
# a second sentence that begins like this goes on with the first
TAKES_UP = re.compile(
    r"^(?:if|then|such|these|those|that|this|it|they|otherwise|replace|so|in that case|no|yes|both|neither)\b"
)
