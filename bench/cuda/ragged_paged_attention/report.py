#!/usr/bin/env python3
"""report.py OURS.jsonl [PEERS.jsonl]

Prints tables in Markdown from the output of attention_bench and peers.py: our best variant of each step beside PyTorch's
attention on a contiguous cache, the geometric means, and which variant wins where.
"""
import argparse
import json
import math


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(math.log(value) for value in values) / len(values)) if values else float("nan")


def lengths(entry):
    tokens, contexts = entry["tokens"], entry["contexts"]
    if entry["kind"] == "mixed":
        return f"{len(tokens) - 1} × 1 of {contexts[0]:,} and {tokens[-1]:,} of {contexts[-1]:,}"
    if entry["kind"] == "ragged":
        return f"{len(tokens)} × 1 of {min(contexts):,} to {max(contexts):,}"
    return f"{len(tokens)} × {tokens[0]:,} of {contexts[0]:,}"


def read(ours, peers):
    others = {}
    if peers:
        with open(peers) as file:
            for line in file:
                entry = json.loads(line)
                others[entry["kind"], str(entry["shape"]), str(entry["contexts"])] = entry["us"]
    rows = []
    with open(ours) as file:
        for line in file:
            entry = json.loads(line)
            best = min(entry["us"], key=entry["us"].get)
            other = others.get((entry["kind"], str(entry["shape"]), str(entry["contexts"])), {})
            rows.append({**entry, "best": best, "best_us": entry["us"][best], "cudnn": other.get("cudnn"),
                         "flash": other.get("flash")})
    return rows


def rate(row, us):
    if not us:
        return ""
    if row["kind"] in ("prefill", "chunk", "mixed", "mixed_prompt"):
        return f"{row['operations'] / us * 1e-6:.0f}"
    return f"{row['bytes'] / us * 1e-6:.2f}"


def print_table(rows, unit):
    print(f"| new tokens of context | heads | type | best of ours | µs | {unit} | cuDNN µs | {unit} | flash µs | {unit} |"
          " cuDNN / ours | flash / ours |")
    print("|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for row in rows:
        shape = row["shape"]
        cells = [lengths(row), f"{shape[3]} on {shape[4]} of {shape[5]}", "float8" if shape[9] == 2 else "bfloat16",
                 f"`{row['best']}`", f"{row['best_us']:.1f}", rate(row, row["best_us"])]
        for peer in ("cudnn", "flash"):
            cells += [f"{row[peer]:.1f}" if row[peer] else "", rate(row, row[peer])]
        for peer in ("cudnn", "flash"):
            cells.append(f"{row[peer] / row['best_us']:.2f}" if row[peer] else "")
        print("| " + " | ".join(cells) + " |")
    for peer in ("cudnn", "flash"):
        ratios = [row[peer] / row["best_us"] for row in rows if row[peer] and row["shape"][9] != 2]
        if ratios:
            print(f"\n{peer} / ours with a cache of bfloat16: {geometric_mean(ratios):.3f} (geometric mean of"
                  f" {len(ratios)}), {min(ratios):.2f} to {max(ratios):.2f}.")


def print_mixed(rows):
    for at, row in enumerate(rows):
        if row["kind"] == "mixed":
            apart = rows[at - 2]["best_us"] + rows[at - 1]["best_us"]
            print(f"\n{lengths(row)}: both apart {apart:.1f} µs, together {row['best_us']:.1f} µs, ratio"
                  f" {apart / row['best_us']:.2f}.")


def print_winners(rows):
    names = sorted({name for row in rows for name in row["us"]})
    print("\n| variant | wins | within 3 % of the best | of |\n|---|--:|--:|--:|")
    for name in names:
        timed = [row for row in rows if name in row["us"]]
        wins = sum(row["best"] == name for row in timed)
        near = sum(row["us"][name] <= 1.03 * row["best_us"] for row in timed)
        print(f"| `{name}` | {wins} | {near} | {len(timed)} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("peers", nargs="?")
    arguments = parser.parse_args()
    rows = read(arguments.ours, arguments.peers)
    for title, kinds, unit in (("Decode", ("decode", "ragged"), "TB/s"), ("Prompts", ("prefill", "chunk"), "TFLOP/s"),
                               ("Mixed", ("mixed_decode", "mixed_prompt", "mixed"), "TB/s or TFLOP/s")):
        group = [row for row in rows if row["kind"] in kinds]
        if group:
            print(f"\n## {title}\n")
            print_table(group, unit)
    print_mixed(rows)
    print("\n## Which variant wins where")
    print_winners(rows)


if __name__ == "__main__":
    main()
