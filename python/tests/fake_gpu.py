"""A GPU for Triton that is none: kernels are Python functions of their arguments, and a launch takes as long as a test
says. What Triton does before a launch is Triton's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import adaptive_selector as ads


class Tensor:
    """What Triton sees of a tensor, with a list for its elements."""

    def __init__(self, elements: Any = (), dtype: str = "fp32", address: int = 256) -> None:
        self.elements = list(elements)
        self.dtype = dtype
        self.address = address
        self.zeroed = 0

    def data_ptr(self) -> int:
        return self.address

    def zero_(self) -> None:
        self.zeroed += 1
        self.elements = [0] * len(self.elements)

    def clone(self) -> Tensor:
        return Tensor(self.elements, self.dtype, self.address)

    def copy_(self, other: Tensor) -> None:
        self.elements = list(other.elements)


@dataclass
class Launched:
    """One launch: the constants of the compiled kernel, its options, and all arguments by name."""

    constants: dict[str, Any]
    options: dict[str, Any]
    arguments: dict[str, Any]
    grid: tuple[int, int, int]
    device: int
    stream: int
    timed: bool
    kernel: Any


@dataclass
class Gpu:
    """What tests set and look at."""

    #: Seconds that a launch takes, by its constants, options and arguments.
    latency: Callable[[Launched], float] = lambda launched: 1e-5
    #: What a launch does.
    work: Callable[[Launched], object] = lambda launched: None
    #: Raises for a kernel that does not fit; called with constants and options.
    fits: Callable[[dict[str, Any], dict[str, Any]], object] = lambda constants, options: None
    launches: list[Launched] = field(default_factory=list)
    compiled: list[dict[str, Any]] = field(default_factory=list)
    device: int = 0
    capturing: bool = False
    timing: bool = False  # inside a launch that is timed
    elapsed: float = 0.0  # of the latest launch


class Kernel:
    """Stands in for triton.compiler.CompiledKernel."""

    def __init__(self, gpu: Gpu, source: Any, options: dict[str, Any]) -> None:
        self._gpu = gpu
        self.src = source
        self.options = options
        names = source.fn.arg_names
        self.constants = {names[path[0]]: value for path, value in source.constants.items()}
        self.function = 77
        self.packed_metadata = (options["num_warps"], options["num_ctas"], 0)
        self.hash = "0"

    @property
    def run(self) -> Any:
        self._gpu.fits(self.constants, self.options)
        return self._launch

    def launch_metadata(self, grid: Any, stream: Any, *args: Any) -> None:
        return None

    def _launch(self, x: int, y: int, z: int, stream: int, function: Any, packed: Any, metadata: Any, enter: Any,
                leave: Any, *args: Any) -> None:
        gpu = self._gpu
        launched = Launched(self.constants, self.options, dict(zip(self.src.fn.arg_names, args)), (x, y, z),
                            gpu.device, stream, gpu.timing, self)
        gpu.launches.append(launched)
        gpu.work(launched)
        gpu.elapsed = gpu.latency(launched)


class Driver:
    """Triton's driver of the fake GPU, an H200."""

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu

    def get_current_device(self) -> int:
        return self._gpu.device

    def set_current_device(self, device: int) -> None:
        self._gpu.device = device

    def get_current_stream(self, device: int) -> int:
        return 1000 + device

    def get_current_target(self) -> Any:
        from triton.backends.compiler import GPUTarget

        return GPUTarget("cuda", 90, 32)

    def get_benchmarker(self) -> Any:
        def benchmark(call: Callable[[], object], quantiles: Any) -> list[float]:
            call()
            call()
            return [self._gpu.elapsed * 1e3] * 3

        return benchmark


class Timed:
    """What Site.begin returns for a launch that is timed or captured."""

    def __init__(self, gpu: Gpu, site: ads.Site) -> None:
        self._gpu = gpu
        self.captured = gpu.capturing
        self._operation = site.operation
        self._decision = site.pin() if gpu.capturing else site.select()
        self.timed = not gpu.capturing and self._decision.timed  # type: ignore[union-attr]
        self.variant = self._decision.variant
        gpu.timing = self.timed

    def end(self) -> None:
        if self.timed:
            self._operation.record(self._decision, seconds=self._gpu.elapsed)
        self._gpu.timing = False

    def cancel(self) -> None:
        self._gpu.timing = False

    def fail(self) -> None:
        self._operation.fail(self._decision)
        self._gpu.timing = False


def begin_of(gpu: Gpu) -> Callable[[ads.Site], Callable[[Any], Any]]:
    """As Site.begin, with the clock of the fake GPU."""

    def of(site: ads.Site) -> Callable[[Any], Any]:
        def begin(stream: Any) -> Any:
            timed = Timed(gpu, site)
            return timed if timed.timed or timed.captured else timed.variant

        return begin

    return of


class Compilers:
    """Compiles jobs when a test says so; `wait` of them are held back."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []
        self.at_once = False

    def submit(self, job: Any, done: Callable[[Any], object], priority: float) -> Any:
        from adaptive_selector.triton._pool import Ticket

        ticket = Ticket(job, done, priority, len(self.waiting))
        if self.at_once:
            done(("done", ""))
        else:
            self.waiting.append(ticket)
        return ticket

    def hasten(self, ticket: Any) -> None:
        if ticket in self.waiting:
            ticket.priority = min(t.priority for t in self.waiting) - 1.0

    def withdraw(self, ticket: Any) -> bool:
        waits = ticket in self.waiting
        if waits:
            self.waiting.remove(ticket)
        return waits

    def pending(self) -> int:
        return len(self.waiting)

    def finish(self, count: int = 1_000_000, answer: Any = ("done", "")) -> None:
        """Answers the next jobs."""
        for _ in range(min(count, len(self.waiting))):
            ticket = min(self.waiting)
            self.waiting.remove(ticket)
            ticket.done(answer)


class BinaryDriver(Driver):
    """A driver of the fake GPU for kernels that Triton has really compiled: it loads them nowhere."""

    def __init__(self, gpu: Gpu) -> None:
        super().__init__(gpu)
        self.utils = self
        self.loaded: list[bytes] = []

    def get_device_properties(self, device: int) -> dict[str, int]:
        return {"max_shared_mem": 232_448}

    def load_binary(self, name: str, binary: bytes, shared: int, device: int) -> tuple[int, int, int, int, int]:
        self.loaded.append(binary)
        return 1, 2, 32, 0, 1024

    def unload_module(self, module: Any) -> None:
        pass

    def launcher_cls(self, source: Any, metadata: Any) -> Any:
        names = source.fn.arg_names
        constants = {names[path[0]]: value for path, value in source.constants.items()}

        def launch(x: int, y: int, z: int, stream: int, function: Any, packed: Any, launch_metadata: Any, enter: Any,
                   leave: Any, *args: Any) -> None:
            launched = Launched(constants, metadata._asdict(), dict(zip(names, args)), (x, y, z), self._gpu.device,
                                stream, self._gpu.timing, function)
            self._gpu.launches.append(launched)
            self._gpu.elapsed = self._gpu.latency(launched)

        return launch
