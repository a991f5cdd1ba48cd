#!/usr/bin/env python3
"""Figures of a group of tablet servers on a Ceph cluster of this machine, in units of what the
cluster does: A, M, F, H. See docs/benchmarks.md.

scripts/bench cluster calls this with the programs that it has built and the cluster it has started.
"""

import argparse
import csv
import io
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[1:1] = [str(ROOT / "tests" / "rados"), str(ROOT / "bench" / "service")]

import fail_overs  # pylint: disable=wrong-import-position
import tables      # pylint: disable=wrong-import-position
from tablet_servers import Group  # pylint: disable=wrong-import-position

BEGIN = "<!-- cluster tables begin -->"
END = "<!-- cluster tables end -->"
LEASES = (2000, 500)
GOAL_MILLIS = {2000: 2500, 500: 1000}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", required=True, type=pathlib.Path, help="luna, lunad")
    parser.add_argument("--probe", required=True, type=pathlib.Path, help="luna_micro_rados")
    parser.add_argument("--conf", required=True, help="ceph.conf of the cluster")
    parser.add_argument("--page", help="where the tables go, between their markers; else shown")
    parser.add_argument("--commit", default="unknown")
    parser.add_argument("--store", default="unknown", help="of the cluster, for the text")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of a round's cell")
    parser.add_argument("--tries", type=int, default=20,
                        help="fail-overs of a row; twice as many transfers")
    parser.add_argument("--mebibytes", type=int, default=240, help="of the cold stream")
    return parser.parse_args()


def at(values, part):
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def millis(value):
    return tables.duration(value)


