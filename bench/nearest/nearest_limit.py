#!/usr/bin/env python3
"""Measures the cost of borrowing the best variant of a neighbour, by distance. This is the reason for the default of
OperationSpec::nearest_limit.

usage: nearest_limit.py TRACE.jsonl...    (lines {"op", "key": {...}, "variant", "latency_us": [...]})

For every ordered pair of keys of a trace, the variant that is fastest (by median) at the first key runs at the second.
The loss is relative to the fastest variant there, the gain relative to the default, which is the first variant of the
trace. Distances are the library's: doublings, summed over the sizes.
"""
import collections
import json
import math
import statistics
import sys

LIMITS = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, math.inf]


def read(path):
    keys = collections.defaultdict(dict)
    for line in open(path):
        row = json.loads(line)
        keys[tuple(row["key"].items())][row["variant"]] = statistics.median(row["latency_us"])
    return keys


def distance(a, b):
    return sum(abs(math.log2(max(x, 0.5) / max(y, 0.5))) for (_, x), (_, y) in zip(a, b))


def mean(values):
    return 100 * statistics.fmean(values)


def report(path):
    keys = read(path)
    bins = collections.defaultdict(list)
    for here, latencies in keys.items():
        best = min(latencies.values())
        default = next(iter(latencies.values()))
        for there, others in keys.items():
            borrowed = min(others, key=others.get)
            if here == there or borrowed not in latencies:
                continue
            limit = next(l for l in LIMITS if distance(here, there) <= l)
            bins[limit].append((latencies[borrowed] / best - 1, latencies[borrowed] / default - 1))
    print(f"\n{path.split('/')[-1]}: {len(keys)} keys\n")
    print("| distance up to | pairs | mean loss % | 95th percentile loss % | worse than the default in % of pairs |")
    print("|---|---|---|---|---|")
    for limit in LIMITS:
        if not bins[limit]:
            continue
        losses = sorted(loss for loss, _ in bins[limit])
        worse = sum(change > 0.01 for _, change in bins[limit]) / len(losses)
        print(f"| {limit} | {len(losses)} | {mean(losses):.1f} | {100 * losses[int(0.95 * (len(losses) - 1))]:.1f} "
              f"| {100 * worse:.0f} |")


for trace in sys.argv[1:]:
    report(trace)
