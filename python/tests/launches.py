"""What tests do to an operation over and over."""

from __future__ import annotations

import adaptive_selector as ads


def learn(operation: ads.Operation, *key: int, latencies: tuple[float, ...], calls: int = 2000) -> None:
    """Launches of `key` whose latencies are those of the variants, in seconds, with noise of one percent that is
    the same in every run."""
    for call in range(calls):
        decision = operation.select(*key)
        noise = 1.0 + 0.01 * ((call * 7919) % 13 - 6) / 6
        operation.record(decision, seconds=latencies[decision.variant] * noise)
