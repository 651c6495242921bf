"""Fakes that come in through constructors: scripted models, a sandbox that plays a scaffold, a wire, and builders."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2

from harness.instrument import Instrument
from harness.models.openai import Endpoint
from harness.sandbox import Answer, Level
from harness.trajectory import Allowance, Criterion, Example
from harness.types import ROLES, Document, Draw, Message, Model, Reply, Request, Role

URL = "http://models.invalid/v1"
DOCUMENT = Document("0123456789abcdef", "queues", "A queue keeps the order of pairs that tie.")
DRAW = Draw(3, "minibatch", DOCUMENT.id)
CRITERIA = 20
Say = str | Reply | Callable[[Request], str | Reply]


def criteria(*weights: int) -> tuple[Criterion, ...]:
    """A rubric with these weights, each of the category that its sign says."""
    return tuple(
        Criterion(criterion=f"claim {n}", weight=weight, category="positive" if weight > 0 else "negative")
        for n, weight in enumerate(weights, 1)
    )


def example(**changes: Any) -> Example:
    """A valid example whose rubric has twenty criteria of weight 1, so that scores are multiples of 0.05."""
    values: dict[str, Any] = {
        "question_type": "predict",
        "skills": ("causal", "constraint"),
        "context": "Pairs arrive in a queue.",
        "question": "What happens to their order if they tie?",
        "reference_answer": "It is kept.",
        "rubric_policy": "positive-only",
        "rubric": criteria(*[1] * CRITERIA),
    }
    return Example(**(values | changes))


def submission(**changes: Any) -> dict[str, Any]:
    """The example as a scaffold submits it: plain JSON values."""
    return example(**changes).model_dump(mode="json")


def request(
    role: Role = "weak", text: str = "Question?", draw: Draw = DRAW, max_tokens: int | None = None
) -> Request:
    """A request with one user message."""
    return Request(role, (Message(role="user", content=text),), draw, max_tokens)


def reply(text: str, finish: str = "stop", asked: int = 10, said: int = 20, key: str = "00") -> Reply:
    """A recorded reply."""
    return Reply(
        key=key, text=text, finish_reason=finish, model="m", prompt_tokens=asked, completion_tokens=said
    )


def checks(**changes: object) -> str:
    """What a verifier returns that finds nothing wrong, with changes."""
    found = {
        "leak": False,
        "quality": "GOOD",
        "rubric_tests_content": True,
        "label_fits": True,
        "feedback": "",
    }
    return json.dumps(found | changes)


def judgement(hits: Sequence[bool]) -> str:
    """What a judge returns with these verdicts."""
    return json.dumps(
        {"criteria": [{"number": n, "evidence": "", "met": hit} for n, hit in enumerate(hits, 1)]}
    )


def graded(score: float) -> str:
    """What a judge returns so that an attempt at `example()` scores this multiple of 0.05."""
    return judgement([n < round(score * CRITERIA) for n in range(CRITERIA)])


class ScriptedModels:
    """Models that answer by role: a text or a reply for ever, or a function of the request. Keeps what was asked."""

    def __init__(self, **roles: Say) -> None:
        self.roles: dict[str, Say] = {
            "challenger": "a task",
            "verifier": checks(),
            "weak": "a weak answer",
            "strong": "a strong answer",
            **roles,
        }
        self.asked: list[Request] = []

    async def ask(self, request: Request) -> Reply:
        self.asked.append(request)
        await asyncio.sleep(0)
        say = self.roles[request.role]
        said = say(request) if callable(say) else say
        return said if isinstance(said, Reply) else reply(said, key=key_of(request))

    def of(self, role: Role) -> list[Request]:
        """The requests to one role, in order."""
        return [one for one in self.asked if one.role == role]


def key_of(request: Request) -> str:
    """A readable key, distinct for every draw."""
    draw = request.draw
    return f"{request.role} {draw.ordinal}.{draw.attempt}.{draw.retry}"


def measuring(weak: Sequence[float], strong: Sequence[float] = (), **roles: Say) -> ScriptedModels:
    """Models whose judge gives the attempts these scores, whatever is submitted."""
    scores = [*weak, *strong]
    return ScriptedModels(judge=lambda request: graded(scores[request.draw.attempt]), **roles)


class Env:
    """What a played scaffold talks to; the host's reply objects as they are."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    async def ask(self, prompt: str) -> dict[str, Any]:
        return await self.answer({"ask": prompt})

    async def submit(self, submission: object) -> dict[str, Any]:
        return await self.answer({"submit": submission})


Play = Callable[[Env], Awaitable[None]]


class PlayedSandbox:
    """A sandbox that plays scaffolds as coroutines, one a run; the last one again and again."""

    level: Level = "process"

    def __init__(self, *plays: Play) -> None:
        self.plays = plays
        self.openings: list[dict[str, Any]] = []

    async def run(self, scaffold: Path, opening: dict[str, Any], answer: Answer) -> None:
        play = self.plays[min(len(self.openings), len(self.plays) - 1)]
        self.openings.append(opening)
        await play(Env(answer))


def model(**changes: Any) -> Model:
    """A model at `URL`."""
    return Model(**({"name": "m", "base_url": URL} | changes))


def models(**changes: Any) -> dict[Role, Model]:
    """Every role with a model of its own name."""
    return {role: model(**({"name": f"{role}-model"} | changes)) for role in ROLES}


def instrument(**allowance: int) -> Instrument:
    """The instrument of preset `meta` with this allowance."""
    return Instrument("meta", Allowance(**allowance), models())


def completion(
    text: str = "an answer", finish: str = "stop", asked: int = 10, said: int = 20
) -> dict[str, Any]:
    """The body of a good chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    usage = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
    return {"id": "1", "object": "chat.completion", "model": "m-1", "choices": [choice], "usage": usage}


Respond = Callable[[dict[str, Any]], Awaitable[httpx2.Response]]


class Wire(httpx2.AsyncBaseTransport):
    """A transport that answers with a coroutine function of the request's body; keeps the bodies."""

    def __init__(self, respond: Respond | None = None) -> None:
        self.respond = respond
        self.bodies: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(await request.aread())
        self.bodies.append(body)
        if self.respond is None:
            return httpx2.Response(200, json=completion(f"answer {len(self.bodies)}"))
        return await self.respond(body)

    def endpoint(self, **changes: Any) -> Endpoint:
        """A client behind this wire."""
        return Endpoint(model(**changes), self)