class Figures:

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.rows = []
        self.units = {}
        self.made = 0

    def say(self, text):
        print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)

    def location(self):
        self.made += 1
        return (f"rados:luna?conf={self.options.conf}"
                f"&namespace=figures-{os.getpid()}-{self.made}")

    def row(self, what, figure, units, goal, met):
        self.rows.append(f"| {what} | {figure} | {units} | {goal} | "
                         f"{'–' if met is None else 'yes' if met else '**no**'} |")
        self.say(self.rows[-1])

    def probe(self):
        """A, M, F and the guarded write, once: name → p50, p99 in milliseconds."""
        done = subprocess.run([self.options.probe, self.location(), "200"], check=True,
                              capture_output=True, text=True)
        rows = [line.split() for line in done.stdout.splitlines()]
        return {name: (float(p50) / 1000, float(p99) / 1000) for name, p50, p99, _ in rows}

    def bench(self, server, test, connections):
        done = subprocess.run(
            [self.options.programs / "luna", "--server", server.name, "bench", "--tests", test,
             "--connections", str(connections), "--seconds", str(self.options.seconds),
             "--keys", "1000", "--no-fill", "--csv"], check=True, capture_output=True, text=True)
        row = next(csv.DictReader(io.StringIO(done.stdout)))
        assert float(row["failed"]) == 0, done.stdout
        return {name: float(row[name]) for name in ("requests_per_second", "p50_ms", "p99_ms")}

    def commits(self):
        """Units and commits in turn, so that both meet the same cluster; one client in units of the
        A before and after it, as the cluster is not the same all the time."""
        group = Group(3, self.location(), self.folder, peers=True)
        probes, ratios, cells = [], [], {"one": [], "hundred": [], "get": []}
        try:
            leader = group.leader()
            for _ in range(self.options.rounds):
                probes.append(self.probe())
                cells["one"].append(self.bench(leader, "set", 1))
                probes.append(self.probe())
                ratios.append(2 * cells["one"][-1]["p50_ms"] / sum(
                    probe["A"][0] for probe in probes[-2:]))
                cells["hundred"].append(self.bench(leader, "set", 100))
                cells["get"].append(self.bench(leader, "get", 1))
        finally:
            group.end()
        middle = lambda values: statistics.median(values)  # pylint: disable=unnecessary-lambda
        self.units = {name: [middle([probe[name][i] for probe in probes]) for i in (0, 1)]
                      for name in probes[0]}
        figure = {name: {key: middle([cell[key] for cell in cells[name]]) for key in cells[name][0]}
                  for name in cells}
        self.units["H"] = [figure["get"]["p50_ms"], figure["get"]["p99_ms"]]
        append = self.units["A"][0]
        one, hundred = figure["one"], figure["hundred"]
        ratio = middle(ratios)
        self.row("commit, one client, p50", millis(one["p50_ms"]), f"{ratio:.2f} A", "1.15 A",
                 ratio <= 1.15)
        self.row("commit, one client, p99", millis(one["p99_ms"]),
                 f"{one['p99_ms'] / append:.2f} A", "–", None)
        gain = hundred["requests_per_second"] / one["requests_per_second"]
        self.row("commits of 100 clients against one",
                 f"{hundred['requests_per_second']:,.0f} /s, {one['requests_per_second']:,.0f} /s",
                 f"× {gain:.1f}", "× 30", gain >= 30)
        self.row("commit, 100 clients, p99", millis(hundred["p99_ms"]),
                 f"{hundred['p99_ms'] / append:.2f} A", "3 A", hundred["p99_ms"] <= 3 * append)

    def fail_overs(self):
        for lease in LEASES:
            times = [1000 * seconds for seconds in fail_overs.crashes(
                self.location(), self.folder, lease, self.options.tries)]
            worst = at(times, 0.99)
            self.row(f"fail-over, lease {lease} ms, {len(times)} kills, p50 / p99",
                     f"{at(times, 0.5):.0f} / {worst:.0f} ms", f"L + {worst - lease:.0f} ms",
                     f"p99 {GOAL_MILLIS[lease]} ms", worst <= GOAL_MILLIS[lease])

    def transfers(self):
        """As commits: what a transfer is measured by is measured among them."""
        probes = []
        pairs = fail_overs.transfers(self.location(), self.folder, 2 * self.options.tries,
                                     between=lambda: probes.append(self.probe()))
        times = [1000 * (longest - usual) for longest, usual in pairs]
        usual = 1000 * statistics.median(usual for _, usual in pairs)
        append, fence = (statistics.median(probe[name][0] for probe in probes)
                         for name in ("A", "F"))
        goal = 2 * append + fence + 3 * self.units["H"][0]
        self.row(f"planned transfer, {len(times)} tries, p50 / p99",
                 f"{at(times, 0.5):.1f} / {at(times, 0.99):.0f} ms",
                 f"{at(times, 0.5) / append:.1f} A; here A is {millis(append)}, F {millis(fence)}, "
                 f"usual {usual:.1f} ms",
                 f"p50 2 A + F + 3 H = {goal:.1f} ms", at(times, 0.5) <= goal)

    def cold(self):
        lease = LEASES[0]
        seconds, said = fail_overs.cold(self.location(), self.folder, lease,
                                        mebibytes=self.options.mebibytes // 4)
        self.row("cold take-over, nobody followed", f"{seconds:.2f} s",
                 f"L + {seconds - lease / 1000:.2f} s; {said}", "L + 2 s",
                 seconds <= lease / 1000 + 2)

    def staleness(self):
        ages = fail_overs.staleness(self.location(), self.folder)
        if ages is None:
            self.row("staleness of a follower", "followers do not answer reads", "–",
                     "p99 250 ms", False)
        else:
            ages = [1000 * age for age in ages]
            self.row(f"staleness of a follower, {len(ages)} reads, p50 / p99",
                     f"{at(ages, 0.5):.0f} / {at(ages, 0.99):.0f} ms", "–", "p99 250 ms",
                     at(ages, 0.99) <= 250)

    def text(self):
        units = "\n".join(
            f"| {name} | {what} | {millis(self.units[name][0])} | {millis(self.units[name][1])} |"
            for name, what in (
                ("A", "one append of 200 bytes to a stream"), ("M", "one edit of a manifest"),
                ("F", "one fence"), ("H", "one request that asks no storage: GET, one client"),
                ("guarded", "beside them: an object of 200 bytes overwritten under a guard")))
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
        return f"""Commit {self.options.commit}, {time.strftime('%Y-%m-%d', time.gmtime())}.

Machine: {os.cpu_count()} cores, {memory} GiB, Linux {platform.release()}; the cluster, the \
servers and the clients share it\\
Cluster: `scripts/ceph-devcluster`, 3 OSDs on {self.options.store}, 3 copies\\
Run: medians of {self.options.rounds} rounds of {self.options.seconds:g} s a cell, units and \
commits in turn, and units and transfers

| unit | | p50 | p99 |
|---|---|---:|---:|
{units}

| | figure | in units | goal | met |
|---|---:|---:|---:|---|
""" + "\n".join(self.rows) + "\n"


def main():
    options = parse()
    os.environ["LUNAD"] = str(options.programs / "lunad")
    with tempfile.TemporaryDirectory(prefix="luna-figures-") as folder:
        figures = Figures(options, folder)
        figures.commits()
        figures.fail_overs()
        figures.transfers()
        figures.cold()
        figures.staleness()
    text = figures.text()
    if options.page is None:
        print(text)
    else:
        tables.BEGIN, tables.END = BEGIN, END
        tables.write_down(options.page, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
