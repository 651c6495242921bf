"""Offline models that see only the messages and react to what they say; their scores show the machinery, not quality."""

from harness.models.simulated.transport import VERSION, Faults, SimulatedTransport, complete

__all__ = ["VERSION", "Faults", "SimulatedTransport", "complete"]
