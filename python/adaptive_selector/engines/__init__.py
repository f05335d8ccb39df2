"""Serving engines whose MoE kernels learn: plugins of vLLM and SGLang.

Both engines find the plugin by the metadata of this package and load it in every process. It does nothing unless
``ADAPTIVE_ENGINES=1`` is set, and leaves an engine of a version that was not tested as it is
(``ADAPTIVE_ENGINES=untested`` tries it all the same). A fault of the plugin never stops an engine: it logs one line.
"""

from __future__ import annotations

import logging
import os

#: The versions that the tests run. Others may ask for configurations in another way.
TESTED = {"vllm": ("0.24.0",), "sglang": ("0.5.15",)}

log = logging.getLogger("adaptive_selector.engines")


def vllm() -> None:
    """The entry point ``vllm.general_plugins``. May be called any number of times."""
    _start("vllm")


def sglang() -> None:
    """The entry point ``sglang.srt.plugins``. May be called any number of times."""
    _start("sglang")


def _start(engine: str) -> None:
    wanted = os.environ.get("ADAPTIVE_ENGINES", "").strip().lower()
    if wanted in ("", "0", "off", "false", "no"):
        return
    try:
        from importlib import import_module
        from importlib.metadata import version

        # "0.24.0+cu130" is a build of 0.24.0.
        installed = version(engine).partition("+")[0]
        if installed not in TESTED[engine] and wanted != "untested":
            log.warning("%s %s is left as it is: tested are %s; ADAPTIVE_ENGINES=untested tries it all the same",
                        engine, installed, ", ".join(TESTED[engine]))
            return
        import_module(f"{__name__}._{engine}").install()
    except Exception as error:
        log.warning("%s is left as it is: %s: %s", engine, type(error).__name__, error)


__all__ = ["TESTED", "sglang", "vllm"]
