"""lunad and redis-benchmark as processes: started, measured from /proc, ended by their PID."""

import os
import subprocess
import time

from wire import WAIT_SECONDS, Connection

# What redis-benchmark is told: the words of one process each. Together about fifty connections.
LOADS = (
    ("-t", "set", "-d", "100", "-P", "1", "-c", "8"),
    ("-t", "get", "-d", "100", "-P", "1", "-c", "10"),
    ("-t", "incr", "-P", "1", "-c", "8"),
    ("-t", "mset", "-d", "100", "-P", "1", "-c", "4"),
    ("-t", "set", "-d", "1024", "-P", "16", "-c", "4"),
    ("-t", "get", "-d", "1024", "-P", "16", "-c", "8"),
    ("-t", "incr", "-P", "16", "-c", "4"),
    ("-t", "mset", "-d", "1024", "-P", "16", "-c", "2"),
)

MEMORY_BYTES = 256 << 20  # so little that reads go to the disk, too


class Died(Exception):
    """lunad ended, or does not answer, and nobody had asked for it."""


class Server:
    """One lunad after the other on the same universe."""

    def __init__(self, program, directory, durability, most_clients):
        self.program = program
        self.directory = directory
        self.durability = durability
        self.most_clients = most_clients
        self.universe = directory / "universe"
        self.process = None
        self.port = 0

    def start(self):
        """Starts lunad; returns the seconds until it answered PING."""
        addresses = self.directory / "addresses"
        addresses.unlink(missing_ok=True)
        begun = time.monotonic()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LUNA_")}
        with open(self.directory / "lunad-errors.txt", "ab") as errors:
            self.process = subprocess.Popen(
                [self.program, "--universe", self.universe, "--durability", self.durability,
                 "--memory", str(MEMORY_BYTES),
                 "--listen", "127.0.0.1:0", "--addresses-file", addresses,
                 "--maxclients", str(self.most_clients)],
                stdin=subprocess.DEVNULL, stderr=errors, env=environment)
        while not addresses.exists():
            self.check()
            if time.monotonic() > begun + 5 * WAIT_SECONDS:
                raise Died(f"lunad does not listen after {5 * WAIT_SECONDS} s")
            time.sleep(0.005)
        self.port = int(addresses.read_text().splitlines()[0].rsplit(":", 1)[1])
        with Connection(self.port) as connection:
            reply = connection.call("PING")
        if reply != "PONG":
            raise Died(f"lunad answers PING with {reply!r}")
        return time.monotonic() - begun

    def check(self):
        """Raises Died if the process has ended."""
        if self.process.poll() is not None:
            tail = (self.directory / "lunad-errors.txt").read_text(errors="replace")[-2000:]
            raise Died(f"lunad ended by itself with {self.process.returncode}: {tail}")

    def kill(self):
        """kill -9. Harmless when it runs no more."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        """SIGTERM; returns the seconds of an orderly stop."""
        begun = time.monotonic()
        self.process.terminate()
        code = self.process.wait(2 * WAIT_SECONDS)
        if code != 0:
            raise Died(f"lunad left with {code} after SIGTERM, not with 0")
        return time.monotonic() - begun

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        """Open descriptors, as (those of files that the universe has, all others)."""
        files = others = 0
        folder = f"/proc/{self.process.pid}/fd"
        for name in os.listdir(folder):
            try:
                target = os.readlink(f"{folder}/{name}")
            except FileNotFoundError:
                continue
            # A deleted file that stays open would be a leak: it counts with the others.
            if target.startswith(f"{self.universe}/") and not target.endswith(" (deleted)"):
                files += 1
            else:
                others += 1
        return files, others

    def open_descriptors(self):
        """How many there are: quicker, for every second."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def commands(self):
        """How many commands this process has answered."""
        with Connection(self.port) as connection:
            for line in connection.call("INFO").decode().splitlines():
                if line.startswith("total_commands_processed:"):
                    return int(line.split(":")[1])
        raise Died("INFO names no total_commands_processed")


class Benchmarks:
    """redis-benchmark processes, restarted whenever one has done its requests."""

    def __init__(self, program, directory, loads, keys=200_000, requests=100_000_000):
        self.program = program
        self.directory = directory
        self.loads = loads
        self.keys = keys
        self.requests = requests
        self.processes = {}
        self.problems = []

    def start(self, port):
        for place, words in enumerate(self.loads):
            path = self.directory / f"benchmark-{place}-errors.txt"
            with open(path, "wb") as errors:
                self.processes[place] = subprocess.Popen(
                    [self.program, "-p", str(port), "-q", "-n", str(self.requests),
                     "-r", str(self.keys), *words],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)

    def check(self, port):
        """Notes what ended with an error, starts again what has ended."""
        ended = [place for place, process in self.processes.items() if process.poll() is not None]
        for place in ended:
            if self.processes[place].returncode != 0:
                path = self.directory / f"benchmark-{place}-errors.txt"
                tail = path.read_text(errors="replace")[-500:]
                self.problems.append(f"redis-benchmark {' '.join(self.loads[place])}: {tail}")
        if ended:
            self.stop()
            self.start(port)

    def stop(self):
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        self.processes = {}
