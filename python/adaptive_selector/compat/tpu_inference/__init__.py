"""Tuned block sizes of tpu-inference's kernels, with its functions: one module for each kernel.

They read the same files, ``tuned_data/KERNEL/DEVICE.json``, in the folder ``ADAPTIVE_TPU_TUNED_DATA``, else in the installed
package ``tpu_inference``. Under `adaptive_selector.compat.install` a function that knows no row asks tpu-inference's own.
"""
