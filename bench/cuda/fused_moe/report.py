#!/usr/bin/env python3
"""report.py OURS.jsonl PEERS.jsonl

Prints tables in Markdown from the output of fused_moe_bench and peers.py: our best variant and the best pair of Triton
tiles for each shape, which variant wins where, and what a single choice would lose.
"""
import argparse
import json
import math

BANDWIDTH = 4.3e12  # bytes a second, a copy on an H200
# Operations a second of a dense product through cuBLAS or PyTorch on an H200, by dtype.
RATES = {"bfloat16": 0.8e15, "fp8_w8a8": 1.15e15, "int8_w8a16": 0.8e15, "int4_w4a16": 0.8e15, "int8_w8a8": 0.9e15}


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(math.log(value) for value in values) / len(values)) if values else float("nan")


def read(ours, peers):
    others = {}
    with open(peers) as file:
        for line in file:
            entry = json.loads(line)
            others[entry["model"], entry["tokens"]] = entry["us"]
    rows = []
    with open(ours) as file:
        for line in file:
            entry = json.loads(line)
            us = entry["us"]
            best = min(us, key=us.get)
            triton = others.get((entry["model"], entry["tokens"]), {})
            triton_best = min(triton, key=triton.get) if triton else None
            rows.append({
                **entry, "best": best, "best_us": us[best], "triton": triton_best,
                "triton_us": triton[triton_best] if triton else None,
                "ratio": triton[triton_best] / us[best] if triton else None,
                "memory_bound": entry["bytes"] / BANDWIDTH > entry["operations"] / RATES[entry.get("dtype", "bfloat16")],
            })
    return rows


def print_summary(rows):
    compared = [row for row in rows if row["ratio"]]
    groups = [("memory-bound", [row for row in compared if row["memory_bound"]]),
              ("the others", [row for row in compared if not row["memory_bound"]])]
    groups += [(model, [row for row in compared if row["model"] == model])
               for model in dict.fromkeys(row["model"] for row in compared)]
    groups += [(f"{least:,} to {most:,} tokens" if least < most else f"{least} token",
                [row for row in compared if least <= row["tokens"] <= most])
               for least, most in ((1, 1), (2, 8), (16, 256), (512, 1024), (2048, 8192))]
    groups.append(("all", compared))
    print("| shapes | number | Triton / ours, geometric mean | least | most |\n|---|--:|--:|--:|--:|")
    for name, group in groups:
        if group:
            ratios = [row["ratio"] for row in group]
            print(f"| {name} | {len(group)} | {geometric_mean(ratios):.3f} | {min(ratios):.2f} | {max(ratios):.2f} |")
    below = [row for row in compared if row["ratio"] < 0.97]
    print(f"\n{len(below)} of {len(compared)} shapes are below 0.97"
          + "".join(f"{', ' if i else ': '}{row['model']} {row['tokens']} ({row['ratio']:.2f})"
                    for i, row in enumerate(below)) + ".")
    streaming = [row for row in rows if row["memory_bound"] and row["tokens"] >= 16]
    slow = [row for row in streaming if row["bytes"] / row["best_us"] < 4.0e6]
    print(f"\n{len(streaming) - len(slow)} of {len(streaming)} memory-bound shapes of 16 tokens and more reach 4.0 TB/s.")


def print_winners(rows):
    names = sorted({name for row in rows for name in row["us"]})
    tokens = sorted({row["tokens"] for row in rows})
    print("\n| variant | wins | within 3 % of the best | wins with tokens |\n|---|--:|--:|---|")
    for name in names:
        wins = [row for row in rows if row["best"] == name]
        near = [row for row in rows if row["us"].get(name, 1e30) <= 1.03 * row["best_us"]]
        where = [str(token) for token in tokens if any(row["tokens"] == token for row in wins)]
        if near:
            print(f"| `{name}` | {len(wins)} | {len(near)} | {', '.join(where)} |")
    loss = {name: geometric_mean(row["us"][name] / row["best_us"] for row in rows) for name in names
            if all(name in row["us"] for row in rows)}
    if loss:
        single = min(loss, key=loss.get)
        most = max(row["us"][single] / row["best_us"] for row in rows)
        print(f"\nThe best single variant, `{single}`, is {100 * (loss[single] - 1):.0f} % slower than the best of"
              f" each shape (geometric mean), {100 * (most - 1):.0f} % at most.")


def print_table(rows):
    print("\n| model | tokens | experts filled | best of ours | us | TB/s | TFLOP/s | best pair of Triton tiles | us |"
          " Triton / ours |\n|---|--:|--:|---|--:|--:|--:|---|--:|--:|")
    for row in rows:
        triton = (row["triton"] or "").removeprefix("triton_")
        triton_us = "" if row["triton_us"] is None else f"{row['triton_us']:.1f}"
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        print(f"| {row['model']} | {row['tokens']} | {row['shape'][4]} of {row['shape'][3]} | `{row['best']}` |"
              f" {row['best_us']:.1f} | {row['bytes'] / row['best_us'] * 1e-6:.2f} |"
              f" {row['operations'] / row['best_us'] * 1e-6:.0f} | {triton} | {triton_us} | {ratio} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("peers")
    arguments = parser.parse_args()
    rows = read(arguments.ours, arguments.peers)
    print_summary(rows)
    print_winners(rows)
    print_table(rows)


if __name__ == "__main__":
    main()
