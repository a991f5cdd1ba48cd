#!/usr/bin/env python3
"""lunad beside redis-server: same machine, same run, cell by cell in turn. See docs/benchmarks.md.

scripts/bench service calls this with the programs that it has built.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import time

import servers
import tables
from drivers import Cell, LunaBench, RedisBenchmark

SIZES = (100, 1024)
PIPELINES = (1, 16)
LEVELS = ("process", "device")
TITLES = {
    "process": "Process durability: an answered write survives `kill -9` "
               "(Luna `process`, Redis `everysec`)",
    "device": "Device durability: an answered write survives power loss "
              "(Luna `device`, Redis `always`)",
}


def all_cells(level):
    """Reads are the same whatever a write promises: only in one class."""
    commands = ("set", "get") if level == "process" else ("set",)
    return [Cell(command, size, pipeline, level)
            for size in SIZES for command in commands for pipeline in PIPELINES]


class Comparison:
    """Runs cells and keeps what was measured. The servers change places from round to round. What
    was measured while the host gave more of the machine to others than `stolen` is measured again,
    on both servers; if it is never better, the best of the tries counts."""

    def __init__(self, options):
        self.options = options
        self.running = []
        self.drivers = []
        arguments = (options.connections, options.keys, options.seconds)
        if options.driver in ("redis-benchmark", "both"):
            self.drivers.append(RedisBenchmark(*arguments))
        if options.driver in ("luna", "both"):
            self.drivers.append(LunaBench(options.programs / "luna", *arguments))
        self.journal = open(options.measures, "a" if options.keep else "w", encoding="utf-8")
        self.failures = 0
        self.again = 0  # tries for which another was made
        self.disturbed = 0  # rounds of a cell that were never better
        self.worst = 0

    def start(self, start, *arguments, **names):
        server = start(*arguments, **names)
        self.running.append(server)
        return server

    def stop_all(self):
        while self.running:
            self.running.pop().stop()

    def lunad(self, level, name="lunad", more=(), program=None):
        more = [*shlex.split(self.options.lunad_options), *more]
        return self.start(servers.start_lunad, program or self.options.programs / "lunad", level,
                          self.options.directory / f"{name}-{level}", more, name)

    def redis(self, level):
        return self.start(servers.start_redis, level, self.options.directory / f"redis-{level}")

    def pair(self, level):
        """lunad and what it is measured against."""
        other = self.options.against
        if other is None:
            return [self.lunad(level), self.redis(level)]
        return [self.lunad(level), self.lunad(level, "other", program=other / "lunad")]

    def run_class(self, title, cells, pair):
        """Every cell on one server, then on the other; driver by driver. Markdown."""
        text = f"#### {title}\n"
        for driver in self.drivers:
            results = {}
            for turn in range(self.options.rounds):
                order = pair if turn % 2 == 0 else pair[::-1]
                for cell in cells:
                    for server, measure in self.calm(driver, order, cell, turn).items():
                        results.setdefault((cell, server), []).append(measure)
            text += (f"\nDriver: {driver.name}\n\n"
                     f"{tables.table(cells, results, *(server.name for server in pair))}\n")
        return text

    def calm(self, driver, order, cell, turn):
        """Measures of the servers by name, of the try of which least was stolen."""
        best, least = {}, None
        for attempt in range(self.options.tries):
            self.again += attempt > 0
            measures = {}
            for server in order:
                measure = self.run_cell(driver, server, cell, turn)
                if measure is None:
                    return {}
                measures[server.name] = measure
            stolen = max(measure.stolen for measure in measures.values())
            if least is None or stolen < least:
                best, least = measures, stolen
            if least <= self.options.stolen:
                return best
        self.disturbed += 1
        self.worst = max(self.worst, least)
        return best

    def run_cell(self, driver, server, cell, turn):
        try:
            measure = driver.measure(server, cell)
        except RuntimeError as error:
            self.failures += 1
            print(f"{server.name}, {cell.name()}: {error}", file=sys.stderr)
            return None
        self.journal.write(json.dumps({
            "round": turn, "driver": driver.name, "server": server.name,
            **dataclasses.asdict(cell), **dataclasses.asdict(measure)}) + "\n")
        self.journal.flush()
        print(f"  {turn + 1}/{self.options.rounds} {driver.name:15} {cell.level:7} "
              f"{cell.name():26} {server.name:9} {tables.number(measure.requests_per_second):>9}/s "
              f"p99 {tables.duration(measure.p99):>8}  server {measure.server_micros():6.2f} µs "
              f"client {measure.client_micros():5.2f} µs stolen {measure.stolen:.1%}",
              file=sys.stderr)
        return measure

    def chosen(self, cells):
        wanted = self.options.cells.lower()
        return [cell for cell in cells if wanted in cell.name().lower()]

    def knows_reads(self):
        """Whether this lunad lets us choose where reads run."""
        words = [self.options.programs / "lunad", "--reads", "workers", "--print-config"]
        known = subprocess.run(words, capture_output=True, check=False).returncode == 0
        if not known:
            print("lunad has no --reads: that comparison is left out", file=sys.stderr)
        return known

    def run(self):
        text = ""
        for level in self.options.levels:
            cells = self.chosen(all_cells(level))
            if cells:
                pair = self.pair(level)
                text += self.run_class(TITLES[level], cells, pair) + "\n"
                self.stop_all()
        reads = self.chosen([cell for cell in all_cells("process") if cell.command == "get"])
        if reads and self.options.reads_row and self.knows_reads():
            pair = [self.lunad("process", "handlers", ["--reads", "handlers"]),
                    self.lunad("process", "workers", ["--reads", "workers"])]
            text += self.run_class("Reads on the handler's thread, or through the read queue",
                                   reads, pair) + "\n"
            self.stop_all()
        return text


def first_line(words):
    return subprocess.run(words, capture_output=True, text=True,
                          check=False).stdout.split("\n")[0].strip()


def machine():
    """What the figures were measured on and with."""
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE") / 2**30
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}"


def heading(options, comparison):
    commit = first_line(["git", "describe", "--always", "--dirty", "--exclude", "*"])
    version = first_line(["redis-server", "--version"]).split(" ")[2].removeprefix("v=")
    other = (f"`redis-server --save '' --appendonly yes`, Redis {version}"
             if options.against is None else "`other`: another build of lunad")
    extra = f" {options.lunad_options}" if options.lunad_options else ""
    return (f"Commit {commit}, {time.strftime('%Y-%m-%d', time.gmtime())}.\n\n"
            f"Machine: {machine()}  \n"
            f"Servers: `lunad{extra}`; {other}  \n"
            f"Run: medians of {options.rounds} round(s) of {options.seconds:g} s a cell, "
            f"{options.connections} connections, {options.keys:,} keys  \n"
            f"Host: {comparison.again} tries again, as over {options.stolen:.1%} of the machine's "
            f"time went to others; {comparison.disturbed} rounds of a cell were never better (at "
            f"most {comparison.worst:.1%})  \n"
            f"CPU: µs of the server a request, all threads, background included, all rounds "
            "together; of the client, Luna / other. Ratios: Luna ÷ other, bold where Luna is "
            "better.\n")


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench service", description=__doc__)
    parser.add_argument("--quick", action="store_true",
                        help="one round of one second a cell, shown and not written down")
    parser.add_argument("--programs", type=pathlib.Path, required=True,
                        help="directory with luna and lunad")
    parser.add_argument("--driver", choices=("redis-benchmark", "luna", "both"), default="both")
    parser.add_argument("--rounds", type=int, help="5, or 1 with --quick")
    parser.add_argument("--seconds", type=float, help="of a cell: 2, or 1 with --quick")
    parser.add_argument("--stolen", type=float, default=0.01,
                        help="share of the machine's time that its host may give to others while a "
                             "cell is measured; else it is measured again (0.01)")
    parser.add_argument("--tries", type=int, default=3, help="of a cell, with that (3)")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--levels", type=lambda text: text.split(","), default=list(LEVELS),
                        help="process,device")
    parser.add_argument("--cells", default="",
                        help="only cells whose name has this in it: 'SET 100 B', 'pipeline 16'")
    parser.add_argument("--no-reads-row", dest="reads_row", action="store_false",
                        help="not: reads on handlers beside the read queue")
    parser.add_argument("--lunad-options", default="", help="more options for lunad, in one word")
    parser.add_argument("--against", type=pathlib.Path,
                        help="directory with another build's lunad, in place of Redis; shown and "
                             "not written down")
    parser.add_argument("--directory", type=pathlib.Path, default="build/bench-results/service")
    parser.add_argument("--measures", type=pathlib.Path,
                        default="build/bench-results/service-measures.jsonl",
                        help="file for every single measure, as JSON lines")
    parser.add_argument("--keep", action="store_true", help="add to that file")
    parser.add_argument("--page", default="docs/benchmarks.md")
    options = parser.parse_args()
    if not set(options.levels) <= set(LEVELS):
        parser.error(f"--levels: {','.join(LEVELS)}")
    whole = not options.quick and options.reads_row and not options.cells \
        and options.against is None and options.driver == "both" \
        and options.levels == list(LEVELS)
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 2)
    options.programs = options.programs.resolve()
    options.against = options.against and options.against.resolve()
    options.directory = options.directory.resolve()
    options.measures.parent.mkdir(parents=True, exist_ok=True)
    return options, whole


def end(*_):
    raise SystemExit(143)


def main():
    options, whole = parse()  # only a run of all cells replaces the published figures
    signal.signal(signal.SIGTERM, end)
    comparison = Comparison(options)
    try:
        text = comparison.run()
        text = heading(options, comparison) + "\n" + text
    finally:
        comparison.stop_all()
        shutil.rmtree(options.directory, ignore_errors=True)
    if whole and not comparison.failures:
        tables.write_down(options.page, text)
        print(f"written: {options.page}; every measure: {options.measures}")
    else:
        print(text)
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
