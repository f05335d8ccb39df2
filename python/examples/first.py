"""Two ways to sort on the host; the faster one for each size is found while the program runs."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

import adaptive_selector as ads


def heap_sort(values: list[float]) -> list[float]:
    heap = list(values)
    heapq.heapify(heap)
    return [heapq.heappop(heap) for _ in range(len(heap))]


variants: dict[str, Callable[[list[float]], list[float]]] = {"heap_sort": heap_sort, "sorted": sorted}
functions = list(variants.values())

selector = ads.Selector(tables="standard", device="host")
sort = selector.define("sort", dimensions=["count"], variants=list(variants))

for call in range(300):
    count = random.choice([10, 100, 1000])
    values = [random.random() for _ in range(count)]
    with sort.launch(count) as launch:
        functions[launch.variant](values)

print(sort.explain(1000))
selector.save("adapted.json")
