#!/usr/bin/env python3
"""Long runs of lunad with a ledger outside: scripts/soak service, scripts/soak service-memory.

Ten thousand connections are held, redis-benchmark keeps the server busy, and ledger writers
remember what was acknowledged. lunad is killed with SIGKILL now and then and started again on the same
universe; then every key of the ledger must hold what was acknowledged last, or something later that
was sent. Resident memory and descriptors are bounded all the time.
"""

import argparse
import pathlib
import random
import resource
import shutil
import statistics
import sys
import threading
import time

from soak_ledger import LedgerWriter
from soak_server import Crowd, Load, Server

MIB = 1 << 20
# What a connection and its buffers may take beside the memory budget, and the program itself.
CONNECTION_BYTES = 8 << 10
PROGRAM_BYTES = 48 * MIB


class Soak:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.stop = threading.Event()
        self.up = threading.Event()
        self.failures = []
        self.kills = 0
        self.restart_seconds = []
        self.resident = []
        self.server = Server(options.lunad, options.directory, options.memory, options.durability,
                             options.connections + 1000)
        self.writers = [LedgerWriter(number, self) for number in range(options.writers)]
        self.crowd = Crowd(options.connections)
        self.loads = [Load(self, words) for words in (
            ["-t", "set,get,incr,mset", "-d", "100", "-P", "16"],
            ["-t", "set,get", "-d", "1024", "-P", "1"])]

    def fail(self, text):
        if len(self.failures) < 100:
            print(f"FAILED: {text}", flush=True)
        self.failures.append(text)

    def bound(self):
        return (self.options.memory * 12 // 10 + CONNECTION_BYTES * (self.options.connections + 100)
                + PROGRAM_BYTES)

    def kill_moments(self, begin, end):
        count = self.options.kills
        step = (end - begin) / (count + 1)
        return [begin + step * (i + 1) + self.random.uniform(-0.3, 0.3) * step
                for i in range(count)]

    def restart(self):
        self.up.clear()
        self.server.kill()
        self.kills += 1
        begun = time.monotonic()
        self.server.start()
        self.restart_seconds.append(time.monotonic() - begun)
        self.crowd.connect(self.server.port)
        self.up.set()

    def sample(self):
        resident, descriptors = self.server.usage()
        self.resident.append(resident)
        if resident > self.bound():
            self.fail(f"{resident // MIB} MiB are resident, more than {self.bound() // MIB}")
        return resident, descriptors

    def run(self):
        options = self.options
        self.server.start()
        _, before = self.server.usage()
        self.crowd.connect(self.server.port)
        self.up.set()
        threads = self.writers + self.loads
        for thread in threads:
            thread.start()
        begin = time.monotonic()
        end = begin + options.minutes * 60
        moments = self.kill_moments(begin, end)
        shown = begin
        while (now := time.monotonic()) < end and not self.server.ended():
            if moments and now >= moments[0]:
                moments.pop(0)
                self.restart()
            resident, descriptors = self.sample()
            for trouble in self.crowd.ping(200):
                self.fail(trouble)
            if now - shown >= 10:
                shown = now
                acknowledged = sum(writer.acknowledged for writer in self.writers)
                print(f"{now - begin:6.0f} s  {self.server.commands():>12} commands  "
                      f"{acknowledged:>9} in the ledger  {resident // MIB} MiB  "
                      f"{descriptors} descriptors  {self.kills} kills  "
                      f"{len(self.failures)} failed", flush=True)
            time.sleep(max(0, 1 - (time.monotonic() - now)))
        if self.server.ended():
            self.fail(f"lunad ended by itself: {self.server.last_words()}")
        self.stop.set()
        for thread in threads:
            thread.join(120)
        self.finish(before)

    def finish(self, before):
        """Connections go, memory does not stay; an orderly stop; the ledger once more."""
        if self.server.ended():
            return
        self.crowd.close()
        deadline = time.monotonic() + 30
        while (descriptors := self.server.usage()[1]) > before + 60:
            if time.monotonic() > deadline:
                self.fail(f"{descriptors} descriptors are open after all connections ended; "
                          f"{before} were before")
                break
            time.sleep(0.2)
        second_half = self.resident[len(self.resident) // 2:]
        if self.options.kills == 0 and len(second_half) > 600:
            quarter = len(second_half) // 2
            earlier = statistics.median(second_half[:quarter])
            later = statistics.median(second_half[quarter:])
            if later > earlier * 1.05:
                self.fail(f"resident memory grows: {earlier // MIB} to {later // MIB} MiB "
                          "in the last half")
        status = self.server.terminate()
        if status != 0:
            self.fail(f"SIGTERM: exit code {status}")
        self.server.start()
        for writer in self.writers:
            writer.verify()
        self.server.terminate()

    def report(self):
        waits = sorted(wait for writer in self.writers for wait in writer.waits)
        percentile = lambda p: waits[int(len(waits) * p)] * 1000 if waits else 0
        print(f"ledger: {sum(writer.acknowledged for writer in self.writers)} acknowledged writes, "
              f"{sum(writer.verified for writer in self.writers)} keys compared; "
              f"a batch of writes p50 {percentile(0.5):.1f} ms, p99 {percentile(0.99):.1f} ms")
        if self.restart_seconds:
            print(f"restarts: {self.kills}, slowest {max(self.restart_seconds):.1f} s")
        print(f"resident: at most {max(self.resident, default=0) // MIB} MiB, "
              f"bound {self.bound() // MIB} MiB")
        first = self.options.seed
        print(f"soak: seeds {first}..{first + max(self.kills, 1) - 1}, "
              f"{len(self.failures)} failed")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lunad", required=True)
    parser.add_argument("--directory", required=True, type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--memory", type=lambda text: int(text) * MIB, default=256 * MIB,
                        help="MiB")
    parser.add_argument("--durability", choices=("process", "device"), default="process")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    options = arguments()
    wanted = options.connections + 200
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted + 1000:
        sys.exit(f"only {hard} open files are permitted; raise the limit (ulimit -Hn) to "
                 f"{wanted + 1000}, or give fewer --connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    shutil.rmtree(options.directory, ignore_errors=True)
    options.directory.mkdir(parents=True)
    soak = Soak(options)
    try:
        soak.run()
    finally:
        soak.stop.set()
        soak.server.kill()
        for load in soak.loads:
            load.end()
    soak.report()
    sys.exit(1 if soak.failures else 0)


if __name__ == "__main__":
    main()
