"""The program of a worker process: compiles kernels into Triton's cache until its input ends.

Messages come on the standard input and are answered on the descriptor that was the standard output; whatever
compilers print goes to the standard error.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from ._messages import READY, read, write


class _Driver:
    """Stands in for the GPU's driver, which a worker must not touch: kernels may ask for the target."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def get_current_target(self) -> Any:
        return self._target


def compile_job(job: dict[str, Any]) -> str:
    """Compiles one configuration; returns the hash under which Triton's cache has it."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    from triton.runtime.driver import driver

    from ._portable import Decoder

    for name in [name for name in os.environ if name not in job["environment"]]:
        del os.environ[name]
    os.environ.update(job["environment"])
    for group, values in job["knobs"].items():
        vars(getattr(triton.knobs, group)).update(values)

    target = GPUTarget(*job["target"])
    driver.set_active(_Driver(target))
    decoder = Decoder(job["functions"])
    function = decoder.function(0)
    if job["name"] is not None:
        name = job["name"]
        function._repr = lambda _: name
    constants = {path: decoder.value(value) for path, value in job["constants"]}
    source = ASTSource(function, job["signature"], constants, job["attributes"])
    kernel = triton.compile(source, target=target, options=job["options"])
    return str(kernel.hash)


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        os.nice(10)
    except OSError:
        pass
    write(answers, READY)  # the import of this package has imported the compiler
    while True:
        job = read(sys.stdin.buffer)
        if job is None:
            return
        try:
            answer: tuple[str, ...] = ("done", compile_job(job))
        except BaseException as error:
            answer = ("failed", type(error).__name__, str(error))
        try:
            write(answers, answer)
        except BrokenPipeError:  # the program has ended
            return
