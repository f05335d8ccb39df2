#!/usr/bin/env python3
"""report.py FILE.jsonl

Prints tables in Markdown from the output of mixed_bit_bench: the best variant by tokens and widths next to the dense
product in bfloat16, which variant wins where, and what a single choice would lose. For the projections of models, the
shares of the dense rate and their geometric mean instead of the first table.
"""
import argparse
import json
import math


def read(path):
    rows = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            own = {name: us for name, us in entry["us"].items() if not name.startswith("dense ")}
            best = min(own, key=own.get)
            rows.append({**entry, "own": own, "best": best, "best_us": own[best],
                         "dense_us": min(us for name, us in entry["us"].items() if name.startswith("dense "))})
    return rows


def print_table(rows):
    print("| bits | tokens | best variant | us | TB/s | TFLOP/s | dense bf16, us | share of its rate |")
    print("|---|--:|---|--:|--:|--:|--:|--:|")
    for row in rows:
        print(f"| {row['bits']} | {row['tokens']} | `{row['best']}` | {row['best_us']:.1f} |"
              f" {row['bytes'] / row['best_us'] * 1e-6:.2f} | {row['operations'] / row['best_us'] * 1e-6:.0f} |"
              f" {row['dense_us']:.1f} | {row['dense_us'] / row['best_us']:.2f} |")


def print_winners(rows):
    names = sorted({name for row in rows for name in row["own"]})
    print("\n| variant | wins | within 3 % of the best | wins with tokens |\n|---|--:|--:|---|")
    for name in names:
        wins = [row for row in rows if row["best"] == name]
        near = [row for row in rows if row["own"].get(name, math.inf) <= 1.03 * row["best_us"]]
        where = ", ".join(str(tokens) for tokens in sorted({row["tokens"] for row in wins}))
        print(f"| `{name}` | {len(wins)} | {len(near)} | {where} |")
    whole = [name for name in names if all(name in row["own"] for row in rows)]
    loss = {name: math.exp(sum(math.log(row["own"][name] / row["best_us"]) for row in rows) / len(rows))
            for name in whole}
    if loss:
        single = min(loss, key=loss.get)
        most = max(row["own"][single] / row["best_us"] for row in rows)
        print(f"\nThe best single variant, `{single}`, takes {loss[single]:.2f} times as long as the best of each shape"
              f" (geometric mean), {most:.1f} times at most.")


def print_models(rows):
    print("| bits | tokens | projections | geometric mean of the share of the dense rate | least | where |")
    print("|---|--:|--:|--:|--:|---|")
    for bits, tokens in sorted({(row["bits"], row["tokens"]) for row in rows}):
        shares = {tuple(row["shape"][1:3]): row["dense_us"] / row["best_us"] for row in rows
                  if (row["bits"], row["tokens"]) == (bits, tokens)}
        mean = math.exp(sum(math.log(share) for share in shares.values()) / len(shares))
        least = min(shares, key=shares.get)
        print(f"| {bits} | {tokens:.0f} | {len(shares)} | {mean:.2f} | {shares[least]:.2f} |"
              f" {least[0]:.0f} × {least[1]:.0f} |")
    print("\n| model | rows × columns | tokens | best variant | us | dense bf16, us | share of its rate |")
    print("|---|--:|--:|---|--:|--:|--:|")
    for row in rows:
        print(f"| {row['model']} | {row['shape'][1]:.0f} × {row['shape'][2]:.0f} | {row['tokens']:.0f} | `{row['best']}` |"
              f" {row['best_us']:.1f} | {row['dense_us']:.1f} | {row['dense_us'] / row['best_us']:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    rows = read(parser.parse_args().file)
    print_winners(rows)
    print()
    if any(row.get("model") for row in rows):
        print_models(rows)
    else:
        print_table(rows)


if __name__ == "__main__":
    main()
