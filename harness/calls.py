"""What a call is: its identity in a run, what it may cost at most, and what it did cost. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from types import MappingProxyType

from harness.budget import Spent
from harness.models.openai import Completion, Question, Usage
from harness.types import Draw, Model, Reply, Request, Side

PAIRED: Mapping[Side, str] = MappingProxyType(
    {"parent": "validation", "child": "validation", "minibatch": "training", "rerun": "training"}
)


@dataclass(frozen=True)
class Call:
    """A request with everything that identifies it. The seed in the question is distinct for every draw, but for
    those of the challenger that parent and child make as a pair."""

    request: Request
    model: Model
    key: str
    question: Question


def identify(request: Request, model: Model, run: int) -> Call:
    """Key = the run's seed, role, model, sampling, messages and the draw. Never a counter: a resumed run makes the
    same keys. The schema of the answer is no part of it: it follows from the role."""
    most = max(
        request.max_tokens or 0, request.limit or model.sampling.max_tokens
    )  # a retry never has less room
    extra = {"extra"} if not model.sampling.extra else None  # keys of runs without it stay what they were
    parts = {
        "run": run,
        "role": request.role,
        "model": model.name,
        "sampling": model.sampling.model_dump(exclude=extra) | {"max_tokens": most},
        "messages": [(one.role, one.content) for one in request.messages],
        "draw": asdict(request.draw),
    }
    key = sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
    seed = seed_of(pair(request.draw, run) if request.role == "challenger" else key)
    return Call(request, model, key, Question(request.messages, seed, most, request.schema))


def seed_of(key: str) -> int:
    """The seed that goes to the model with a call: 31 bits that depend on all of the key."""
    return int.from_bytes(sha256(key.encode()).digest()[:4], "big") >> 1


def pair(draw: Draw, run: int) -> str:
    """What parent and child have in common, and no other draws: the challenger gets the seed of that.

    Common random numbers: where both scaffolds ask the same, a server that honours seeds answers the same, so that the
    difference between the two is less noisy. The calls stay two, and each is paid.
    """
    drawn = asdict(draw) | {"side": PAIRED.get(draw.side, draw.side)}
    return json.dumps({"run": run, "role": "challenger", "draw": drawn}, sort_keys=True)


def worst_case(call: Call) -> Spent:
    """What a call may cost at most: a token for every two bytes asked, and the whole reply limit. Time unknown."""
    asked = sum(len(one.content.encode("utf-8", "replace")) for one in call.question.messages) // 2 + 64
    said = call.question.max_tokens
    return Spent(1, asked + said, dollars(call.model, asked, said), 0.0)


def price(call: Call, completion: Completion) -> Reply:
    """The reply with its price; without a usage block tokens are estimated at four characters each, and marked so."""
    asked = sum(len(one.content) for one in call.question.messages) // 4 + 1
    usage = completion.usage or Usage(asked, len(completion.text) // 4 + 1)
    return Reply(
        key=call.key,
        text=completion.text,
        finish_reason=completion.finish_reason,
        model=completion.model or call.model.name,
        prompt_tokens=usage.prompt,
        completion_tokens=usage.completion,
        reasoning_tokens=usage.reasoning,
        estimated=completion.usage is None,
        cost=dollars(call.model, usage.prompt, usage.completion),
        seconds=completion.seconds,
        form=completion.form,
    )


def dollars(model: Model, asked: int, said: int) -> float:
    """Price of so many prompt and completion tokens, in US dollars; nothing where it is unknown."""
    return (asked * (model.input_price or 0.0) + said * (model.output_price or 0.0)) / 1_000_000
