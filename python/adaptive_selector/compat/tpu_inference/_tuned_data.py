"""The folder `tuned_data` and its devices."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from adaptive_selector import _core

log = logging.getLogger("adaptive_selector.compat.tpu_inference")


def folder() -> Path | None:
    """Where the files are; None without any."""
    own = os.environ.get("ADAPTIVE_TPU_TUNED_DATA")
    if own:
        return Path(own)
    try:
        spec = find_spec("tpu_inference")
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        data = Path(place) / "kernels" / "tuned_data"
        if data.is_dir():
            return data
    return None


@lru_cache(maxsize=1)
def _kind() -> str:
    try:
        import jax

        return str(jax.devices()[0].device_kind)
    except Exception:
        return ""


def device() -> str:
    """The first device of JAX as files are named, "tpu_v6e"; empty without a TPU."""
    return slug(_kind())


def slug(kind: str) -> str:
    """"TPU v6 lite" is "tpu_v6e", "TPU7x" is "tpu_v7"."""
    import re

    found = re.fullmatch(r"TPU ?v?(\d+)(p|x|e| lite)?", kind.strip(), re.IGNORECASE)
    if found is None:
        return ""
    suffix = (found[2] or "").lower()
    return f"tpu_v{found[1]}" + ("e" if suffix in ("e", " lite") else suffix if suffix == "p" else "")


@lru_cache(maxsize=16)
def _files(path: Path) -> _core.ForeignFiles | None:
    files = _core.ForeignFiles([path], "tpu-inference")
    for name, _, refused in files.files:
        if refused:
            log.warning("%s is not used: %s", name, refused)
    return files if any(rows for _, rows, _ in files.files) else None


@lru_cache(maxsize=65_536)
def row(kernel: str, operation: str, key: tuple[tuple[str, str], ...], of: str = "") -> Mapping[str, Any] | None:
    """The row of a key in the file of this machine's device, or of the device ``of``; None where there is none."""
    data, name = folder(), of or device()
    path = data / kernel / f"{name}.json" if data is not None and name else None
    files = _files(path) if path is not None and path.exists() else None
    if files is None:
        return None
    answer = files.look_up(dict(key), operation=operation, as_the_system=True)
    return None if answer["match"] == "default" else dict(answer["parameters"])


@lru_cache(maxsize=65_536)
def _told(kernel: str, key: object) -> None:
    log.warning("Couldn't find tuned sizes for the %s kernel with %s", kernel, key)


def tell_missing(kernel: str, key: object) -> None:
    """Once for each key."""
    _told(kernel, key)


def forget() -> None:
    """Files are read again, for programs that have changed them."""
    for cached in (_kind, _files, row, _told):
        cached.cache_clear()
