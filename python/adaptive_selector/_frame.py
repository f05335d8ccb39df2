"""What an operation knows, as a table of pandas."""

from __future__ import annotations

from typing import Any

from ._core import Operation

_FIELDS = ("available", "calls", "count", "failures", "pending", "mean", "deviation", "location", "lower", "upper",
           "seed", "seed_deviation")


def of_operation(operation: Operation) -> Any:
    """One row for each candidate of each key."""
    import pandas

    names = [dimension.name for dimension in operation.dimensions]
    columns = [*names, "variant", "incumbent", "leader", *_FIELDS]
    rows = []
    for key in operation.keys():
        explanation = operation.explain(*key)
        for candidate in explanation.candidates:
            rows.append([
                *key, candidate.name, candidate.name == explanation.incumbent,
                candidate.name == explanation.leader,
                *(getattr(candidate, field) for field in _FIELDS),
            ])
    return pandas.DataFrame(rows, columns=columns)
