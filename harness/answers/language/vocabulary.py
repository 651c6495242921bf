"""The words that are understood: functions, constants, keywords, and what LaTeX commands stand for. Tables only."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTIONS = {
    **{name: name for name in (
        "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "sech", "csch",
        "asin", "acos", "atan", "acot", "asec", "acsc", "asinh", "acosh", "atanh", "acoth",
        "ln", "log", "exp", "abs", "floor", "ceil", "sign", "max", "min", "gamma_function", "binomial", "factorial",
        "erf", "erfc", "diag", "zeta_function", "lambertw", "re", "im", "conj", "arg", "beta_function", "atan2",
    )},
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot", "arcsec": "asec", "arccsc": "acsc",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arccoth": "acoth", "arsinh": "asinh",
    "arcosh": "acosh", "artanh": "atanh", "tg": "tan", "ctg": "cot", "arctg": "atan", "sh": "sinh", "ch": "cosh",
    "cosec": "csc", "ceiling": "ceil", "sgn": "sign", "signum": "sign", "sqrt": "sqrt", "cbrt": "cbrt", "Abs": "abs",
    "binom": "binomial", "dbinom": "binomial", "tbinom": "binomial", "Re": "re", "Im": "im", "conjugate": "conj",
    "Max": "max", "Min": "min", "LambertW": "lambertw", "lambertW": "lambertw", "Arg": "arg", "Piecewise": "Piecewise",
}  # fmt: skip
"""Spelling to name. `sqrt`, `cbrt`, `exp` and `binomial` have their own syntax in LaTeX."""

CIRCULAR = {
    "sin": "asin", "cos": "acos", "tan": "atan", "cot": "acot", "sec": "asec", "csc": "acsc",
    "sinh": "asinh", "cosh": "acosh", "tanh": "atanh", "coth": "acoth",
}  # fmt: skip
"""Functions whose power -1 means the inverse function."""

KEYWORDS = {
    "if": "if", "for": "if", "when": "if", "where": "if", "whenever": "if", "provided": "if", "with": "if",
    "otherwise": "otherwise", "else": "otherwise", "elsewhere": "otherwise", "or": "or", "and": "and", "not": "not",
    "in": "in", "even": "even", "odd": "odd", "mod": "mod", "union": "cup", "true": "true",
}  # fmt: skip
NAMED_SETS = {
    "R": "R", "Z": "Z", "N": "N", "Q": "Q", "C": "C",
    "Reals": "R", "Integers": "Z", "Naturals": "N", "Rationals": "Q", "integers": "Z", "reals": "R",
}  # fmt: skip
CONSTANTS = {
    "pi": "pi", "infinity": "oo", "Infinity": "oo", "infty": "oo", "inf": "oo", "oo": "oo", "EulerGamma": "euler",
}  # fmt: skip
GREEK = _words(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi "
    "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
VARIANTS = {
    "varepsilon": "epsilon", "varphi": "phi", "vartheta": "theta", "varrho": "rho", "varsigma": "sigma",
    "ell": "l", "hbar": "hbar", "imath": "i", "jmath": "j", "aleph": "aleph", "nabla": "nabla",
}  # fmt: skip

MARKS = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "le": "<=", "leq": "<=", "leqslant": "<=", "leqq": "<=",
    "ge": ">=", "geq": ">=", "geqslant": ">=", "geqq": ">=", "ne": "!=", "neq": "!=", "lt": "<", "gt": ">",
    "cup": "cup", "bigcup": "cup", "cap": "cap", "setminus": "setminus", "smallsetminus": "setminus",
    "backslash": "setminus", "in": "in", "notin": "notin", "lor": "or", "vee": "or", "land": "and", "wedge": "and",
    "lnot": "not", "neg": "not", "mid": "|", "vert": "|", "lvert": "lbar", "rvert": "rbar", "colon": ":",
    "lbrace": "\\{", "rbrace": "\\}", "{": "\\{", "}": "\\}", "lbrack": "[", "rbrack": "]", "lparen": "(", "rparen": ")",
    "langle": "(", "rangle": ")", "lfloor": "lfloor", "rfloor": "rfloor", "lceil": "lceil", "rceil": "rceil",
    "pm": "±", "mp": "∓", "circ": "circ", "degree": "circ", "%": "%", "prime": "'", "equiv": "≡", "\\": "\\\\",
    "frac": "frac", "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "sum": "sum", "prod": "prod",
    "partial": "partial", "cr": "\\\\", "bmod": "mod", "mod": "mod", "pmod": "pmod", "top": "top", "intercal": "top",
    "overline": "overline", "newline": "\\\\", "|": "||", "star": "star", "dagger": "dagger", "not": "not",
    "emptyset": "empty", "varnothing": "empty",
}  # fmt: skip
SILENT = _words(
    ", ; : ! > quad qquad displaystyle textstyle scriptstyle limits nolimits thinspace left right big Big "
    "bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr middle nonumber strut ( ) [ ] hfill mathstrut"
) | {" "}
"""Commands that only set the text. Square and round brackets here are the delimiters of mathematics."""

ACCENTS = {
    "mathbf": "vec", "vec": "vec", "boldsymbol": "vec", "bm": "vec", "pmb": "vec", "hat": "hat", "widehat": "hat",
    "bar": "bar", "tilde": "tilde", "widetilde": "tilde", "dot": "dot", "ddot": "ddot", "mathcal": "cal",
    "mathfrak": "frak", "mathscr": "cal", "mathbb": "bb", "mathsf": "sf",
}  # fmt: skip
"""Commands that make another symbol of their letter."""

WORDED = _words("text textrm textbf textit textsf mathrm mathit operatorname operatorname* mbox mathop")
"""Commands whose braces hold a word."""

PROSE = _words(
    "is are the all any no of to we so has an as at be by on it its let then from this get not yes cm mm "
    "km kg ms deg rad sec min hr"
)
"""Short words that are no product of variables."""

OPAQUE = _words("f g h F G H phi psi Phi Psi")
"""Letters before a bracket that are read as a function of what is in it."""
OPAQUE_OF_ONE = _words("u v w x y z P T U V X Y")
"""Letters that are a function only of a single variable or number, as in y(t) or y(0), and a factor otherwise."""
