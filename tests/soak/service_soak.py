"""A long run of lunad under full load, with a ledger outside and kill -9 at random moments.

One seed is one life of lunad: from its start to kill -9, or to SIGTERM at the end. What is checked
is in docs/soak/README.md. The last line is "soak: seeds A..B, N failed; figures".
"""

import argparse
import pathlib
import random
import resource
import shutil
import signal
import sys
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent / "apps"))  # wire.py

from crowd import Crowd
from server import LOADS, MEMORY_BYTES, Benchmarks, Died, Server
from wire import Connection
from writer import Latencies, Writer

WRITERS = 4
LOAD_CONNECTIONS = 50
OTHER_DESCRIPTORS = 1000  # of lunad's files, and of ours
DESCRIPTORS_TOLERANCE = 20
SETTLE_SECONDS = 30
# The trend of memory is judged when the second half is long enough to have left the warming up.
TREND_LEAST_SECONDS = 600
TREND_LIMIT = 0.05
PRINT_SECONDS = 10
KILL_SECONDS = (30, 90)
MIB = 1 << 20


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lunad", required=True, help="the program")
    parser.add_argument("--directory", required=True, type=pathlib.Path, help="made anew")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--connections", type=int, default=10_000, help="that are mostly idle")
    parser.add_argument("--kills", type=int, help="spread over the run; else one each 30 to 90 s")
    parser.add_argument("--durability", choices=("process", "device"), default="process")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--no-load", action="store_true", help="without redis-benchmark")
    return parser.parse_args()


