"""A comparison as it is stored in population.db, and back; what identifies one. Rows as values, no I/O."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256

from evolve.comparing.values import Arm, Bill, Paid, Row, Unit
from evolve.rows import Row as Stored
from evolve.rows import as_json, clean

FORM = 1  # of what identifies a comparison
QUERIES = {
    "comparisons": "SELECT * FROM comparisons WHERE comparison = ?",
    "comparison_arms": "SELECT * FROM comparison_arms WHERE comparison = ? ORDER BY position",
    "comparison_rows": "SELECT * FROM comparison_rows WHERE comparison = ? ORDER BY arm, position",
}
FACTS = ("name", "outcome", "stage", "detail", "rounds", "weak", "strong", "question_length", "rubric_items")
FLAGS = ("kept", "passed", "fresh")
ITEMS = ("items", "items_weak", "items_strong", "untried")


@dataclass(frozen=True)
class Facts:
    """What was compared with what. documents: ids, in the order they were taken; source: where they are from.

    spend_unit: in which the best-of-k arms are given the spend of others. simulated: roles that a simulation answers.
    """

    domain: str
    preset: str
    instrument: str
    seed: int
    source: str
    documents: tuple[str, ...]
    spend_unit: Unit
    simulated: tuple[str, ...]
    measured_by_simulation: bool
    arms: tuple[Arm, ...]

    @property
    def documents_hash(self) -> str:
        """First 16 hex digits of the SHA-256 over the ids."""
        return sha256("\n".join(self.documents).encode()).hexdigest()[:16]

    @property
    def fingerprint(self) -> str:
        """16 hex digits: the same for two commands that would compare the same with the same instrument."""
        parts = {
            "form": FORM,
            "domain": self.domain,
            "instrument": self.instrument,
            "seed": self.seed,
            "documents": self.documents_hash,
            "spend_unit": self.spend_unit,
            "arms": [(one.name, one.tree) for one in self.arms],
        }
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Compared:
    """A comparison with its rows. arms: with those of best-of-k, which facts does not have: k follows from the spend."""

    name: str
    created_at: str
    facts: Facts
    sandbox: str
    arms: tuple[Arm, ...]
    rows: tuple[Row, ...]


def entry(one: Compared, version: str, settings: str, folder: str) -> dict[str, list[Stored]]:
    """Table -> rows, in the order they are inserted."""
    facts, key = one.facts, {"comparison": one.name}
    head = {
        **key,
        "created_at": one.created_at,
        "version": version,
        "fingerprint": facts.fingerprint,
        **{name: getattr(facts, name) for name in ("domain", "preset", "instrument", "seed", "spend_unit")},
        "sandbox": one.sandbox,
        "source": clean(facts.source),
        "documents_hash": facts.documents_hash,
        "documents": len(facts.documents),
        "simulated": int(facts.measured_by_simulation),
        "simulated_roles": as_json(facts.simulated),
        "settings": settings,
        "folder": folder,
    }
    arms = [{**key, "position": place, **arm_row(arm)} for place, arm in enumerate(one.arms)]
    order = {document: place for place, document in enumerate(facts.documents)}
    rows = [{**key, "position": order[row.document], **row_row(row)} for row in one.rows]
    return {"comparisons": [head], "comparison_arms": arms, "comparison_rows": rows}


def arm_row(arm: Arm) -> Stored:
    """The columns of an arm."""
    return {
        "arm": arm.name,
        "kind": arm.kind,
        "source": clean(arm.source),
        "tree_hash": arm.tree,
        "generations": arm.generations,
        "spend_of": arm.spend_of,
    }


def row_row(row: Row) -> Stored:
    """The columns of a row."""
    flags = {name: None if (value := getattr(row, name)) is None else int(value) for name in FLAGS}
    return {
        "arm": row.arm,
        "document": row.document,
        **{name: clean(getattr(row, name)) for name in (*FACTS, *ITEMS)},
        **flags,
        "gap": row.gap,
        "failures": as_json(row.failures),
        **asdict(row.bill.all),
        **{f"made_{name}": value for name, value in asdict(row.bill.made).items()},
    }


def compared(tables: Mapping[str, Sequence[Stored]]) -> Compared:
    """The inverse of `entry`, from the rows that `QUERIES` read."""
    (head,) = tables["comparisons"]
    arms = tuple(arm_of(one) for one in tables["comparison_arms"])
    rows = tuple(row_of(one) for one in tables["comparison_rows"])
    order = {one["position"]: one["document"] for one in tables["comparison_rows"]}
    facts = Facts(
        **{name: head[name] for name in ("domain", "preset", "instrument", "seed", "source", "spend_unit")},
        documents=tuple(order[place] for place in sorted(order)),
        simulated=tuple(json.loads(head["simulated_roles"])),
        measured_by_simulation=bool(head["simulated"]),
        arms=tuple(one for one in arms if one.kind != "best_of"),
    )
    return Compared(head["comparison"], head["created_at"], facts, head["sandbox"], arms, rows)


def arm_of(row: Stored) -> Arm:
    """An arm from its columns."""
    return Arm(row["arm"], row["kind"], row["source"], row["tree_hash"], row["generations"], row["spend_of"])


def row_of(row: Stored) -> Row:
    """A row from its columns."""
    kept, passed = (None if row[name] is None else bool(row[name]) for name in ("kept", "passed"))
    made = Paid(row["made_calls"], row["made_tokens"], row["made_cost"])
    return Row(
        arm=row["arm"],
        document=row["document"],
        **{name: row[name] for name in (*FACTS, *ITEMS)},
        kept=kept,
        passed=passed,
        fresh=bool(row["fresh"]),
        failures=json.loads(row["failures"]),
        bill=Bill(Paid(row["calls"], row["tokens"], row["cost"]), made),
    )
