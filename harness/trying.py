"""One call being tried: how often it failed, and whether that is the doing of its own prompt. Decides, sends nothing.

A call in doubt gives way to a control question to the same model. If that is answered and the call is not, again and
again, it is the prompt, and neither its endpoint nor the run has to end for it.
"""

from dataclasses import dataclass, replace

from harness.models.openai import Completion, Question, Transient, Usage
from harness.prompting import load
from harness.types import Message, Model

FUTILE = 8
FEW, LONG = 3, 300.0
PROOFS = 2
CONTROL_ROOM = 512
NOTHING = Usage(0, 0)


@dataclass
class Trying:
    """began: when, in seconds. number: attempts; failures: those of them that failed and were no rate limit.

    retrying: the last was such a failure. objection: what the endpoint has against the call, if it said so.
    cleared: the control question was answered since the call last failed. proofs: failures right after that.
    """

    began: float
    number: int = 0
    failures: int = 0
    retrying: bool = False
    last: str = ""
    objection: str = ""
    cleared: bool = False
    proofs: int = 0
    used: Usage = NOTHING

    def doubtful(self, now: float) -> bool:
        """Whether the control question is to be asked next: the call failed often or for long, or was objected to."""
        often = self.failures >= FUTILE or (self.failures >= FEW and now - self.began > LONG)
        return (often or bool(self.objection)) and not self.cleared

    def failed(self, problem: Transient) -> None:
        """An attempt failed, be it at the call or at the control question."""
        self.last = str(problem)
        self.retrying = not problem.limited
        if not problem.limited:
            self.failures += 1
            self.proofs += self.cleared
        self.cleared = False

    def clear(self, control: Completion) -> None:
        """The control question was answered; what that took is charged with the call."""
        self.cleared, self.retrying = True, False
        usage = control.usage or NOTHING
        self.used = Usage(self.used.prompt + usage.prompt, self.used.completion + usage.completion)

    def ended(self, model: Model) -> Completion | None:
        """The end of a call that its endpoint cannot or will not answer; None while that is not known."""
        if self.objection and self.cleared:
            return Completion("", f"refused: {self.objection}"[:300], model.name, self.used, 0.0)
        if self.proofs >= PROOFS:
            return Completion("", f"failed: {self.last}"[:300], model.name, self.used, 0.0)
        return None

    def silence(self, model: Model, seconds: float) -> str:
        """What people are told of a model that is down, although its endpoint may answer for others."""
        return (
            f"{model.name!r} at {model.base_url} gave no answer for {seconds:.0f} s, not even to a control question; the "
            f"last problem: {self.last}. Run the same command when it is back: nothing is lost. `evolve models check` "
            "tries it."
        )

    def charged(self, answer: Completion) -> Completion:
        """The answer to the call, with what the control questions took."""
        if answer.usage is None or self.used == NOTHING:
            return answer
        own = answer.usage
        prompt, completion = own.prompt + self.used.prompt, own.completion + self.used.completion
        return replace(answer, usage=Usage(prompt, completion, own.reasoning))


def control(question: Question) -> Question:
    """The same question with another prompt, which no server can have anything against."""
    message = Message(role="user", content=load("harness", "control.md").strip())
    return replace(question, messages=(message,), max_tokens=min(CONTROL_ROOM, question.max_tokens))
