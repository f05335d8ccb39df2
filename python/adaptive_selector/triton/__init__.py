"""Triton kernels that are tuned while they work.

    @ads.triton.autotune(configs=[...], key=["M", "N", "K"])    # in place of triton.autotune, the same arguments
    @triton.jit
    def kernel(...): ...

Or, for kernels that cannot be edited, before they are launched: ``ads.triton.install()``.
"""

from __future__ import annotations

from collections.abc import Callable

import adaptive_selector as ads

from ._autotuner import Autotuner, autotune
from ._install import install, uninstall
from ._settings import settings as _settings


def configure(*, selector: Callable[[int], ads.Selector] | None = None, workers: int | None = None) -> None:
    """How adaptive kernels learn, for the whole process.

    selector: called with the ordinal of a device at the first launch there; its selector. The default is
    ``Selector(tables="standard", device=ordinal)``.
    workers: how many processes compile at most; the default is half the cores, at most 8.

    Raises RuntimeError where a selector is set after the first launch, ValueError for less than one worker.
    """
    _settings.configure(selector, workers)


def selector(device: int | None = None) -> ads.Selector:
    """The selector of a device, for `save`, `explain` and its other members. ``device`` is an ordinal; None is the
    current device."""
    if device is None:
        from triton.runtime.driver import driver

        device = int(driver.active.get_current_device())
    return _settings.selector(device)


def pending() -> int:
    """How many configurations wait for a compiler or are being compiled, in the whole process. A program that warms up
    launches each shape once and goes on when this is 0."""
    return _settings.pending()


def selectors() -> dict[int, ads.Selector]:
    """The selectors that exist by now, by the ordinals of their devices."""
    return dict(_settings.selectors)


__all__ = ["Autotuner", "autotune", "configure", "install", "pending", "selector", "selectors", "uninstall"]
