# %% [markdown]
# # A tour in Python
#
# This page is `python/examples/tour.py` with what its cells print; `python docs/render_tour.py` makes it. The GPU of the tour
# is simulated, so that the tour runs anywhere and always ends the same: the latencies below are invented. Everything else is as in a
# program that launches kernels.

# %% [markdown]
# ## An operation
#
# A product of matrices has three implementations. Which one is the fastest depends on the number of rows, `m`.

# %%
import random

import adaptive_selector as ads

selector = ads.Selector(tables=None, device="host", seed=1, use_environment=False)
tiles = [16, 64, 256]
variants = [ads.Variant(f"tile{tile}", parameters={"tile": tile}) for tile in tiles]
product = selector.define("product", dimensions=["m", "n"], variants=variants)
noise = random.Random(1)


def latency(variant: int, m: int, n: int) -> float:
    """Seconds of one launch: a fixed part, and work in whole tiles, of which large ones are more efficient."""
    tile = tiles[variant]
    rows = -(-m // tile) * tile
    return (5e-6 + rows * n * 1e-12 * (1.0 + 24.0 / tile)) * noise.gauss(1.0, 0.02)


# %% [markdown]
# ## A run
#
# The program asks before each launch which variant to run, and reports the latency where it is wanted. Of 1,000 launches only some are
# timed.

# %%
launches: list[tuple[int, str, float]] = []
timed = 0
for call in range(1000):
    decision = product.select(512, 8192)
    seconds = latency(decision.variant, 512, 8192)
    launches.append((call, decision.name, seconds * 1e6))
    if decision.timed:
        timed += 1
        product.record(decision, seconds=seconds)
print(f"{timed} of {len(launches)} launches were timed")

# %% [markdown]
# The picture shows the latency of every launch, in microseconds, by variant. After a few looks at each, the fastest runs.

# %% [figure]
figure = ("Latency of 1,000 launches by variant, in microseconds", launches)

# %% [markdown]
# ## Why this variant?

# %%
print(product.explain(512, 8192))

# %% [markdown]
# ## Other shapes
#
# The program meets more shapes. Each learns from its own launches and starts from what the others have shown.

# %%
shapes = [(m, n) for m in (16, 48, 128, 300, 1024, 4096) for n in (4096, 8192)]
for call in range(4000):
    m, n = shapes[call % len(shapes)]
    decision = product.select(m, n)
    if decision.timed:
        product.record(decision, seconds=latency(decision.variant, m, n))
for m, n in shapes:
    print(f"m = {m:4}, n = {n}: {product.pin(m, n).name}")

# %% [markdown]
# A shape that has not been seen starts from a neighbour or from a prediction instead of the default:

# %%
selector.fit_predictions()
new = product.explain(2000, 6000)
print(f"{new.match}: {new.running}")

# %% [markdown]
# ## Everything at once
#
# `to_pandas` gives a table for one's own questions (`pip install pandas`).

# %%
try:
    frame = product.to_pandas()
    best = frame[frame.leader & (frame.n == 8192)]
    print(best[["m", "n", "variant", "count", "location"]].to_string(index=False))
except ImportError:
    print("pandas is not installed")

# %% [markdown]
# ## The next run
#
# What was learned is a table. The next run starts from it and explores little.

# %%
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    selector.save(Path(folder) / "product.json")
    again = ads.Selector(tables=Path(folder) / "product.json", device="host", seed=2, use_environment=False)
    operation = again.define("product", ["m", "n"], variants)
    start = operation.explain(512, 8192)
    print(f"{start.match}: {start.running}")
