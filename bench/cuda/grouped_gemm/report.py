#!/usr/bin/env python3
"""report.py OURS.jsonl PEERS.jsonl [--svg FILE.svg]

Prints tables in Markdown from the output of grouped_gemm_bench and peers.py: our best variant and the peers for each
shape, how they compare, which variant wins where, and what a single choice would lose. --svg draws a roofline plot.
Variants that need the routing on the host (cublas_grouped, cublaslt_loop) are listed separately and do not count as ours.
"""
import argparse
import json
import math

HOST_ROUTING = ("cublas_grouped", "cublaslt_loop")
BANDWIDTH = 4.3e12  # bytes a second, a copy on an H200
RATE = 0.8e15  # operations a second, a dense product in bfloat16 through cuBLAS on an H200


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(math.log(value) for value in values) / len(values)) if values else float("nan")


def read(ours, peers):
    others = {}
    with open(peers) as file:
        for line in file:
            entry = json.loads(line)
            others[entry["layer"], entry["routed"]] = entry["us"]
    rows = []
    with open(ours) as file:
        for line in file:
            entry = json.loads(line)
            us = {name: value for name, value in entry["us"].items() if name not in HOST_ROUTING}
            if not us:
                continue
            best = min(us, key=us.get)
            other = others.get((entry["layer"], entry["routed"]), {})
            triton = {name: value for name, value in other.items() if name.startswith("triton")}
            triton_best = min(triton, key=triton.get) if triton else None
            rows.append({
                **entry, "own": us, "best": best, "best_us": us[best],
                "torch_us": other.get("torch._grouped_mm"),
                "triton": triton_best, "triton_us": triton[triton_best] if triton else None,
                "host_us": min((entry["us"][name] for name in HOST_ROUTING if name in entry["us"]), default=None),
                "memory_bound": entry["bytes"] / BANDWIDTH > entry["operations"] / RATE,
            })
    for row in rows:
        peers_us = [value for value in (row["torch_us"], row["triton_us"]) if value]
        row["ratio"] = min(peers_us) / row["best_us"] if peers_us else None
    return rows


def number(value):
    return "" if value is None else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def print_table(rows):
    print("| layer | tokens | experts filled | best of ours | us | TB/s | TFLOP/s | `torch._grouped_mm` us |"
          " best Triton tile | us | best peer / ours | host routing us |")
    print("|---|--:|--:|---|--:|--:|--:|--:|---|--:|--:|--:|")
    for row in rows:
        print(f"| {row['layer']} | {row['routed']} | {row['shape'][4]} of {row['shape'][3]} | `{row['best']}` |"
              f" {number(row['best_us'])} | {row['bytes'] / row['best_us'] * 1e-6:.2f} |"
              f" {row['operations'] / row['best_us'] * 1e-6:.0f} | {number(row['torch_us'])} |"
              f" {(row['triton'] or '').removeprefix('triton_')} | {number(row['triton_us'])} |"
              f" {'' if row['ratio'] is None else format(row['ratio'], '.2f')} | {number(row['host_us'])} |")


def print_summary(rows):
    compared = [row for row in rows if row["ratio"]]
    groups = [
        ("memory-bound", [row for row in compared if row["memory_bound"]]),
        ("memory-bound, 16 tokens and more", [r for r in compared if r["memory_bound"] and r["routed"] >= 16]),
        ("2,048 tokens and more", [row for row in compared if row["routed"] >= 2048]),
        ("all", compared),
    ]
    print("\n| shapes | number | best peer / ours, geometric mean | least | most |\n|---|--:|--:|--:|--:|")
    for name, group in groups:
        if group:
            ratios = [row["ratio"] for row in group]
            print(f"| {name} | {len(group)} | {geometric_mean(ratios):.3f} | {min(ratios):.2f} | {max(ratios):.2f} |")
    streaming = [row for row in rows if row["memory_bound"] and row["routed"] >= 16]
    slow = [row for row in streaming if row["bytes"] / row["best_us"] < 4.0e6]
    print(f"\n{len(streaming) - len(slow)} of {len(streaming)} memory-bound shapes of 16 tokens and more reach"
          " 4.0 TB/s.", end=" ")
    print("Below: " + ", ".join(f"{r['layer']} {r['routed']} ({r['bytes'] / r['best_us'] * 1e-6:.2f})" for r in slow))


