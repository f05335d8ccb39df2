# What nanobind's stub generator cannot see: the methods that run in every launch are not functions of nanobind, and
# signatures that are written by hand name types of Python.

adaptive_selector._core.__prefix__$:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeVar, final
    from ._types import DimensionLike, KeyValue, ReplayPolicy, Stream, VariantLike

    _T = TypeVar("_T")

adaptive_selector\._core\.Decision$:
    @final
    class Decision:
        """What one launch runs. Keep it until the latency is known, or drop it."""

        @property
        def variant(self) -> int:
            """Index of the variant to launch."""
        @property
        def name(self) -> str:
            """Name of the variant to launch."""
        @property
        def timed(self) -> bool:
            """Whether the latency of this launch is wanted. Where it is not, the caller may skip the clock."""

adaptive_selector\._core\.Pin$:
    @final
    class Pin:
        """What a key ran without exploration at one moment: its incumbent. For work that is prepared once and
        repeated, such as a captured graph."""

        @property
        def variant(self) -> int:
            """Index of the variant that the key ran, without exploration, when it was pinned."""
        @property
        def name(self) -> str:
            """Name of the variant."""
        @property
        def stale(self) -> bool:
            """Whether the key has another incumbent by now: prepare the work again with a new pin."""

adaptive_selector\._core\.Site$:
    @final
    class Site:
        """A call site with a fixed key: the look-up is done once. Made by Operation.site."""

        def select(self) -> Decision:
            """Which variant the next launch runs, as Operation.select for the site's key."""
        def variant(self) -> int:
            """Index of the variant that the key runs without exploration, as `pin().variant` at this moment.
            For call sites that time nothing: nothing is learned from them."""
        def pin(self) -> Pin:
            """As Operation.pin for the site's key."""
        def launch(self, *, stream: Stream | None = None) -> Launch:
            """As Operation.launch for the site's key."""
        def begin(self, stream: Stream | None, /) -> int | Launch:
            """Begins a launch without a `with` block, for launchers that count every microsecond.

            Returns the index of the variant where the launch is untimed and not captured: nothing has to be
            ended then. Else a Launch that has been entered: run its variant and call its `end`, `cancel` or
            `fail`."""
        @property
        def operation(self) -> Operation:
            """The operation that it belongs to."""

\.Operation\.select$:
    def select(self, *key: KeyValue) -> Decision:
        \doc

\.Operation\.select_known$:
    def select_known(self, *key: KeyValue) -> Decision | None:
        \doc

\.Operation\.record$:
    def record(self, decision: Decision | Pin, seconds: float) -> None:
        \doc

\.Operation\.launch$:
    def launch(self, *key: KeyValue, stream: Stream | None = None) -> Launch:
        \doc

\.Operation\.pin$:
    def pin(self, *key: KeyValue) -> Pin:
        \doc

\.Operation\.site$:
    def site(self, *key: KeyValue) -> Site:
        \doc

\.Operation\.fail$:
    def fail(self, decision: Decision | Pin, /) -> None:
        \doc

adaptive_selector\._core\.LaunchTable\.find$:
    def find(self, *arguments: object) -> object | None:
        \doc

adaptive_selector\._core\.Launcher\.launch$:
    def launch(self, grid: object, /, *args: object, **kwargs: object) -> object:
        \doc
