"""The two clients: Debian's redis-benchmark, and luna bench. Each turns a cell into one Measure."""

import csv
import dataclasses
import io
import json
import os
import pathlib
import resource
import subprocess
import time

DRIVE_SECONDS_MAX = 300


@dataclasses.dataclass(frozen=True)
class Cell:
    """What is measured: a command, the size of its values, requests in a batch, durability."""
    command: str
    value_bytes: int
    pipeline: int
    level: str

    def name(self):
        size = f"{self.value_bytes} B" if self.value_bytes < 1024 else \
            f"{self.value_bytes // 1024} KiB"
        return f"{self.command.upper()} {size}, pipeline {self.pipeline}"


@dataclasses.dataclass
class Measure:
    """Of one run. Times in seconds, latencies in milliseconds."""
    requests: int
    requests_per_second: float
    p50: float
    p99: float
    server_cpu: float = 0
    client_cpu: float = 0
    resident_bytes: int = 0
    stolen: float = 0  # share of the machine's time that its host gave to others meanwhile

    def server_micros(self):
        return self.server_cpu / self.requests * 1e6

    def client_micros(self):
        return self.client_cpu / self.requests * 1e6


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def stolen_seconds():
    """Of all processors since the start: what they were ready to run and not let."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK")


def run(words):
    done = subprocess.run(words, capture_output=True, text=True, check=False,
                          timeout=DRIVE_SECONDS_MAX)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n"
                           f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class Driver:
    """Runs cells; `seconds` each, about."""

    def __init__(self, connections, keys, seconds):
        self.connections, self.keys, self.seconds = connections, keys, seconds

    def measure(self, server, cell):
        """The server's CPU counts until its background is quiet again."""
        self.prepare(server, cell)
        server.settle()
        server_before, client_before = server.cpu_seconds(), children_cpu()
        stolen_before, begin = stolen_seconds(), time.monotonic()
        measure = self.drive(server, cell)
        passed = (time.monotonic() - begin) * os.cpu_count()
        measure.stolen = (stolen_seconds() - stolen_before) / passed
        measure.client_cpu = children_cpu() - client_before
        server.settle()
        measure.server_cpu = server.cpu_seconds() - server_before
        measure.resident_bytes = server.resident_bytes()
        return measure


class RedisBenchmark(Driver):
    name = "redis-benchmark"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.rates = {}  # of (server, cell): it takes a number of requests, not a time

    def words(self, server, cell, requests):
        return ["redis-benchmark", "-h", "127.0.0.1", "-p", str(server.port),
                "-c", str(self.connections), "-P", str(cell.pipeline), "-d", str(cell.value_bytes),
                "-r", str(self.keys), "-t", cell.command, "-n", str(requests), "--csv"]

    def prepare(self, server, cell):
        server.fill(self.keys, cell.value_bytes)
        if (server.name, cell) not in self.rates:
            probe = self.once(server, cell, 5000 * min(cell.pipeline, 8))
            self.rates[server.name, cell] = probe.requests_per_second

    def drive(self, server, cell):
        requests = max(1000, int(self.rates[server.name, cell] * self.seconds))
        measure = self.once(server, cell, requests)
        self.rates[server.name, cell] = measure.requests_per_second
        return measure

    def once(self, server, cell, requests):
        rows = list(csv.reader(io.StringIO(run(self.words(server, cell, requests)))))
        names, figures = rows[-2], rows[-1]
        if names[0] != "test":
            raise RuntimeError(f"redis-benchmark printed {rows}")
        row = dict(zip(names, figures))
        return Measure(requests, float(row["rps"]), float(row["p50_latency_ms"]),
                       float(row["p99_latency_ms"]))


class LunaBench(Driver):
    name = "luna bench"

    def __init__(self, program, *arguments):
        super().__init__(*arguments)
        self.program = program

    def words(self, server, cell, *more):
        return [str(self.program), "bench", "--server", f"127.0.0.1:{server.port}",
                "--tests", cell.command, "--connections", str(self.connections),
                "--pipeline", str(cell.pipeline), "--value-size", str(cell.value_bytes),
                "--keys", str(self.keys), "--json", *more]

    def prepare(self, server, cell):
        if server.filled != ("luna", cell.value_bytes):
            run(self.words(server, cell, "--fill-only"))
            server.filled = ("luna", cell.value_bytes)

    def drive(self, server, cell):
        answer = json.loads(run(self.words(server, cell, "--no-fill", "--warm-up", "0",
                                           "--seconds", str(self.seconds))))
        result = answer["tests"][0]
        return Measure(result["requests"], result["requests_per_second"],
                       result["latency_ms"]["p50"], result["latency_ms"]["p99"])
