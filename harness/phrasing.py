"""What a client would not write: the recap of a case, the prompt of an examination, a year that is long past.

Each of the three is found by patterns that are meant to be precise: what may as well be a client's own words is let
through, since the loop judge reads the question anyway. docs/domain-legal.md lists examples on both sides.
"""

import re

SENTENCE = re.compile(
    r"(?<!\bv\.)(?<!\b[A-Z]\.)(?<!\bMr\.)(?<!\bMs\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bNo\.)(?<=[.!?])[\"'”)\]]*\s+|\n+"
)
# whoever speaks of himself in the same sentence tells his own story, whatever else it sounds like
FIRST_PERSON = re.compile(r"\b(?:I|me|my|mine|myself|we|us|our|ours|ourselves)\b|\b(?:My|Me|We|Our|Us)\b")

COURT = r"\b(?:the|this|that|an?)\s+(?:[\w-]+\s+){0,2}?(?:court|panel|tribunal|majority|dissent)"
ADVERBS = r"(?:\s+(?:\w+ly|also|then|has|had|further))*"
PARTY = r"\bthe\s+(?:plaintiff|defendant|appellant|appellee|petitioner|respondent)s?"

CASE_NAME = re.compile(
    r"\b[A-Z][\w'’&.-]*(?:\s+(?:[A-Z&][\w'’&.-]*|of|the|and)){0,5}\s+v\.?\s+(?:the\s+)?[A-Z]"
    r"|\b(?:In\s+re|Ex\s+parte)\s+[A-Z]"
)
RECAP = re.compile(
    rf"""
      {COURT}{ADVERBS}\s+(?:ruled\s+that|reasoned|concluded\s+that|affirmed|reversed|vacated|remanded|upheld|opined
        |overruled|distinguished|found\s+that|determined\s+that|rejected\s+the)\b
    | {COURT}{ADVERBS}\s+h(?:e|o)ld(?:s)?\s+(?:that\b|in\s+favou?r|for\s+the\b|against\s+the\b|(?:the\s+\w+\s+)?(?:not\s+)?
        (?:un)?(?:constitutional|enforceable|liable|valid|invalid|void)\b)
    | {COURT}{ADVERBS}\s+(?:granted|denied|dismissed)\s+(?:summary|certiorari|the\s+(?:motion|petition|appeal|complaint))\b
    | {PARTY}{ADVERBS}\s+(?:alleg\w+|argu\w+|contend\w*|claim(?:s|ed)|sued|filed|moved|appeal(?:s|ed)|assert\w*|sought
        |seeks|brought|was|were)\b
    | \bthe\s+facts\s+of\s+th(?:e|is)\s+case\b | \bprocedural\s+history\b
    | \bthe\s+(?:court|tribunal)['’]s\s+(?:holding|reasoning|opinion|analysis)\b | \bthe\s+holding\s+(?:of|in|was|is)\b
    | \bas\s+(?:held|decided)\s+in\b
    | \b(?:according\s+to|stated\s+in|described\s+in|discussed\s+in|set\s+out\s+in)\s+the\s+
        (?:document|passage|excerpt|source|opinion|ruling)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)

EXAM_ALWAYS = re.compile(
    r"""
      \bIRAC\b | \bfact\s+pattern\b | \bmodel\s+answer\b | \bfull\s+(?:marks|credit)\b
    | \(\s*\d+\s*(?:points|marks|pts\.?)\s*\)
    | \b(?:assume|consider|read)\s+the\s+following\b | \banswer\s+the\s+following\b
    | \bthe\s+following\s+(?:facts|questions|hypothetical|scenario)\b | \b(?:this|the)\s+hypothetical\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
EXAM = re.compile(
    r"""
      (?:^|[,;:]\s+)(?:then\s+|please\s+|now\s+|briefly\s+|fully\s+|critically\s+)*
        (?:discuss|analy[sz]e|evaluate|assess|identify|examine|explain|outline|compare|determine|apply|state|describe
        |summari[sz]e)\s+(?:in\s+\w+\s+)?(?:the|whether|how|why|what|which|all|any|each|both|its|their|his|her)\b
    | ^(?:please\s+)?advise\s+(?:the\s+|both\s+|each\s+)?(?-i:[A-Z]\w*|part(?:y|ies)|him|her|them)\b
    | \b(?:rights|liabilit(?:y|ies)|obligations|duties|remedies)(?:\s+and\s+\w+)?
        \s+of\s+(?:the|all|both|each)\s+part(?:y|ies)\b
    | ^(?:question|part)\s+(?:\d+|[a-d])\s*[:.)] | ^what\s+result\b
    | \bin\s+your\s+(?:answer|essay|response|memorandum|analysis)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)

OLD = r"(?:1[0-8]\d\d|19[0-3]\d)"
MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)(?:[a-z]{0,6})\.?"
# after a year the sentence ends or goes on; after a quantity comes what is counted
GOES_ON = (
    r"(?!\w|[.,:]\d)(?=\s*(?:$|[.,;:!?)\]–—\"'’-]|[A-Z]|\s(?:my|our|the|an?|his|her|their|its|this|that|he|she|they|it|we"
    r"|and|or|but|when|while|as|by|with|for|from|to|under|at|on|in|until|till|after|before|there|nobody|someone|no|which"
    r"|who|was|were|is|are|has|had|already|then|without|because|so)\b))"
)
LAW = r"(?:Act|Statute|Ordinance|Treaty|Charter|Convention|Constitution)"
THING = (
    r"(?:deed|will|lease|act|statute|treaty|map|survey|plat|agreement|contract|house|home|cottage|bungalow|building|barn"
    r"|church|school|law|case|decision|ruling|opinion|edition|census|photograph|photo|constitution|charter|book|film"
    r"|painting|covenant|easement|patent|code|ordinance|convention|grant|trust|mortgage|car|ship|coin|stamp|flood|fire)"
)
YEARS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b[Ii]n\s+(?:the\s+)?(?:about\s+|around\s+|early\s+|late\s+|year\s+)*{OLD}{GOES_ON}",
        rf"\b(?:[Ss]ince|[Uu]ntil|[Tt]ill|[Bb]efore|[Aa]fter|[Dd]uring|[Cc]irca|ca?\.)\s+{OLD}{GOES_ON}",
        rf"\b{MONTH}\s+(?:\d{{1,2}}(?:st|nd|rd|th)?,?\s+)?(?:of\s+)?{OLD}{GOES_ON}",
        rf"(?<![\w/.-])\d{{1,2}}[/.-]\d{{1,2}}[/.-]{OLD}(?!\w)|(?<![\w/.-]){OLD}-\d{{2}}-\d{{2}}(?![\w-])",
        r"(?<![\w$€£#.])(?:1[0-8]\d|19[0-3])0['’]?s\b",
        r"\b(?:built|born|died|dated|dating\s+from|dates\s+from|back\s+to|founded|established|est\.|enacted|erected"
        rf"|[Cc]opyright|©|\(c\))\s+(?:in\s+)?{OLD}{GOES_ON}",
        rf"\b(?:[Aa]n?|[Tt]he|[Tt]his|[Tt]hat|[Mm]y|[Oo]ur|[Hh]is|[Hh]er|[Tt]heir|[Ii]ts|[Yy]our)\s+(?:old\s+)?{OLD}\s+"
        rf"(?:\w+\s+)?{THING}\b",
        rf"\b{LAW}\s+(?:of\s+)?{OLD}(?!\w|[.,:]\d)|\b[Yy]ears?\s+{OLD}(?!\w|[.,:]\d)|\b(?:Code|Law|Rules|Decree|Order)\s+of\s+{OLD}{GOES_ON}",
        rf"\b(?:spring|summer|autumn|fall|winter|crash|class|flood|war|deed|will|lease|end|beginning)\s+of\s+{OLD}{GOES_ON}",
        rf"\((?:[A-Z][\w.]*\s+)+{OLD}\)",
        rf"(?:^|[.!?]\s+){OLD}\s+(?:was|saw)\b",
    )
)
# such pairs are years only if they do not look like prices: 1911 and 1925, not 1200 and 1500
PAIR = re.compile(
    rf"\b(?:[Ff]rom|[Bb]etween)\s+({OLD})\s+(?:to|and|until|through)\s+(1\d{{3}}|20\d\d){GOES_ON}"
    rf"|(?<![\w$€£#/.-])({OLD})\s?[–-]\s?(1\d{{3}}|20\d\d){GOES_ON}"
)
ALONE = re.compile(rf"\(({OLD})\)")
ROUND = 50


def recaps_case(text: str) -> bool:
    """True if the text retells a decision instead of a client's own affair, or cites one by name."""
    return bool(CASE_NAME.search(text)) or any(RECAP.search(one) for one in impersonal(text))


def examines(text: str) -> bool:
    """True if the text sets a task as an examiner does."""
    return bool(EXAM_ALWAYS.search(text)) or any(EXAM.search(one) for one in impersonal(text))


def impersonal(text: str) -> list[str]:
    """The sentences in which nobody speaks of himself."""
    sentences = (one.strip() for one in SENTENCE.split(text))
    return [one for one in sentences if one and not FIRST_PERSON.search(one)]


def names_old_year(text: str) -> bool:
    """True if the text names a year before 1940, as a year: not a price, a section, an address or another quantity."""
    if any(pattern.search(text) for pattern in YEARS):
        return True
    pairs = ([int(one) for one in match.groups() if one] for match in PAIR.finditer(text))
    single = ([int(match[1])] for match in ALONE.finditer(text))
    return any(any(number % ROUND for number in found) for found in (*pairs, *single))
