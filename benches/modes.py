#!/usr/bin/env python3
"""Builds an index of a folder from nothing in every mode, several times, and prints medians.

usage: modes.py GRISTMILL SOURCE [REPEATS]

The modes take turns, so that whatever else the machine does hits them alike. Ends with an
error unless all runs give one digest.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

MODES = ("sequential", "parallel", "pipeline")


def build(program, source, mode, folder):
    """Builds a new index and gives the run's report and the index's digest."""
    index = os.path.join(folder, "index")
    report = os.path.join(folder, "report.json")
    shutil.rmtree(index, ignore_errors=True)
    arguments = ["--source", source, "--index", index, "--mode", mode, "--report", report, "--quiet"]
    code = subprocess.run([program, "run", *arguments], check=False).returncode
    if code not in (0, 3):
        sys.exit(f"{mode}: exit code {code}")
    digest = subprocess.run([program, "digest", "--index", index], check=True, capture_output=True, text=True)
    with open(report, encoding="utf-8") as file:
        return json.load(file), digest.stdout.split()[0]


def main():
    program, source = sys.argv[1:3]
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    reports = {mode: [] for mode in MODES}
    digests = set()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats):
            for mode in MODES:
                report, digest = build(program, source, mode, folder)
                reports[mode].append(report)
                digests.add(digest)
    if len(digests) != 1:
        sys.exit(f"the modes disagree: {digests}")

    def median(mode, value):
        return statistics.median(value(report) for report in reports[mode])

    first = reports[MODES[0]][0]
    print(f"{first['scan']['files']} files, {first['scan']['bytes_read'] / 1e6:.1f} MB read,", end=" ")
    print(f"{first['work']['passages_embedded']} passages embedded; {first['cores']} cores; median of {repeats}")
    print()
    print("| mode | wall s | CPU s | speed-up | overlap efficiency | peak RSS MiB | bottleneck |")
    print("|---|---|---|---|---|---|---|")
    reference = median(MODES[0], lambda report: report["time"]["wall_ms"])
    for mode in MODES:
        wall = median(mode, lambda report: report["time"]["wall_ms"])
        cpu = median(mode, lambda report: report["time"]["cpu_ms"])
        overlap = median(mode, lambda report: report["time"]["overlap_efficiency"])
        memory = median(mode, lambda report: report["peak_memory_bytes"] or 0)
        bottleneck = statistics.mode(report["time"]["bottleneck"] for report in reports[mode])
        row = [mode, f"{wall / 1e3:.2f}", f"{cpu / 1e3:.2f}", f"{reference / wall:.2f}", f"{overlap:.2f}"]
        print("| " + " | ".join([*row, f"{memory / 2**20:.0f}", bottleneck]) + " |")
    print(f"\none digest: {digests.pop()}")


if __name__ == "__main__":
    main()
