"""How one compiled kernel is launched."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

#: (launch, function, cooperative, dependent, packed metadata, hook of the configuration, compiled kernel, its values
#: of the tuned parameters...). ``launch`` takes (grid x, y, z, stream, function, cooperative, dependent, global scratch,
#: profile scratch, packed metadata, launch metadata, enter hook, exit hook, arguments...), as the launcher that Triton
#: compiles for CUDA does.
Entry = tuple[Any, ...]


def entry_of(compiled: Any, run: Any, config: Any, names: Sequence[str]) -> Entry:
    launch, cooperative, dependent = _bare(run)
    values = config.all_kwargs()
    return (launch, compiled.function, cooperative, dependent, compiled.packed_metadata, config.pre_hook, compiled) + tuple(
        values[name] for name in names if name in values
    )


def _bare(run: Any) -> tuple[Any, bool, bool]:
    """The compiled function inside Triton's launcher, where the launcher does nothing else for this kernel."""
    if (
        type(run).__name__ == "CudaLauncher"
        and _takes_arguments_of_triton_3_6(type(run))
        and run.global_scratch_size == 0
        and run.profile_scratch_size == 0
    ):
        return run.launch, run.launch_cooperative_grid, run.launch_pdl

    def through_triton(
        x: int, y: int, z: int, stream: int, function: Any, cooperative: bool, dependent: bool,
        global_scratch: None, profile_scratch: None, *rest: Any,
    ) -> None:
        run(x, y, z, stream, function, *rest)

    return through_triton, False, False


_known: dict[type, bool] = {}


def _takes_arguments_of_triton_3_6(launcher: type) -> bool:
    if launcher not in _known:
        call = getattr(launcher, "__call__")
        try:
            source = inspect.getsource(call)
        except (OSError, TypeError):
            source = ""
        _known[launcher] = (
            list(inspect.signature(call).parameters) == ["self", "gridX", "gridY", "gridZ", "stream", "function", "args"]
            and "self.launch(gridX, gridY, gridZ, stream, function, self.launch_cooperative_grid, self.launch_pdl," in source
            and "global_scratch, profile_scratch, *args)" in source
        )
    return _known[launcher]
