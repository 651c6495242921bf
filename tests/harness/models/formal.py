"""Asking a server with faults for an answer with a form, as the tests of unlike servers do."""

import asyncio
from typing import Any

from fakes import model
from fault_server import Fault, failing, picky, respond, serving

from harness.judge import Judgement
from harness.models.answers import Completion, Question
from harness.models.openai import Endpoint
from harness.types import Message

MESSAGES = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="Hm?"),
    Message(role="assistant", content="Pardon?"),
    Message(role="user", content="Judge it."),
    Message(role="assistant", content="{"),
)
QUESTION = Question(MESSAGES, 7, 99, Judgement)
PLAIN = Question(MESSAGES, 7, 99)
Bodies = list[dict[str, Any]]


def form_asked(body: dict[str, Any]) -> str:
    """How a request asks for the form of its answer."""
    return str(body["response_format"]["type"]) if "response_format" in body else "text"


def refusing(
    *forms: str, status: int = 400, message: str = "This response_format type is unavailable now"
) -> Fault:
    """A server that does not take these forms."""
    return picky(lambda body: failing(status, message) if form_asked(body) in forms else None)


def lacking(parameter: str, message: str, status: int = 400) -> Fault:
    """A server that refuses one field of a request."""
    error = {
        "message": message,
        "type": "invalid_request_error",
        "param": parameter,
        "code": "unsupported_parameter",
    }
    return picky(lambda body: respond({"error": error}, status) if parameter in body else None)


def asked(
    *faults: Fault, always: Fault | None = None, questions: tuple[Question, ...] = (QUESTION,), **changes: Any
) -> tuple[list[Completion], Bodies, list[str]]:
    """Answers to the questions one after the other, the bodies that the server saw, and what people are told."""

    async def main() -> tuple[list[Completion], Bodies, list[str]]:
        async with serving(*faults, always=always) as server:
            settings = model(**({"base_url": server.url, "deadline": 5.0} | changes))
            endpoint = Endpoint(settings)
            try:
                done = [await endpoint.complete(settings, question) for question in questions]
            finally:
                await endpoint.close()
            return done, [one.body for one in server.requests], endpoint.notices

    return asyncio.run(main())
