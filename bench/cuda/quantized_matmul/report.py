#!/usr/bin/env python3
"""report.py OURS.jsonl PEERS.jsonl [--all]

Prints tables in Markdown from the output of quantized_matmul_bench and peers.py: by kind of product and tokens, geometric
means over the layers. With --all also each shape.
"""
import argparse
import json
import math


def is_library(name):
    return name.startswith("lt") or "cublas" in name


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def read(ours, peers):
    by_shape = {tuple(entry["shape"]): entry["us"] for entry in lines_of(peers)}
    rows = []
    for entry in lines_of(ours):
        us = dict(entry["us"])
        reading = us.pop("read")
        overlapping = us.pop("read_overlapping", None)
        own = {name: value for name, value in us.items() if not is_library(name)}
        library = {name: value for name, value in us.items() if is_library(name)}
        peer = by_shape.get(tuple(entry["shape"]), {})
        rows.append({**entry, "reading": reading, "overlapping": overlapping, "best": min(us.values()), "winner": min(us, key=us.get),
                     "own": min(own.values(), default=None), "own_name": min(own, key=own.get, default=""),
                     "library": min(library.values(), default=None),
                     "peer": min(peer.values(), default=None), "peer_name": min(peer, key=peer.get, default="")})
    return rows


def mean(values):
    values = [value for value in values if value is not None]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def cell(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"


def ratio(above, below):
    return None if above is None or below is None else above / below


def print_means(rows):
    print("| product | tokens | best, TB/s | best, Top/s | rate of reading | rate of overlapping reads | all over peer | own over peer | own over library |"
          " least of all over peer |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for kind in dict.fromkeys(row["kind"] for row in rows):
        for tokens in sorted({row["tokens"] for row in rows if row["kind"] == kind}):
            group = [row for row in rows if row["kind"] == kind and row["tokens"] == tokens]
            of = [ratio(row["peer"], row["best"]) for row in group]
            print(f"| {kind} | {tokens} | {cell(mean(row['bytes'] / row['best'] * 1e-6 for row in group))} |"
                  f" {cell(mean(row['operations'] / row['best'] * 1e-6 for row in group), 0)} |"
                  f" {cell(mean(row['reading'] / row['best'] for row in group))} |"
                  f" {cell(mean(ratio(row['overlapping'], row['best']) for row in group))} | {cell(mean(of))} |"
                  f" {cell(mean(ratio(row['peer'], row['own']) for row in group))} |"
                  f" {cell(mean(ratio(row['library'], row['own']) for row in group))} |"
                  f" {cell(min((value for value in of if value is not None), default=None))} |")


def print_winners(rows):
    print("\n| product | variant | wins | with tokens |\n|---|---|--:|---|")
    for kind in dict.fromkeys(row["kind"] for row in rows):
        wins = {}
        for row in rows:
            if row["kind"] == kind:
                name = "a library" if is_library(row["winner"]) else f"`{row['winner']}`"
                wins.setdefault(name, []).append(row["tokens"])
        for name, tokens in sorted(wins.items(), key=lambda item: -len(item[1])):
            print(f"| {kind} | {name} | {len(tokens)} | {', '.join(map(str, sorted(set(tokens))))} |")


def print_shapes(rows):
    print("\n| product | layer | tokens | best | us | own | us | library, us | peer, us | reading, us |")
    print("|---|---|--:|---|--:|---|--:|--:|--:|--:|")
    for row in rows:
        print(f"| {row['kind']} | {row['layer']} | {row['tokens']} | `{row['winner']}` | {row['best']:.1f} |"
              f" `{row['own_name']}` | {cell(row['own'], 1)} | {cell(row['library'], 1)} | {cell(row['peer'], 1)} |"
              f" {row['reading']:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours")
    parser.add_argument("peers")
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    rows = read(arguments.ours, arguments.peers)
    print_means(rows)
    print_winners(rows)
    if arguments.all:
        print_shapes(rows)


if __name__ == "__main__":
    main()
