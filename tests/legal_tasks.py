"""Ready-made values of the legal domain: a valid case as it is submitted, replies of its instruments, a rollout of it."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fakes import DOCUMENT, DRAW, Play, PlayedSandbox, Say, ScriptedModels, judgement, models

from harness.domains.legal import DOMAIN, Findings, LegalChecks
from harness.instrument import Instrument
from harness.loop_judge import LoopVerdict
from harness.rollout import Place, roll_out
from harness.trajectory import Check, Rollout
from harness.types import Request

CRITERIA, WEAK_MET, STRONG_MET = 15, 4, 10
QUESTION = "My landlord keeps the deposit of 900 dollars although I left the flat clean. What can I do?"


def row(number: int, **changes: object) -> dict[str, Any]:
    """One criterion as it is submitted."""
    usual = {
        "number": number,
        "criterion": f"Says that claim {number} follows.",
        "category": "positive",
        "capability": "applying rules" if number % 2 else "weighing duties",
        "weight_class": "substantial",
        "weight": 5,
    }
    return usual | changes


def case(**changes: object) -> dict[str, Any]:
    """A valid case: fourteen criteria of 5 points and a negative one of -5."""
    rubric = [row(number) for number in range(1, CRITERIA)]
    rubric.append(row(CRITERIA, category="negative", weight_class="error", weight=-5))
    usual: dict[str, Any] = {
        "capabilities": {"primary": ["applying rules", "weighing duties"], "secondary": ["plain words"]},
        "question": QUESTION,
        "reference_answer": "Demand it back in writing; without proof of damage it is owed.",
        "rubric": rubric,
    }
    return usual | changes


def with_row(at: int, /, **changes: object) -> dict[str, Any]:
    """The case with one criterion changed."""
    made = case()
    made["rubric"][at - 1] |= changes
    return made


def findings(**changes: object) -> str:
    """What an extractor returns on a suitable document, with changes."""
    found = {
        "suitable": True,
        "note": "It lays down a rule on deposits.",
        "document_type": "statute",
        "keywords": ["deposit", "lease", "damage"],
        "issues": ["When is a deposit owed back?"],
        "facts": ["The tenant has left."],
        "holdings": [
            {"rule": "Without proof of damage it is owed.", "reasoning": "The landlord bears the burden."}
        ],
    }
    return json.dumps(found | changes)


def checks(**changes: object) -> str:
    """What the verifier returns that finds nothing wrong, with changes."""
    return json.dumps(
        {"leak": False, "quality": "GOOD", "rubric_tests_content": True, "feedback": ""} | changes
    )


def verdict(**changes: object) -> str:
    """What a loop judge returns that accepts, with changes."""
    found = {
        "weak_pattern": "W1 and W3 stop at the first rule.",
        "strong_pattern": "S2 brings both together.",
        "gap_interpretation": "Fertile ground: W2 has the right question.",
        "rubric_concerns": "none",
        "grpo_suitability": "high",
        "verdict": "accept",
        "reason": "The gap is one of reasoning.",
        "suggestion": "Keep it.",
    }
    return json.dumps(found | changes)


def scripted(weak: int = WEAK_MET, strong: int = STRONG_MET, **verifying: Say) -> ScriptedModels:
    """Models whose weak and strong attempts meet so many criteria; `extractor`, `verifier`, `loop_judge` as given."""
    says: dict[type, Say] = {
        Findings: verifying.get("extractor", findings()),
        LegalChecks: verifying.get("verifier", checks()),
        LoopVerdict: verifying.get("loop_judge", verdict()),
    }

    def verifier(request: Request) -> Any:
        assert request.schema is not None
        say = says[request.schema]
        return say(request) if callable(say) else say

    def judge(request: Request) -> str:
        met = weak if "a weak answer" in request.messages[0].content else strong
        return judgement([number < met for number in range(CRITERIA)])

    return ScriptedModels(verifier=verifier, judge=judge)


def rolled(
    models_: ScriptedModels, *plays: Play, preset: str = "judge", checks: Mapping[Check, bool] | None = None
) -> Rollout:
    """The rollout of a played scaffold in the legal domain."""
    measuring = Instrument(
        preset, DOMAIN.allowance, models(), domain=DOMAIN, source="legal", checks=checks or {}
    )
    place = Place(models_, PlayedSandbox(*plays), measuring)
    return asyncio.run(roll_out(place, Path("scaffold"), DOCUMENT, DRAW))


def asked_with(models_: ScriptedModels, schema: type) -> Sequence[Request]:
    """The requests for an answer of that form."""
    return [one for one in models_.of("verifier") if one.schema is schema]
