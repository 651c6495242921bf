"""What a model call is made of, and the words everybody uses. No behaviour beyond arithmetic.

What is measured with such calls, from a task to a rollout, is in trajectory.py.
"""

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Role = Literal["challenger", "verifier", "weak", "strong", "judge", "analyzer", "implementer"]
ROLES: tuple[Role, ...] = ("challenger", "verifier", "weak", "strong", "judge", "analyzer", "implementer")
Split = Literal["training", "validation", "test"]
Side = Literal["baseline", "minibatch", "edit", "rerun", "parent", "child", "record", "final", "production"]
Form = Literal["json_schema", "json_object", "text"]
AnswerKind = Literal[
    "number",
    "expression",
    "equation",
    "inequality",
    "interval",
    "set",
    "matrix",
    "piecewise",
    "choice",
    "string",
]


class Wire(BaseModel):
    """Base of everything written to a pipe, a file or a model: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class Document:
    """A source text. `id` is the first 16 hex digits of the SHA-256 of its text, so it never depends on a path."""

    id: str
    name: str
    text: str


class Message(Wire):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


class Sampling(Wire):
    """How a model is sampled. What is None is not sent: some models refuse it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    temperature: float | None = Field(1.0, ge=0)
    """Sampling temperature; none: it is not sent, for models that refuse it."""
    top_p: float | None = Field(None, gt=0, le=1)
    """Nucleus sampling: the share of probability that is kept; none: it is not sent."""
    max_tokens: int = Field(4096, gt=0)
    """Upper bound of the completion in tokens. For reasoning models it has to hold the thoughts as well."""
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    """Further fields of the request body that this server knows, such as reasoning_effort or top_k."""


class Model(Wire):
    """One role's model behind one OpenAI-compatible endpoint."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    """The model's name as the endpoint knows it."""
    base_url: str = Field(pattern=r"^https?://[^\s/]")
    """Address of the endpoint, up to and with /v1."""
    key_variable: str | None = None
    """NAME of the environment variable that holds the key, never the key itself; none: the server wants no key."""
    sampling: Sampling = Sampling()
    input_price: float | None = Field(None, ge=0)
    """US dollars per million prompt tokens; 0 for a server of your own, none where it is not known."""
    output_price: float | None = Field(None, ge=0)
    """US dollars per million completion tokens, thoughts included; 0 for your own server, none where not known."""
    deadline: float = Field(300.0, gt=0)
    """Seconds that one attempt at a call may take in all."""
    slots: int = Field(8, ge=1)
    """Calls in flight at the endpoint. Roles that share endpoint and key share its slots; the largest number counts."""
    structured: Literal["auto", "json_schema", "json_object", "text"] = "auto"
    """How the form of an answer is asked for; auto begins with a JSON schema and goes down to what the server knows."""
    simulated: bool = False
    """Answer offline, by a simulation that shows the machinery and not the quality of any model."""
    local: str = ""
    """GGUF file, or smollm2, that is served in a child process for the time of the run; empty: an endpoint is asked."""

    @property
    def priced(self) -> bool:
        """True if it is known what its tokens cost, be it nothing."""
        return self.input_price is not None and self.output_price is not None

    @property
    def account(self) -> str:
        """Who is asked and who pays: roles with the same one share a client and its call slots."""
        place = f"simulated {self.base_url}" if self.simulated else self.base_url
        return f"{place} with {self.key_variable}" if self.key_variable else place


@dataclass(frozen=True)
class Draw:
    """Which draw of a model a call is: together with the request it is the call's identity.

    iteration: the outer iteration, 0 for the baseline. For `final` it is the iteration the candidate was born in.
    document: Document.id, or "" outside rollouts. trial: repeated measurement of the same document and side.
    ordinal: index of the scaffold's request within the rollout. attempt: which of the parallel solver attempts.
    retry: 0, then 1.. for every time an unusable reply is drawn again.
    """

    iteration: int
    side: Side
    document: str = ""
    trial: int = 0
    ordinal: int = 0
    attempt: int = 0
    retry: int = 0

    def again(self, retry: int) -> "Draw":
        """The same place in the run, drawn afresh."""
        return replace(self, retry=retry)

    def at(self, *, ordinal: int | None = None, attempt: int | None = None) -> "Draw":
        """The same rollout, another request or attempt."""
        return replace(
            self,
            ordinal=self.ordinal if ordinal is None else ordinal,
            attempt=self.attempt if attempt is None else attempt,
        )


@dataclass(frozen=True)
class Request:
    """One question to one role. `max_tokens` is the room of a retry that needs more than the usual.

    limit: the usual room in place of the model's own, for a solver that is to be brief or may be long.

    schema: the form that the answer is to have; servers that can are asked to enforce it. It identifies no call: it
    follows from the role and the version of the program.
    """

    role: Role
    messages: tuple[Message, ...]
    draw: Draw
    max_tokens: int | None = None
    schema: type[BaseModel] | None = None
    limit: int | None = None


class Reply(Wire):
    """One recorded answer. Token counts as the provider reports them; `estimated` when it reported none.

    key: hex identity of the call (role, model, sampling, messages, draw). cost: US dollars. seconds: latency.
    reasoning_tokens: those of the completion tokens that were thought and not said. form: how the server was asked
    for the form of the answer; empty where no form was asked for.
    """

    key: str
    text: str
    finish_reason: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int = 0
    estimated: bool = False
    cost: float = 0.0
    seconds: float = 0.0
    form: Form | Literal[""] = ""

    @property
    def whole(self) -> bool:
        """True if the model ended by itself and said something; cut off, refused or empty answers are not whole."""
        return self.finish_reason == "stop" and bool(self.text.strip())

    @property
    def refused(self) -> bool:
        """True if the endpoint works but would not answer this very prompt."""
        return self.finish_reason.startswith("refused")

    @property
    def failed(self) -> bool:
        """True if the endpoint failed at this very prompt again and again while it answered others."""
        return self.finish_reason.startswith("failed")

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens
