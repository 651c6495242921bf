"""Who descends from whom, and what that says: whom children are compared with, and who was shown to be beaten. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Descent:
    """parents: candidate -> its parent, of a merge the first one. contenders: parents of whom nothing is claimed.

    claimed: those that survived under a rule that makes claims, which measures a survivor afresh.
    """

    parents: Mapping[str, str | None]
    contenders: frozenset[str] = frozenset()
    claimed: frozenset[str] = frozenset()

    def reference(self, key: str) -> str:
        """Whom the children of a candidate are compared with: itself, or a contender's nearest ancestor that is none."""
        while key in self.contenders and (before := self.parents.get(key)) is not None:
            key = before
        return key

    def outdone(self, among: Collection[str] | None = None) -> frozenset[str]:
        """Those of whom it was shown that another candidate is better, whatever their own scores look like.

        among: only by these.
        """
        beaten = (self.parents.get(one) for one in self.claimed if among is None or one in among)
        return frozenset(self.reference(one) for one in beaten if one is not None)

    def extended(self, later: "Descent") -> "Descent":
        """With those that came later."""
        return Descent(
            {**self.parents, **later.parents},
            self.contenders | later.contenders,
            self.claimed | later.claimed,
        )
