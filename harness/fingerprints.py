"""Which keys are known, in eight bytes each. It may say yes to a stranger, once in very many; never no to a known key."""

import numpy as np
from numpy.typing import NDArray

LENGTH = 16
GATHERED = 4096


class Fingerprints:
    """The first eight bytes of hex keys: a sorted array, and those that came since it was last sorted."""

    def __init__(self, known: str = "") -> None:
        """`known`: the first 16 hex digits of every key, one after the other without a gap, in any order.

        Raises:
            ValueError: there are other signs than hex digits in it.
        """
        numbers = np.frombuffer(bytes.fromhex(known), dtype=">i8").astype(np.int64)
        numbers.sort()
        self.sorted: NDArray[np.int64] = numbers
        self.recent: set[int] = set()

    def __contains__(self, key: str) -> bool:
        number = fingerprint(key)
        if number in self.recent:
            return True
        at = int(self.sorted.searchsorted(np.int64(number)))
        return at < len(self.sorted) and int(self.sorted[at]) == number

    def __len__(self) -> int:
        return len(self.sorted) + len(self.recent)

    def add(self, key: str) -> None:
        """Remember a key."""
        self.recent.add(fingerprint(key))
        if len(self.recent) >= GATHERED:
            new = np.array(sorted(self.recent), dtype=np.int64)
            self.sorted = np.insert(self.sorted, self.sorted.searchsorted(new), new)
            self.recent.clear()


def fingerprint(key: str) -> int:
    """The first eight bytes of a hex key as a signed number; a shorter key is filled up with zeros.

    Raises:
        ValueError: it is no hex.
    """
    return int.from_bytes(bytes.fromhex(key[:LENGTH].ljust(LENGTH, "0")), "big", signed=True)
