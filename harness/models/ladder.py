"""How a model wants to be asked: what its server has refused is remembered and from then on asked for in another way.

The form of an answer goes down from a JSON schema over `json_object` with the schema in the prompt to plain text with
the schema in the prompt; the token limit changes its name; the seed is left out. Sampling is never changed: it measures.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from harness.models.answers import Question
from harness.models.schema import form_of, instruction
from harness.types import Form, Model

FORMS: tuple[Form, ...] = ("json_schema", "json_object", "text")
LIMITS = ("max_tokens", "max_completion_tokens")
STATUSES = frozenset({400, 404, 422, 500, 501})
ABOUT_FORM = (
    "response_format",
    "response format",
    "responseformat",
    "response_schema",
    "json_schema",
    "json schema",
    "jsonschema",
    "json_object",
    "json mode",
    "structured",
    "guided",
    "grammar",
)
UNKNOWN = (
    r"(?:unsupported|not supported|n.t support|not support|not permitted|forbidden|not allowed|unrecogni[sz]ed|"
    r"unknown|unexpected|not available|not accepted|invalid (?:parameter|argument|field))"
)
INSTEAD = {
    "json_schema": "it is asked for a JSON object, with the schema in the prompt",
    "json_object": "the schema stands in the prompt alone",
    "max_tokens": "max_completion_tokens is sent instead",
    "max_completion_tokens": "max_tokens is sent instead",
    "seed": "no seed is sent, so that the provider cannot repeat a draw",
}


@dataclass(frozen=True)
class Manner:
    """How one question is put. form: of the answer, empty if none is asked for; limit: the token limit's name."""

    form: Form | Literal[""]
    limit: str
    seed: bool

    @property
    def refusable(self) -> tuple[str, ...]:
        """What of it a server may refuse and can be done without."""
        form = (self.form,) if self.form in INSTEAD else ()
        return (self.limit, *(("seed",) if self.seed else ()), *form)


@dataclass(frozen=True)
class Complaint:
    """An error that a server answered. parameter: the field of the request it names as such, if it does."""

    status: int
    text: str
    parameter: str = ""


class Ladder:
    """What the models of one endpoint have refused, by model name. It only grows: a burst of refusals is one step.

    notices: what people should know about it, each said once.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.limits = LIMITS[::-1] if "api.openai.com" in base_url else LIMITS
        self.refused: dict[str, set[str]] = {}
        self.notices: list[str] = []

    def manner(self, model: Model, question: Question) -> Manner:
        """The best way of asking that has not been refused."""
        refused = self.refused.get(model.name, set())
        form: Form | Literal[""] = ""
        if question.schema is not None:
            first = 0 if model.structured == "auto" else FORMS.index(model.structured)
            form = next(one for one in FORMS[first:] if one == "text" or one not in refused)
        limit = next((one for one in self.limits if one not in refused), self.limits[0])
        return Manner(form, limit, "seed" not in refused)

    def learn(self, model: Model, used: Manner, complaint: Complaint) -> bool:
        """Remember what a server refused; True if there is another way to ask the same."""
        what = culprit(model, used, complaint)
        refused = self.refused.setdefault(model.name, set())
        if not what or (what in LIMITS and {*LIMITS} <= refused | {what}):
            return False
        if what not in refused:
            refused.add(what)
            self.notices.append(
                f"{model.name!r} at {self.base_url!r} does not take {what} "
                f"(HTTP {complaint.status}: {complaint.text[:200]}): {INSTEAD[what]}."
            )
        return True


def culprit(model: Model, used: Manner, complaint: Complaint) -> str:
    """What of the manner in which it was asked a server complains about; empty if it is something else."""
    if complaint.status not in STATUSES:
        return ""
    text = re.sub(rf"(?<!\w){re.escape(model.name.lower())}(?!\w)", "", complaint.text.lower())
    for field in used.refusable:
        named = complaint.parameter == field and re.search(UNKNOWN, text)
        if field not in FORMS and (named or is_unknown(field, text)):
            return field
    formal = complaint.parameter.startswith("response_format") or any(word in text for word in ABOUT_FORM)
    return used.form if formal and used.form in INSTEAD else ""


def is_unknown(field: str, text: str) -> bool:
    """Whether a text in lower case says that a field of the request is not supported."""
    name = rf"(?<![a-z_]){re.escape(field)}(?![a-z_])"
    return re.search(rf"{UNKNOWN}[^.;]{{0,60}}{name}|{name}[^.;]{{0,60}}{UNKNOWN}", text) is not None


def setting_refused(model: Model, complaint: Complaint) -> str:
    """The sampling setting that a server complains about; empty if it is something else."""
    if complaint.status not in STATUSES:
        return ""
    sent = [name for name in ("temperature", "top_p") if getattr(model.sampling, name) is not None]
    text = complaint.text.lower()
    for name in (*sent, *model.sampling.extra):
        if complaint.parameter == name or is_unknown(name.lower(), text):
            return name
    return ""


def request_body(model: Model, question: Question, manner: Manner) -> dict[str, Any]:
    """The JSON body of the request. `sampling.extra` adds fields and replaces none of ours."""
    messages = [{"role": one.role, "content": one.content} for one in question.messages]
    sampling = model.sampling.model_dump(include={"temperature", "top_p"}, exclude_none=True)
    body: dict[str, Any] = {**model.sampling.extra, "model": model.name, "messages": messages}
    if manner.seed:
        body["seed"] = question.seed
    body |= {manner.limit: question.max_tokens} | sampling
    if question.schema is None or not manner.form:
        return body
    if manner.form != "json_schema":
        last = max((n for n, one in enumerate(messages) if one["role"] == "user"), default=-1)
        messages[last]["content"] += f"\n\n{instruction(question.schema)}"
    if manner.form == "json_object":
        body["response_format"] = {"type": "json_object"}
    if manner.form == "json_schema":
        body["response_format"] = {"type": "json_schema", "json_schema": form_of(question.schema)}
    return body
