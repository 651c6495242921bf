"""Foreign texts as a model may be shown them: cleaned, shortened, and between lines that only we can write."""

from evolve.scope import UNSEEN


def clean(text: str) -> str:
    """The text without what no reader sees: control characters, zero-width and direction marks, surrogates."""
    plain = text.isascii() and text.isprintable()  # as most are, and the search is slow
    return text if plain else UNSEEN.sub("", text.replace("\r\n", "\n"))


def clip(text: str, limit: int) -> str:
    """About `limit` characters of a longer text: two thirds of them its beginning, the rest its end."""
    if len(text) <= limit:
        return text
    head, tail = limit * 2 // 3, limit // 3
    gap = f"[... {len(text) - head - tail} characters left out ...]"
    return f"{text[:head]}\n{gap}\n{text[len(text) - tail :]}"


def quoted(boundary: str, label: str, text: str) -> str:
    """A foreign text between two lines that only we can write."""
    return f"--- {boundary} {label}\n{text}\n--- {boundary} end"


def line(text: str, limit: int) -> str:
    """The text on one line."""
    return clip(" ".join(clean(text).split()), limit).replace("\n", " ")
