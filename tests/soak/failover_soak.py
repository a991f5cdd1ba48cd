"""A long run of fail-overs of three tablet servers on a Ceph cluster, under load, with ledgers.

One seed is one fail-over: the leader is killed, held past its lease, sent away, or killed while an
OSD is down. What is checked is in docs/soak/README.md. The last line is "soak: seeds A..B, N
failed; figures".
"""

import argparse
import os
import pathlib
import random
import shutil
import signal
import sys
import threading
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent / "rados"))

import tablet_servers
from more_ledgers import Bulk, Collections, Counters
from tablet_servers import Client, Group, Ledger
from trouble import OSDS, Cluster

KINDS = ("kill",) * 11 + ("hold",) * 4 + ("transfer",) * 4 + ("osd",)
CALM_SECONDS = (0.3, 1.2)  # between two fail-overs
LEAST_SECONDS = 60         # after which a group without a leader is a failure
LAST_KEYS = 200            # looked at after each fail-over
AT_ONCE = 500              # keys of one MGET
tablet_servers.REPLY_SECONDS = 2  # a client of a server that is held goes to another one


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lunad", required=True, help="the program")
    parser.add_argument("--directory", required=True, type=pathlib.Path, help="made anew")
    parser.add_argument("--seconds", type=float, default=600, help="0: until --kills are done")
    parser.add_argument("--kills", type=int, default=0, help="fail-overs; 0: until the time is up")
    parser.add_argument("--lease", type=int, default=500, help="milliseconds")
    parser.add_argument("--first-seed", type=int, default=1)
    return parser.parse_args()


class Book(Ledger):
    """The ledger that remembers when acknowledged writes began, and looks up many keys at once."""

    def __init__(self, servers):
        self.order = []    # keys as they were acknowledged
        self.begun = 0.0   # when the newest acknowledged write of all began
        self._lock = threading.Lock()
        super().__init__(servers)

    def note(self, key, began):
        with self._lock:
            self.order.append(key)
            self.begun = max(self.begun, began)
        super().note(key, began)

    def resumed(self, since):
        """Seconds until a write that began after `since` is acknowledged; waits for it."""
        deadline = time.monotonic() + LEAST_SECONDS
        while self.begun <= since:
            if time.monotonic() > deadline:
                raise TimeoutError("no write is acknowledged any more")
            time.sleep(0.002)
        return max(self.last_ack - since, 0)

    def newest(self):
        with self._lock:
            return self.order[-LAST_KEYS:]

    def lost(self, keys):
        """Those of the keys that are not there, or have another value than theirs."""
        gone = []
        client = Client(self.servers, 0)
        while keys:
            some, keys = keys[:AT_ONCE], keys[AT_ONCE:]
            deadline = time.monotonic() + LEAST_SECONDS
            values = None
            while not isinstance(values, list):
                if time.monotonic() > deadline:
                    raise TimeoutError("no read is answered any more")
                values = client.call("MGET", *some)
                if isinstance(values, tablet_servers.Refusal):
                    client.close()
                    time.sleep(0.02)
            gone += [key for key, value in zip(some, values)
                     if value != key.rsplit("-", 1)[1].encode()]
        client.close()
        return gone


class Probe:
    """A client of the servers that stay: when one of its writes is acknowledged, writes go on."""

    def __init__(self, servers):
        self._servers, self._over, self.at = servers, threading.Event(), None
        self._threads = [threading.Thread(target=self._run, args=(s,)) for s in servers]
        for thread in self._threads:
            thread.start()

    def _run(self, server):
        while not self._over.is_set():
            try:
                with server.connect() as connection:
                    connection.socket.settimeout(0.15)
                    if connection.call("SET", "probe", "1") == "OK":
                        self.at = min(self.at or time.monotonic(), time.monotonic())
                        self._over.set()
            except (OSError, EOFError):
                time.sleep(0.01)

    def seconds(self, since):
        if not self._over.wait(LEAST_SECONDS):
            self._over.set()
            raise TimeoutError("no server leads any more")
        for thread in self._threads:
            thread.join()
        return self.at - since


