"""Whole sets of settings under one name, for `evolve run --preset`. Data; where the values come from stands beside them.

They concern the search, not what measures: the gate is the domain's, in `cs` that of the paper's meta-optimisation.
"""

from collections.abc import Mapping
from types import MappingProxyType

# arXiv 2606.25996, section 4: 25 validation papers, Boltzmann at T = 0.1 on mean scores, a child kept if it is strictly
# above its parent's fresh score. Not published: the size of the minibatch.
PAPER: Mapping[str, object] = MappingProxyType(
    {
        "documents.validation": 25,
        "search.selection": "boltzmann",
        "search.temperature": 0.1,
        "search.temperature_unit": "score",
        "search.shrink": False,
        "search.children_bonus": 0.0,
        "search.survival": "strict",
        "search.rerun": False,
        "search.screen": False,
        "search.control": 0.0,
        "search.arm": "evolution",
        "search.operator": "edit",
        "search.same_edit": "tree",
    }
)
# docs/method.md, "What it costs, and what it finds": every parent was shown to be better than its own.
PROVEN: Mapping[str, object] = MappingProxyType(
    {"search.survival": "sequential", "search.effect": 0.1, "search.contend": 0}
)
PRESETS: Mapping[str, Mapping[str, object]] = MappingProxyType({"paper": PAPER, "proven": PROVEN})
