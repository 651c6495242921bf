"""The measuring instrument as one value with one hash. Scores of different instruments are never compared."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256

from pydantic import BaseModel

from harness import answers as comparing
from harness import gate, proof_bounds, sequential
from harness.domains import Domain, fingerprint
from harness.domains.cs import DOMAIN as CS
from harness.judge import Equivalence, Judgement, Pick
from harness.models.schema import form_of
from harness.modes import Mode, ModeChange
from harness.trajectory import CHECKS, Allowance, Check, Solver
from harness.types import Model, Role

MEASURING: tuple[Role, ...] = ("challenger", "verifier", "weak", "strong", "judge")
ANSWERS: tuple[type[BaseModel], ...] = (Judgement, Equivalence, Pick)


@dataclass(frozen=True)
class Instrument:
    """What measures a scaffold: domain and deciding preset, the allowance of a rollout, and the models of the inner loop.

    source: the name by which the domain was found. modes: what is set of the solvers' modes. checks: which checks of a
    task are switched on or off against the preset. thorough: the strong solver runs on every verified task, and not
    only where the weak one has failed, so that no mean of it is biased.
    """

    preset: str
    allowance: Allowance
    models: Mapping[Role, Model]
    simulation: str = ""
    domain: Domain = CS
    source: str = "cs"
    modes: Mapping[Solver, ModeChange] = field(default_factory=dict)
    checks: Mapping[Check, bool] = field(default_factory=dict)
    thorough: bool = False

    @property
    def gate(self) -> gate.Preset:
        """The bounds of the deciding preset."""
        return self.domain.presets[self.preset]

    def mode(self, solver: Solver) -> Mode:
        """How a solver is used."""
        usual = self.domain.weak if solver == "weak" else self.domain.strong
        return self.modes.get(solver, ModeChange()).of(usual)

    def wants(self, check: Check) -> bool:
        """Whether a task has to pass this check."""
        return self.checks.get(check, check in self.gate.checks)

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
        domain = self.domain
        answers = (*ANSWERS, domain.checks, *([domain.extraction] if domain.extraction else []))
        modes = {solver: self.mode(solver) for solver in ("weak", "strong")}
        texts = {
            **domain.measuring_prompts,
            **{mode.prompt: domain.prompt(mode.prompt) for mode in modes.values()},
        }
        parts = {
            "preset": [self.preset, asdict(self.gate)],
            "checks": [one for one in CHECKS if self.wants(one)],
            "allowance": self.allowance.model_dump(),
            "models": models,
            "modes": {solver: mode.model_dump() for solver, mode in modes.items()},
            "prompts": {name: sha256(text.encode()).hexdigest() for name, text in texts.items()},
            "answers": [form_of(answer) for answer in answers],
            "gate": [gate.VERSION, sequential.VERSION, proof_bounds.VERSION],
            "rule": asdict(sequential.rule_of(self.gate)),
            "domain": [domain.name, domain.version, *domain.attempts, fingerprint(self.source)],
            "comparing": comparing.VERSION if domain.comparable else 0,
            "thorough": self.thorough,
            "simulation": self.simulation,
        }
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def simulated(self) -> bool:
        """True if any measuring role is simulated: its scores say nothing about real models."""
        return any(self.models[role].simulated for role in MEASURING)
