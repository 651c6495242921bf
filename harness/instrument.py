"""The measuring instrument as one value with one hash. Scores of different instruments are never compared."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from pydantic import BaseModel

from harness import gate
from harness.domains import cs
from harness.judge import Judgement
from harness.models.schema import form_of
from harness.prompting import load
from harness.types import Allowance, Model, Role
from harness.verifier import Checks

MEASURING: tuple[Role, ...] = ("challenger", "verifier", "weak", "strong", "judge")
FROZEN_PROMPTS = ("solver.md", "judge.md", "verifier.md", "form.md")
ANSWERS: tuple[type[BaseModel], ...] = (Checks, Judgement)


@dataclass(frozen=True)
class Instrument:
    """What measures a scaffold: the deciding preset, the allowance of a rollout, and the models of the inner loop."""

    preset: gate.PresetName
    allowance: Allowance
    models: Mapping[Role, Model]
    simulation: str = ""

    @property
    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 over everything a score depends on besides scaffold and document.

        Prices, keys and the place of a server do not count: a run may move to another host.
        `simulation` is the seed and the version of simulated models.
        """
        models = {
            role: self.models[role].model_dump(include={"name", "sampling", "structured", "simulated"})
            for role in MEASURING
        }
        parts = {
            "preset": self.preset,
            "allowance": self.allowance.model_dump(),
            "models": models,
            "prompts": {name: sha256(load("harness", name).encode()).hexdigest() for name in FROZEN_PROMPTS},
            "answers": [form_of(answer) for answer in ANSWERS],
            "gate": gate.VERSION,
            "domain": ["cs", cs.VERSION, cs.WEAK_ATTEMPTS, cs.STRONG_ATTEMPTS],
            "simulation": self.simulation,
        }
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def simulated(self) -> bool:
        """True if any measuring role is simulated: its scores say nothing about real models."""
        return any(self.models[role].simulated for role in MEASURING)