def raise_limit(connections):
    """Ours, which lunad inherits; the soak needs one descriptor per connection at either end."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + OTHER_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SystemExit(
            f"service_soak: the limit of descriptors is {hard}, {needed} are needed for "
            f"{connections} connections; raise it (ulimit -Hn {needed} as root, or LimitNOFILE= in "
            "systemd, or nofile in /etc/security/limits.conf), or give --connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Soak:
    """The whole run; guarded by the main thread."""

    def __init__(self, options):
        self.options = options
        self.seed = options.first_seed
        self.failed_seeds = set()
        self.problems = []
        self.kills = 0
        self.restarts = []
        self.most_resident = 0
        self.samples = []  # (elapsed, resident bytes) of this life
        self.keys_checked = 0
        self.commands = 0
        self.begun = time.monotonic()
        self.printed = (0.0, 0)
        directory = options.directory = options.directory.resolve()
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        self.server = Server(options.lunad, directory, options.durability,
                             options.connections + OTHER_DESCRIPTORS)
        self.crowd = Crowd(options.connections)
        self.writers = [Writer(name, directory) for name in range(WRITERS)]
        benchmark = None if options.no_load else shutil.which("redis-benchmark")
        if benchmark is None and not options.no_load:
            raise SystemExit("service_soak: redis-benchmark is missing: apt install redis-tools")
        self.benchmarks = Benchmarks(benchmark, directory, () if options.no_load else LOADS)
        connections = options.connections + LOAD_CONNECTIONS + 2 * WRITERS
        self.bound_bytes = MEMORY_BYTES * 6 // 5 + connections * (8 << 10) + 32 * MIB

    def elapsed(self):
        return time.monotonic() - self.begun

    def report(self, problem):
        self.failed_seeds.add(self.seed)
        self.problems.append(problem)
        if len(self.problems) <= 50:
            print(f"FAILED seed {self.seed} at {self.elapsed():.1f} s: {problem}", flush=True)

    def collect(self):
        """Problems that the threads found."""
        for owner in (self.crowd, self.benchmarks, *self.writers):
            while owner.problems:
                self.report(owner.problems.pop(0))

    def next_kill(self, choice):
        """When this life ends by kill -9, in seconds of the run; None if it does not."""
        if self.options.kills is None:
            moment = self.elapsed() + choice.uniform(*KILL_SECONDS)
            return moment if moment < self.options.seconds else None
        if self.kills >= self.options.kills:
            return None
        slot = self.options.seconds / self.options.kills
        return (self.kills + choice.uniform(0.3, 0.9)) * slot

    def run(self):
        self.start("first start")
        while True:
            kill_at = self.next_kill(random.Random(self.seed))
            before = self.server.descriptors()
            self.begin()
            self.live(min(kill_at or self.options.seconds, self.options.seconds))
            self.count_commands()
            if kill_at is None:
                break
            self.end_by_kill()
            self.check_ledgers()
            self.seed += 1
        self.end_in_order(before)

    def start(self, what):
        seconds = self.server.start()
        if what != "first start":
            self.restarts.append(seconds)
        print(f"{self.elapsed():7.1f} s  {what}: answers after {seconds:.2f} s", flush=True)

    def begin(self):
        self.samples = []
        self.printed = (self.elapsed(), 0)
        self.crowd.join(self.server.port)
        for writer in self.writers:
            writer.start(self.server.port, self.seed)
        self.benchmarks.start(self.server.port)

    def live(self, until):
        """Load until a moment of the run; a sample each second."""
        too_much = False
        while self.elapsed() < until:
            time.sleep(min(1, max(0, until - self.elapsed())))
            self.server.check()
            self.benchmarks.check(self.server.port)
            self.collect()
            resident = self.server.resident_bytes()
            self.samples.append((self.elapsed(), resident))
            self.most_resident = max(self.most_resident, resident)
            if resident > self.bound_bytes and not too_much:
                too_much = True
                self.report(f"lunad has {resident / MIB:.0f} MiB of memory, more than "
                            f"{self.bound_bytes / MIB:.0f}")
            if self.elapsed() >= self.printed[0] + PRINT_SECONDS:
                self.print_line(resident)

    def count_commands(self):
        """Commands each second since the last time."""
        commands, now = self.server.commands(), self.elapsed()
        rate = (commands - self.printed[1]) / (now - self.printed[0])
        self.commands += commands - self.printed[1]
        self.printed = (now, commands)
        return rate

    def print_line(self, resident):
        rate, now = self.count_commands(), self.elapsed()
        print(f"{now:7.0f} s  {rate:9,.0f} requests/s  rss {resident / MIB:.0f} MiB of "
              f"{self.bound_bytes / MIB:.0f}  descriptors {self.server.open_descriptors()}  "
              f"pings {self.crowd.answered}  kills {self.kills}  lost {len(self.problems)}",
              flush=True)

    def end_by_kill(self):
        self.crowd.hush()
        for writer in self.writers:
            writer.expect_end()
        self.server.kill()
        self.kills += 1
        self.benchmarks.stop()
        for writer in self.writers:
            writer.wait()
        self.crowd.leave()
        self.collect()
        self.start(f"start after kill {self.kills}")

    def check_ledgers(self):
        """Every key of every ledger, while nobody writes."""
        for writer in self.writers:
            with Connection(self.server.port) as connection:
                keys, problems = writer.ledger.check(connection)
            self.keys_checked += keys
            for problem in problems:
                self.report(f"after the start: {problem}")

    def end_in_order(self, before):
        """The load ends, descriptors return; then SIGTERM into the writers, and the last check."""
        self.benchmarks.stop()
        for writer in self.writers:
            writer.stop()
        for writer in self.writers:
            writer.wait()
        self.crowd.leave()
        self.collect()
        self.check_trend()
        self.check_descriptors(before)
        for writer in self.writers:
            writer.start(self.server.port, self.seed)
        time.sleep(1)  # load, not waiting
        for writer in self.writers:
            writer.expect_end()
        seconds = self.server.stop()
        print(f"{self.elapsed():7.1f} s  SIGTERM: left after {seconds:.2f} s", flush=True)
        for writer in self.writers:
            writer.wait()
        self.collect()
        self.start("start after SIGTERM")
        self.check_ledgers()
        for writer in self.writers:
            writer.ledger.close()
            for problem in writer.ledger.replay():
                self.report(problem)
        self.server.stop()

    def check_descriptors(self, before):
        deadline = time.monotonic() + SETTLE_SECONDS
        after = self.server.descriptors()
        while abs(after[1] - before[1]) > DESCRIPTORS_TOLERANCE and time.monotonic() < deadline:
            time.sleep(0.2)
            after = self.server.descriptors()
        print(f"{self.elapsed():7.1f} s  descriptors besides files: {before[1]} before, {after[1]} "
              f"after; files of the universe: {before[0]}, {after[0]}; rss "
              f"{self.server.resident_bytes() / MIB:.0f} MiB without connections", flush=True)
        if abs(after[1] - before[1]) > DESCRIPTORS_TOLERANCE:
            self.report(f"descriptors: {before[1]} before the load, {after[1]} after it")

    def check_trend(self):
        """Memory of the last quarter against that of the quarter before, in the last life."""
        if len(self.samples) < 8:
            return
        quarter = len(self.samples) // 4
        third, fourth = (sum(resident for _, resident in part) / quarter
                         for part in (self.samples[-2 * quarter:-quarter], self.samples[-quarter:]))
        growth = fourth / third - 1
        length = self.samples[-1][0] - self.samples[0][0]
        print(f"{self.elapsed():7.1f} s  rss of the third quarter {third / MIB:.1f} MiB, of the "
              f"fourth {fourth / MIB:.1f} ({growth:+.1%})", flush=True)
        if growth >= TREND_LIMIT and length >= TREND_LEAST_SECONDS:
            self.report(f"memory grows: {growth:+.1%} from the third quarter to the fourth")

    def summary(self):
        latencies = Latencies()
        for writer in self.writers:
            latencies.merge(writer.latencies)
        counts = [sum(getattr(writer, name) for writer in self.writers)
                  for name in ("writes", "reads", "busy")]
        print(f"ledger: {counts[0]} writes acknowledged, {counts[1]} reads checked, "
              f"{counts[2]} BUSY, {self.keys_checked} keys checked after starts, "
              f"{self.crowd.answered} pings; {len(self.problems)} problems")
        worst = f"{max(self.restarts):.2f} s" if self.restarts else "none"
        rate = self.commands / max(self.printed[0], 1)
        seeds = f"{self.options.first_seed}..{self.seed}"
        print(f"soak: seeds {seeds}, {len(self.failed_seeds)} failed; "
              f"{self.options.connections} connections, {self.kills} kills, worst restart {worst}, "
              f"{rate:,.0f} requests/s, rss at most {self.most_resident / MIB:.0f} MiB, ledger "
              f"writes p50 {latencies.millis(0.5):.1f} ms p99 {latencies.millis(0.99):.1f} ms",
              flush=True)

    def end_all(self):
        """Nothing that was started outlives the run."""
        self.benchmarks.stop()
        self.crowd.hush()
        for writer in self.writers:
            writer.expect_end()
            writer.stop()
        self.server.kill()
        for writer in self.writers:
            writer.wait()
        self.crowd.leave()


def main():
    options = parse()
    raise_limit(options.connections)
    # As an exception: whoever ends us, our processes are ended first.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("service_soak: interrupted"))
    soak = Soak(options)
    try:
        try:
            soak.run()
        except (Died, OSError, EOFError) as error:
            soak.report(f"the run cannot go on: {error!r}")
            soak.collect()
        soak.summary()
    finally:
        soak.end_all()
    if soak.failed_seeds:
        return 1
    shutil.rmtree(options.directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
