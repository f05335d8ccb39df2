#!/usr/bin/env python3
"""Checks the promises of `adaptive tune` on a real device.

  tune_check.py compare [options] ADAPTIVE FAMILY [tune options…]
      compares a race with an exhaustive search, and with another race
  tune_check.py kill [options] ADAPTIVE FAMILY [tune options…]
      kills a run with SIGKILL at ten random moments, then lets it finish
  --runs FOLDER    keeps the runs in FOLDER; otherwise they are removed
  --seconds N      compare: time limit; compares the shapes that all searches have finished by then
  --json FILE      compare: writes the figures as JSON too

compare prints for how many shapes the winner of the race is that of the exhaustive search, is within 1 % of it by the
medians of the exhaustive search's rounds, or is not surely slower. It prints the second figure for another exhaustive
search too, which shows what a search can reach if clocks change with the load. It also prints how much less kernel time
the race took, and for how many shapes two races agree, in the winner or in calling it a tie. kill checks that no trial
that was in the log before a kill is missing or changed afterwards, and that no trial is there twice. Exit codes: 1 a
promise does not hold, 2 nothing could be measured.
"""
import argparse
import csv
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time


def tune(adaptive, options, runs, name, *more):
    command = [adaptive, "tune", *options, "--runs", runs, "--run-name", name, "--quiet", "--json", *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        print(f"exit code {done.returncode}: {' '.join(command)}", file=sys.stderr)
        sys.exit(2)
    return json.loads(done.stdout)


def by_shape(result):
    return {shape["shape"]: shape for shape in result["shapes"] if shape["done"] and "best" in shape}


def outcome(shape, variant):
    return next((c for c in shape["candidates"] if c["variant"] == variant), None)


def search(adaptive, options, runs, seconds):
    """Runs the four searches. With a limit they run in slices; the next slice is always for the search that has
    finished the fewest shapes, so that all make equal progress."""
    kinds = {"exhaustive": ["--exhaustive"], "first": [], "again": ["--seed", "2"],
             "exhaustive_again": ["--exhaustive", "--seed", "2"]}
    if seconds is None:
        return [tune(adaptive, options, runs, name, *more) for name, more in kinds.items()]
    end = time.monotonic() + seconds
    results = {name: {"state": "running", "shapes": []} for name in kinds}
    while True:
        open_ones = [name for name in kinds if results[name]["state"] != "finished"]
        left = end - time.monotonic()
        if not open_ones or left < 1.0:
            break
        behind = min(open_ones, key=lambda name: len(by_shape(results[name])))
        budget = f"{max(1.0, min(left, seconds / 10)):.1f}"
        results[behind] = tune(adaptive, options, runs, behind, *kinds[behind], "--time-budget", budget)
    return list(results.values())


def medians(path):
    """{shape: {variant: microseconds}} of the rounds of a race, which all candidates share."""
    samples = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["phase"] == "race" and row["status"] == "ok":
                samples.setdefault(row["shape"], {}).setdefault(row["variant"], []).append(float(row["latency_us"]))
    return {shape: {variant: statistics.median(of) for variant, of in variants.items()}
            for shape, variants in samples.items()}


def compare(adaptive, options, runs, seconds, path):
    full_run, first_run, again_run, full_again_run = search(adaptive, options, runs, seconds)
    full, first, again = by_shape(full_run), by_shape(first_run), by_shape(again_run)
    full_again = by_shape(full_again_run)
    shapes = [shape for shape in full if shape in first and shape in again and shape in full_again]
    if not shapes:
        print("no shape was finished by all searches", file=sys.stderr)
        sys.exit(2)
    seen_us = medians(os.path.join(runs, "exhaustive", "trials.csv"))
    same = near = sure = agree = itself = 0
    for shape in shapes:
        winner = first[shape]["best"]
        seen = outcome(full[shape], winner)
        least = 1.01 * min(seen_us[shape].values())
        is_same = winner == full[shape]["best"]
        is_near = is_same or seen_us[shape].get(winner, float("inf")) <= least
        other_best = full_again[shape]["best"]
        itself += other_best == full[shape]["best"] or seen_us[shape].get(other_best, float("inf")) <= least
        same += is_same
        near += is_near
        sure += is_near or (seen is not None and seen["outcome"] == "tied")
        other = outcome(again[shape], winner)
        mine = outcome(first[shape], again[shape]["best"])
        agree += winner == again[shape]["best"] or any(c and c["outcome"] == "tied" for c in (other, mine))
    count = len(shapes)
    exhaustive_s = sum(full[shape]["kernel_ms"] for shape in shapes) / 1e3
    raced_s = sum(first[shape]["kernel_ms"] for shape in shapes) / 1e3
    ratio = exhaustive_s / max(1e-9, raced_s)
    holds = near >= 0.98 * count and agree >= 0.99 * count and ratio >= 5.0
    print(f"device                          {full_run['device']}")
    print(f"shapes                          {count} of {len(full_run['shapes'])}")
    print(f"same winner                     {same} ({100 * same / count:.1f} %)")
    print(f"same, or within 1 %             {near} ({100 * near / count:.1f} %)")
    print(f"same, or not surely slower      {sure} ({100 * sure / count:.1f} %)")
    print(f"exhaustive search against itself, likewise within 1 %  {itself} ({100 * itself / count:.1f} %)")
    print(f"two races agree, winner or tie  {agree} ({100 * agree / count:.1f} %)")
    print(f"kernel time                     {exhaustive_s:.2f} s exhaustive, {raced_s:.2f} s raced: "
          f"{ratio:.1f} times less")
    if path is not None:
        figures = {"family": options[0], "device": full_run["device"], "shapes": count,
                   "asked": len(full_run["shapes"]), "same": same, "near": near, "sure": sure, "itself": itself,
                   "agree": agree, "exhaustive_s": exhaustive_s, "raced_s": raced_s, "ratio": ratio,
                   "holds": holds}
        with open(path, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=2)
    return holds


def trials(path):
    if not os.path.exists(path):
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    result = {}
    for row in rows:
        if None in row.values() or not row["is_best"]:
            continue  # cut off by the kill
        key = (row["shape"], row["phase"], row["round"], row["variant"])
        result.setdefault(key, []).append((row["status"], row["latency_us"]))
    return result


def start(command, log):
    """Returns once the first new trial is in the log: what comes before loses no work."""
    size = os.path.getsize(log) if os.path.exists(log) else 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and (os.path.getsize(log) if os.path.exists(log) else 0) <= size:
        time.sleep(0.001)
    return process


def kill(adaptive, options, runs, kills=10):
    log = os.path.join(runs, "killed", "trials.csv")
    command = [adaptive, "tune", *options, "--runs", runs, "--quiet", "--run-name"]
    random.seed(1)
    undisturbed = start([*command, "undisturbed"], os.path.join(runs, "undisturbed", "trials.csv"))
    begin = time.monotonic()
    undisturbed.wait()
    whole = time.monotonic() - begin
    sound = True
    for number in range(kills):
        before = trials(log)
        process = start([*command, "killed"], log)
        time.sleep(random.uniform(0.0, 1.5 * whole / kills))
        process.send_signal(signal.SIGKILL)
        process.wait()
        after = trials(log)
        lost = [key for key in before if after.get(key) != before[key]]
        print(f"kill {number + 1}: {len(before)} -> {len(after)} trials, {len(lost)} lost or changed")
        sound = sound and not lost
    before = trials(log)
    result = tune(adaptive, options, runs, "killed")
    after = trials(log)
    lost = [key for key in before if after.get(key) != before[key]]
    twice = [key for key, values in after.items() if len(values) > 1]
    print(f"end: {len(before)} -> {len(after)} trials, {len(lost)} lost or changed, {len(twice)} measured again")
    print(f"state {result['state']}, {len(by_shape(result))} shapes")
    # Trials that are in the log twice were in flight at a kill: at most one round for each kill.
    return sound and not lost and result["state"] == "finished" and len({key[:3] for key in twice}) <= kills


def main():
    parser = argparse.ArgumentParser(
        usage="tune_check.py compare|kill [options] ADAPTIVE FAMILY [tune options…]", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("compare", "kill"))
    parser.add_argument("--runs")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--json")
    parser.add_argument("adaptive")
    parser.add_argument("options", nargs=argparse.REMAINDER, metavar="FAMILY [tune options…]")
    arguments = parser.parse_args()
    if not arguments.options:
        parser.error("a family is missing")
    with tempfile.TemporaryDirectory() as temporary:
        runs = arguments.runs or temporary
        if arguments.what == "compare":
            holds = compare(arguments.adaptive, arguments.options, runs, arguments.seconds, arguments.json)
        else:
            holds = kill(arguments.adaptive, arguments.options, runs)
    sys.exit(0 if holds else 1)


main()
