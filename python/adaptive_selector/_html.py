"""Explanations as notebooks show them."""

from __future__ import annotations

from html import escape

from ._core import Candidate, Explanation


def _time(seconds: float) -> str:
    if seconds <= 0.0:
        return "–"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _row(candidate: Candidate, explanation: Explanation) -> str:
    roles = [
        role
        for role, name in (("incumbent", explanation.incumbent), ("leader", explanation.leader))
        if name == candidate.name
    ]
    interval = f"{_time(candidate.lower)} … {_time(candidate.upper)}" if candidate.count else "–"
    cells = [
        escape(candidate.name),
        ", ".join(roles),
        str(candidate.count),
        _time(candidate.location),
        interval,
        _time(candidate.seed),
        escape(candidate.verdict),
    ]
    style = "" if candidate.available else ' style="opacity:0.5"'
    return f"<tr{style}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def explanation(explanation: Explanation) -> str:
    heads = ("variant", "", "results", "latency", "confidence", "seed", "verdict")
    head = "".join(f"<th>{name}</th>" for name in heads)
    rows = "".join(_row(candidate, explanation) for candidate in explanation.candidates)
    return (
        f"<div><b>{escape(explanation.operation)}</b> {escape(explanation.key)}"
        f"<br>{escape(explanation.reason)}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
