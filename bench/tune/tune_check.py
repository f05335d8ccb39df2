#!/usr/bin/env python3
"""What `adaptive tune` promises, tried on a real device.

  tune_check.py compare ADAPTIVE FAMILY [tune options…]   a race against exhaustive search, and against itself
  tune_check.py kill ADAPTIVE FAMILY [tune options…]      kill -9 at ten random moments, then to the end

compare prints, over the shapes: on how many the race's winner is that of the exhaustive search, within 1 % of
it by the exhaustive search's own figures, or not surely slower; how much less kernel time it took; and on how
many two races agree, in the winner or in calling it a tie. kill checks that no trial in the log before a kill
is missing or changed afterwards, and that none is there twice. Exit code 1 where a promise does not hold.
"""
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time


def tune(adaptive, options, runs, name, *more):
    command = [adaptive, "tune", *options, "--runs", runs, "--run-name", name, "--quiet", "--json", *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 2:
        sys.exit(f"failed: {' '.join(command)}")
    return json.loads(done.stdout)


def by_shape(result):
    return {shape["shape"]: shape for shape in result["shapes"] if shape["done"] and "best" in shape}


def outcome(shape, variant):
    return next((c for c in shape["candidates"] if c["variant"] == variant), None)


def compare(adaptive, options, runs):
    full_run = tune(adaptive, options, runs, "exhaustive", "--exhaustive")
    first_run = tune(adaptive, options, runs, "first")
    again_run = tune(adaptive, options, runs, "again", "--seed", "2")
    full, first, again = by_shape(full_run), by_shape(first_run), by_shape(again_run)
    shapes = [shape for shape in full if shape in first and shape in again]
    same = near = sure = agree = 0
    for shape in shapes:
        winner = first[shape]["best"]
        seen = outcome(full[shape], winner)
        latency = seen.get("latency_us", float("inf")) if seen else float("inf")
        is_same = winner == full[shape]["best"]
        is_near = is_same or latency <= 1.01 * full[shape]["latency_us"]
        same += is_same
        near += is_near
        sure += is_near or (seen is not None and seen["outcome"] == "tied")
        other = outcome(again[shape], winner)
        mine = outcome(first[shape], again[shape]["best"])
        agree += winner == again[shape]["best"] or any(c and c["outcome"] == "tied" for c in (other, mine))
    count = max(1, len(shapes))
    ratio = full_run["kernel_seconds"] / max(1e-9, first_run["kernel_seconds"])
    print(f"device                          {full_run['device']}")
    print(f"shapes                          {len(shapes)}")
    print(f"same winner                     {same} ({100 * same / count:.1f} %)")
    print(f"same, or within 1 %             {near} ({100 * near / count:.1f} %)")
    print(f"same, or not surely slower      {sure} ({100 * sure / count:.1f} %)")
    print(f"two races agree, winner or tie  {agree} ({100 * agree / count:.1f} %)")
    print(f"kernel time                     {full_run['kernel_seconds']:.2f} s exhaustive, "
          f"{first_run['kernel_seconds']:.2f} s raced: {ratio:.1f} times less")
    return near >= 0.98 * count and agree >= 0.99 * count and ratio >= 5.0


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


def kill(adaptive, options, runs, kills=10):
    log = os.path.join(runs, "killed", "trials.csv")
    command = [adaptive, "tune", *options, "--runs", runs, "--run-name", "killed", "--quiet"]
    random.seed(1)
    begin = time.monotonic()
    tune(adaptive, options, runs, "undisturbed")
    whole = time.monotonic() - begin
    sound = True
    for number in range(kills):
        before = trials(log)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(random.uniform(0.02, 1.5 * whole / kills))
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
    # What is in the log twice was in flight: at most a round of every kill.
    return sound and not lost and result["state"] == "finished" and len({key[:3] for key in twice}) <= kills


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ("compare", "kill"):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as runs:
        check = compare if sys.argv[1] == "compare" else kill
        sys.exit(0 if check(sys.argv[2], sys.argv[3:], runs) else 1)


main()
