"""Functions of other systems, answered by this package.

    from adaptive_selector.compat.metal_marlin import MixedBPWAutoTuner          # in place of metal_marlin.trellis...
    from adaptive_selector.compat.megablox import get_optimal_tiling_for_gmm     # in place of sgl_jax.srt...

A program that is not to be edited keeps its imports: ``adaptive_selector.compat.install()`` before them, or
``python -m adaptive_selector.compat PROGRAM`` in place of ``python PROGRAM``.
"""

from ._stand_in import install, stands_in_for, uninstall

__all__ = ["install", "stands_in_for", "uninstall"]
