"""Which device a selector is for."""

from __future__ import annotations

from . import _core
from ._core import Fingerprint
from ._errors import Error


def fingerprint(device: Fingerprint | int | str | None) -> Fingerprint:
    if isinstance(device, Fingerprint):
        return device
    if device == "host":
        return _core.host_device()
    if device is None:
        return _core.gpu_device() if _core.gpu_count() > 0 else _core.host_device()
    if isinstance(device, int):
        if why := _core.why_no_gpu():
            raise Error(why, f"device {device}", "device='host' is the processor", "unsupported")
        return _core.gpu_device(device)
    raise TypeError(f"device is None, 'host', the ordinal of a GPU or a Fingerprint, not {device!r}")
