"""Cleaning a text before it is cut into tokens: Unicode to plain spellings, English phrases for sets to symbols."""

import re
import unicodedata

from harness.answers.tree import Unreadable

LONGEST = 5_000

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ϑ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu", "ξ": "xi",
    "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "ϕ": "phi", "χ": "chi", "ψ": "psi",
    "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma",
    "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
SIGNS = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "×": "*", "⋅": "*", "·": "*", "∗": "*", "∙": "*", "÷": "/",
    "∕": "/", "⁄": "/", "≤": "<=", "⩽": "<=", "≦": "<=", "≥": ">=", "⩾": ">=", "≧": ">=", "≠": "!=", "∞": r"\infty ",
    "√": r"\sqrt ", "∪": r"\cup ", "∩": r"\cap ", "∖": r"\setminus ", "∈": r"\in ", "∉": r"\notin ", "∅": r"\emptyset ",
    "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "°": r"^\circ ", "′": "'", "″": "''",
    "’": "'", "±": r"\pm ", "∓": r"\mp ", "∧": r"\land ", "∨": r"\lor ", "¬": r"\lnot ", "∣": "|", "≡": r"\equiv ",
    "≈": r"\approx ", "∑": r"\sum ", "∏": r"\prod ", "∫": r"\int ", "∛": r"\cbrt ", "ℯ": "e", "ⅈ": "i", "∂": r"\partial ",
    "…": r"\ldots ", "⟨": r"\langle ", "⟩": r"\rangle ", "‖": r"\| ", "⟹": r"\implies ", "⇒": r"\implies ",
    "→": r"\to ", "⊂": r"\subset ", "\u200b": "", "\u2061": "", "\ufeff": "", "“": '"', "”": '"',
}  # fmt: skip
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱˣ", "0123456789+-nix", strict=True))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₙₖᵢⱼₘₓ", "0123456789+-nkijmx", strict=True))
TABLE = str.maketrans({**{one: f"\\{name} " for one, name in GREEK.items()}, **SIGNS})
VULGAR = re.compile("[¼½¾⅐-⅞]")

ARRAY_CASES = re.compile(r"(?:\\\{|\\lbrace)\s*\\begin\{(?:array|aligned|matrix|gathered)\}(?:\{[lcr| ]*\})?")
ARRAY_END = re.compile(r"\\end\{(?:array|aligned|matrix|gathered)\}")
SKIP = re.compile(r"\\\\\s*\[-?[\d.]+\s*(?:pt|em|ex|mm|cm)\]")
BARS = ((r"\left|", r"\lvert "), (r"\right|", r"\rvert "), (r"\left.", ""), (r"\right.", ""))
MIXED = re.compile(r"\\text(?:rm|normal)?\s*\{([^{}]*\$[^{}]*)\}")
FRENCH = re.compile(r"([\[\]])([^\[\](){}]+[,;][^\[\](){}]+)([\[\]])")
TEXTED = re.compile(
    r"\\text\s*\{((?:[^{}\\]*\b(?:solutions?|empty|real|reals|integers?|except)\b)[^{}\\]*)\}"
)
PHRASES = (
    (r"\b(?:there (?:is|are) )?no (?:real )?solutions?\b|\b(?:the )?empty set\b", r"\\emptyset "),
    (r"\b(?:the set of )?(?:all )?(?:the )?real numbers\b|\ball reals?\b", r"\\mathbb{R}"),
    (r"\b(?:is|are) (?:an? )?(?:arbitrary |any )?integers?\b", r"\\in\\mathbb{Z}"),
    (r"\bis (?=(?:even|odd)\b)", ""),
    (r"\bfor (?:all|every|any)\b", " for "),
    (r"\b(?:except|excluding)(?: for| at)?\b", r"\\setminus "),
)


def cleaned(text: str, line_end: str = " ") -> str:
    """The text in plain spellings, on one line; `line_end` takes the place of its line ends.

    Raises:
        Unreadable: it is empty, too long, or holds control characters.
    """
    if len(text) > LONGEST:
        raise Unreadable(f"it has {len(text):,} characters; at most {LONGEST:,} are read")
    if any(unicodedata.category(one) in ("Cc", "Cs", "Co") and one not in "\n\r\t" for one in text):
        raise Unreadable("it holds control characters")
    text = MIXED.sub(_taken_apart, text)
    body = SKIP.sub(r"\\\\", _cases(_plain(text.strip())))
    body = body.replace("{,}", "").replace("\n", " " if "\\begin" in body else line_end)
    body = re.sub(r"\s+", " ", body).strip().rstrip(" .,;")
    if not body or body.endswith("\\"):
        raise Unreadable("it is empty" if not body else "it ends in the middle of a command")
    return body


def phrased(text: str) -> str:
    """A cleaned text with English phrases for sets in symbols, and French brackets such as ]0,1[ turned round."""
    text = TEXTED.sub(r"\1", text)
    for pattern, symbols in PHRASES:
        text = re.sub(pattern, symbols, text, flags=re.IGNORECASE)
    return FRENCH.sub(_round, text)


def _taken_apart(found: re.Match[str]) -> str:
    """`\text{if $x > 0$}` as the word and the formula."""
    parts = found[1].split("$")
    return " ".join(part if place % 2 else f"\\text{{{part}}}" for place, part in enumerate(parts))


def _round(found: re.Match[str]) -> str:
    left, inner, right = found.groups()
    if left == "[" and right == "]":
        return found[0]
    return f"{'(' if left == ']' else '['}{inner}{')' if right == '[' else ']'}"


def _plain(text: str) -> str:
    text = _scripts(_scripts(text, RAISED, "^"), LOWERED, "_")
    text = VULGAR.sub(lambda one: f" {unicodedata.normalize('NFKC', one[0])} ", text)
    text = unicodedata.normalize("NFKC", text.translate(TABLE)).replace("⁄", "/")
    for bar, plain in BARS:
        text = text.replace(bar, plain)
    return text


def _scripts(text: str, letters: dict[str, str], mark: str) -> str:
    run = re.compile(f"[{''.join(letters)}]+")
    return run.sub(lambda found: f"{mark}{{{''.join(letters[one] for one in found[0])}}}", text)


def _cases(text: str) -> str:
    """`\\left\\{ \\begin{array}...` is another spelling of `\\begin{cases}`."""
    plain = text.replace(r"\left\{", r"\{")
    if not ARRAY_CASES.search(plain):
        return text
    return ARRAY_END.sub(r"\\end{cases}", ARRAY_CASES.sub(r"\\begin{cases}", plain))
