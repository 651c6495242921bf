"""What goes between the program and the process that reads files which somebody may have built to harm it."""

from typing import Literal

from harness.types import Wire

Kind = Literal["pdf", "docx"]
ENOUGH = 80_000  # characters: twice what a document may hold, before headers and footers are left out


class Job(Wire):
    """A file to read; `path` in the bytes of the file system, as hexadecimal digits."""

    kind: Kind
    path: str


class Extract(Wire):
    """The text of a file, or why there is none. `more`: the file goes on after it."""

    text: str = ""
    more: bool = False
    problem: str = ""