def print_winners(rows):
    names = sorted({name for row in rows for name in row["own"]})
    whole = [name for name in names if all(name in row["own"] for row in rows)]
    tokens = sorted({row["routed"] for row in rows})
    print("\n| variant | wins | within 3 % of the best | wins with tokens |\n|---|--:|--:|---|")
    for name in names:
        wins = [row for row in rows if row["best"] == name]
        near = [row for row in rows if row["own"].get(name, 1e30) <= 1.03 * row["best_us"]]
        where = [str(token) for token in tokens if any(row["routed"] == token for row in wins)]
        print(f"| `{name}` | {len(wins)} | {len(near)} | {', '.join(where)} |")
    loss = {name: geometric_mean(row["own"][name] / row["best_us"] for row in rows) for name in whole}
    if loss:
        single = min(loss, key=loss.get)
        most = max(row["own"][single] / row["best_us"] for row in rows)
        print(f"\nThe best single variant, `{single}`, is {100 * (loss[single] - 1):.0f} % slower than the best of"
              f" each shape (geometric mean), {100 * (most - 1):.0f} % at most.")


def plot(rows, path):
    width, height, left, bottom = 760, 460, 60, 50
    x_low, x_high, y_low, y_high = 0.5, 4000.0, 1.0, 1500.0

    def x_of(value):
        return left + (width - left - 20) * math.log(value / x_low) / math.log(x_high / x_low)

    def y_of(value):
        return height - bottom - (height - bottom - 20) * math.log(value / y_low) / math.log(y_high / y_low)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
           f' font-size="11"><rect width="{width}" height="{height}" fill="white"/>']
    for value in (1, 10, 100, 1000):
        out.append(f'<path d="M{left} {y_of(value):.1f}H{width - 20}" stroke="#ddd"/>'
                   f'<text x="{left - 6}" y="{y_of(value) + 4:.1f}" text-anchor="end">{value}</text>')
        out.append(f'<path d="M{x_of(value):.1f} 20V{height - bottom}" stroke="#ddd"/>'
                   f'<text x="{x_of(value):.1f}" y="{height - bottom + 16}" text-anchor="middle">{value}</text>')
    knee = RATE / BANDWIDTH
    out.append(f'<path d="M{x_of(x_low):.1f} {y_of(max(y_low, x_low * BANDWIDTH * 1e-12)):.1f}'
               f'L{x_of(knee):.1f} {y_of(RATE * 1e-12):.1f}H{width - 20}" fill="none" stroke="black"/>')
    out.append(f'<text x="{width - 24}" y="{y_of(RATE * 1e-12) - 6:.1f}" text-anchor="end">'
               f'{RATE * 1e-12:.0f} TFLOP/s, {BANDWIDTH * 1e-12:.1f} TB/s</text>')
    series = [("torch_us", "#d08000", "torch._grouped_mm"), ("triton_us", "#3070c0", "best Triton tile"),
              ("best_us", "#c02020", "best of ours")]
    for index, (key, colour, label) in enumerate(series):
        for row in rows:
            if row[key]:
                x, y = x_of(row["operations"] / row["bytes"]), y_of(row["operations"] / row[key] * 1e-6)
                out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}" fill-opacity="0.7"/>')
        out.append(f'<circle cx="{left + 14}" cy="{30 + 16 * index}" r="4" fill="{colour}"/>'
                   f'<text x="{left + 24}" y="{34 + 16 * index}">{label}</text>')
    out.append(f'<text x="{(left + width) / 2}" y="{height - 12}" text-anchor="middle">operations per byte</text>'
               f'<text transform="translate(16 {height / 2}) rotate(-90)" text-anchor="middle">TFLOP/s</text></svg>')
    with open(path, "w") as file:
        file.write("\n".join(out) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("peers")
    parser.add_argument("--svg")
    arguments = parser.parse_args()
    rows = read(arguments.ours, arguments.peers)
    print_summary(rows)
    print_winners(rows)
    print()
    print_table(rows)
    if arguments.svg:
        plot(rows, arguments.svg)


if __name__ == "__main__":
    main()