class Soak:
    """The whole run; guarded by the main thread."""

    def __init__(self, options):
        self.options = options
        self.seed = options.first_seed
        self.failed_seeds, self.counts = set(), dict.fromkeys(sorted(set(KINDS)), 0)
        self.times, self.transfers = [], []  # seconds without a leader: of crashes, of transfers
        self.lost, self.stale, self.doubled, self.other = set(), 0, 0, 0
        self.cluster = Cluster()
        location = f"rados:luna?conf={self.cluster.conf}&namespace=soak-{time.time_ns()}"
        self.group = Group(3, location, options.directory, "--lease", options.lease, "--memory",
                           "64MiB", "--log-level", "warning")
        self.group.leader()
        servers = self.group.servers
        self.book = Book(servers)
        self.counters, self.collections = Counters(servers, 1), Collections(servers, 0.1)
        self.bulk = Bulk(servers, 1)
        for more in (self.counters, self.collections, self.bulk):
            more.start()
        self.book.resumed(0)
        self.begun = time.monotonic()

    def done(self):
        fail_overs = sum(self.counts.values())
        elapsed = time.monotonic() - self.begun
        return (0 < self.options.kills <= fail_overs) or 0 < self.options.seconds <= elapsed

    def report(self, problem):
        self.failed_seeds.add(self.seed)
        print(f"FAILED seed {self.seed}: {problem}", flush=True)

    def run(self):
        while not self.done():
            self.seed += bool(sum(self.counts.values()))
            choice = random.Random(self.seed)
            time.sleep(choice.uniform(*CALM_SECONDS))
            kind = choice.choice(KINDS)
            seconds = getattr(self, kind)(choice)
            self.counts[kind] += 1
            (self.transfers if kind == "transfer" else self.times).append(seconds)
            self.look(f"{kind}: writes went on after {seconds:.3f} s")

    # Each ends with a leader and three servers; seconds in which no write was taken.

    def kill(self, _):
        leader = self.group.leader()
        rest = [server for server in self.group.servers if server is not leader]
        leader.kill()
        since = time.monotonic()
        probe = Probe(rest)
        seconds = min(self.book.resumed(since), probe.seconds(since))
        leader.start()
        return seconds

    def hold(self, choice):
        leader = self.group.leader()
        rest = [server for server in self.group.servers if server is not leader]
        leader.hold()
        since = time.monotonic()
        seconds = Probe(rest).seconds(since)
        time.sleep(choice.uniform(0, 1))
        leader.let_go()
        return seconds

    def osd(self, choice):
        osd = choice.choice(OSDS)
        self.cluster.kill_osd(osd)
        try:
            return self.kill(choice)
        finally:
            self.cluster.revive_osd(osd)

    def transfer(self, choice):
        leader = self.group.leader()
        target = choice.choice([server for server in self.group.servers if server is not leader])
        since = time.monotonic()
        try:
            with leader.connect() as connection:
                connection.call("GROUP", "TRANSFER", target.name)
        except (OSError, EOFError):
            pass  # the lead went faster than the answer
        self.group.leader(but=leader)
        return self.book.resumed(since)

    def look(self, said):
        """Problems that the threads found, and the newest acknowledged keys."""
        gone = self.book.lost(self.book.newest())
        self.lost.update(gone)
        for key in gone:
            self.report(f"{key} is lost")
        while self.book.problems:
            problem = self.book.problems.pop(0)
            self.stale += ", from " in problem
            self.other += ", from " not in problem
            self.report(problem)
        while self.counters.problems:
            self.doubled += 1
            self.report(self.counters.problems.pop(0))
        for ledger in (self.collections, self.bulk):
            while ledger.problems:
                self.other += 1
                self.report(ledger.problems.pop(0))
        print(f"{time.monotonic() - self.begun:7.1f} s  seed {self.seed}  {said}; "
              f"{len(self.book.order)} acknowledged", flush=True)

    def end(self):
        """The load ends, and everything is looked at once more."""
        for ledger in (self.book, self.counters, self.collections, self.bulk):
            ledger.end()
        self.counters.judge()
        self.collections.judge()
        self.lost.update(self.book.lost(list(self.book.order)))
        self.look("at the end")
        for server in self.group.servers:
            if server.end() != 0:
                self.report(f"{server.name} did not end in order: {server.journal}")

    def summary(self):
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        seeds = f"{self.options.first_seed}..{self.seed}"
        pauses = "; ".join(f"{name} {figures(times)}" for name, times in (
            ("writes went on after", self.times), ("after a transfer", self.transfers)) if times)
        print(f"soak: seeds {seeds}, {len(self.failed_seeds)} failed; "
              f"{sum(self.counts.values())} fail-overs ({kinds}) with a lease of "
              f"{self.options.lease} ms, {len(self.lost)} lost, {self.doubled} doubled, "
              f"{self.stale} stale reads, {self.other} other; {pauses}; "
              f"{len(self.book.order)} writes, {self.counters.answers} increments, "
              f"{self.book.reads} reads, {len(self.collections.made)} collections, "
              f"{self.bulk.bytes() >> 20} MiB besides", flush=True)

    def end_all(self):
        """Nothing that was started outlives the run."""
        for ledger in (self.book, self.counters, self.collections, self.bulk):
            ledger.end()
        self.group.end()
        self.cluster.mend()


def figures(times):
    ordered = sorted(times)
    at = [ordered[min(int(len(ordered) * part), len(ordered) - 1)] for part in (0.5, 0.99, 1)]
    return f"p50 {at[0]:.2f} s p99 {at[1]:.2f} s max {at[2]:.2f} s"


def main():
    options = parse()
    os.environ["LUNAD"] = options.lunad
    options.directory = options.directory.resolve()
    shutil.rmtree(options.directory, ignore_errors=True)
    options.directory.mkdir(parents=True)
    # As an exception: whoever ends us, our processes are ended first.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("failover_soak: interrupted"))
    soak = Soak(options)
    try:
        try:
            soak.run()
            soak.end()
        except (AssertionError, OSError, EOFError) as error:
            soak.report(f"the run cannot go on: {error!r}")
        soak.summary()
    finally:
        soak.end_all()
    return int(bool(soak.failed_seeds))


if __name__ == "__main__":
    sys.exit(main())
