"""Picks the fastest variant of a kernel at run time and keeps learning.

    import adaptive_selector as ads

    selector = ads.Selector(tables="standard")
    op = selector.define("gemm", dimensions=["m", "n", "k"], variants=["a", "b"])
    decision = op.select(m, n, k)
    kernels[decision.variant](...)
    op.record(decision, seconds=...)

Latencies are in seconds everywhere. Any number of threads may use a selector and what it makes.
"""

from . import _core
from ._core import (
    Candidate,
    Counters,
    Decision,
    Dimension,
    Event,
    Explanation,
    Fingerprint,
    Forced,
    Launch,
    LearningOptions,
    Operation,
    Pin,
    RankEpochs,
    Saver,
    SaverStatus,
    Selector,
    Site,
    Store,
    Variant,
    file_store,
    gpu_count,
    gpu_device,
    host_device,
    normalised_device,
    policy_names,
    standard_tables,
    why_no_gpu,
)
from ._errors import Error

if hasattr(_core, "replay"):
    from ._core import replay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._core import replay as replay
    from . import triton as triton
    from ._choice import Choice as Choice
    from ._choice import jit_choice as jit_choice
    from ._tuning import Trial as Trial
    from ._tuning import Tuning as Tuning
    from ._tuning import tune as tune

__version__: str = _core.version

# Loaded when they are first used: importing this package imports nothing else.
_LATER = {"Choice": "_choice", "jit_choice": "_choice", "Trial": "_tuning", "Tuning": "_tuning", "tune": "_tuning"}


def __getattr__(name: str) -> object:
    if name == "triton":  # imports Triton
        from importlib import import_module

        return import_module(f"{__name__}.triton")
    if name == "replay":
        raise AttributeError("this package was built without replays, which come with the tool `adaptive`")
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value

__all__ = [
    "Candidate",
    "Choice",
    "Counters",
    "Decision",
    "Dimension",
    "Error",
    "Event",
    "Explanation",
    "Fingerprint",
    "Forced",
    "Launch",
    "LearningOptions",
    "Operation",
    "Pin",
    "RankEpochs",
    "Saver",
    "SaverStatus",
    "Selector",
    "Site",
    "Store",
    "Trial",
    "Tuning",
    "Variant",
    "file_store",
    "gpu_count",
    "gpu_device",
    "host_device",
    "jit_choice",
    "normalised_device",
    "policy_names",
    "standard_tables",
    "tune",
    "why_no_gpu",
]
