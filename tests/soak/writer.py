"""A writer of the ledger: one thread for each life of lunad, two connections, pipelines."""

import math
import random
import threading
import time

from ledger import Ledger
from wire import Connection, Refusal, frame

PAUSE_SECONDS = 0.01  # on average between pipelines: most of the load is not ours
DEPTHS = (1, 4, 16, 64)
EXPIRY_MILLIS = (200, 5000)


class Latencies:
    """Counts in steps of five per cent, from a microsecond on."""

    STEP = math.log(1.05)

    def __init__(self):
        self.counts = {}

    def add(self, seconds):
        step = int(math.log(max(seconds * 1e6, 1)) / self.STEP)
        self.counts[step] = self.counts.get(step, 0) + 1

    def merge(self, other):
        for step, count in other.counts.items():
            self.counts[step] = self.counts.get(step, 0) + count

    def millis(self, share):
        rest = share * sum(self.counts.values())
        for step in sorted(self.counts):
            rest -= self.counts[step]
            if rest <= 0:
                return math.exp((step + 1) * self.STEP) / 1e3
        return 0.0


class Writer:
    """Writes its ledger and reads it back. `problems` may be looked at while it runs."""

    def __init__(self, name, directory):
        self.name = name
        self.ledger = Ledger(name, directory, singles=2000, pairs=500, expiring=300)
        self.latencies = Latencies()
        self.writes = self.reads = self.busy = 0
        self.problems = []
        self._stop = threading.Event()
        self._ending = threading.Event()
        self._thread = None

    def start(self, port, seed):
        self._stop.clear()
        self._ending.clear()
        self._thread = threading.Thread(
            target=self._run, args=(port, random.Random(f"{seed} {self.name}")), daemon=True)
        self._thread.start()

    def expect_end(self):
        """From now on the end of the server is no problem."""
        self._ending.set()

    def stop(self):
        """Ends behind the pipeline that is on its way."""
        self._stop.set()

    def wait(self):
        """Until the thread has ended: stopped, or its server has."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, port, choice):
        try:
            with Connection(port) as connection, Connection(port) as second:
                while not self._stop.is_set():
                    self._round(connection, second, choice)
                    self._stop.wait(choice.uniform(0, 2 * PAUSE_SECONDS))
        except (OSError, EOFError) as error:
            self._lose()
            if not self._ending.is_set():
                self.problems.append(f"a ledger writer lost its connection: {error!r}")
        except Exception as error:  # pylint: disable=broad-except
            self.problems.append(f"a ledger writer failed: {error!r}")

    def _lose(self):
        """What was not answered may have come into force at the latest now."""
        now = time.monotonic()
        for entry in self.ledger.expiring:
            entry.ends = {sequence: (earliest, min(latest, now + EXPIRY_MILLIS[1] / 1e3))
                          for sequence, (earliest, latest) in entry.ends.items()}

    def _round(self, connection, second, choice):
        """One pipeline on the first connection; sometimes, meanwhile, reads on the second."""
        steps, request = [], []
        for _ in range(choice.choice(DEPTHS)):
            entry = choice.choice(self.ledger.entries)
            if choice.random() < 0.7:
                steps.append(self._write(entry, request, choice))
            else:
                request.append(frame("MGET", *entry.keys))
                steps.append((entry, None, entry.sent, 0))
        looked_at = [choice.choice(steps)[0] for _ in range(choice.choice((0, 0, 8)))]
        asked = time.monotonic()
        connection.send(b"".join(request))
        if looked_at:
            second.send(b"".join(frame("MGET", *entry.keys) for entry in looked_at))
            for entry in looked_at:  # before the acknowledgements: they were not there when asked
                self._read(entry, second.reply(), entry.sent, asked)
        acknowledged = []
        try:
            for entry, written, newest, millis in steps:
                if written is None:
                    self._read(entry, connection.reply(), newest, asked)
                elif self._answered(entry, connection):
                    now = time.monotonic()
                    entry.acknowledge(written)
                    acknowledged.append((entry, written))
                    if millis:
                        entry.ends[written] = (entry.ends[written][0], now + millis / 1e3)
                    if not looked_at:
                        self.latencies.add(now - asked)
        finally:
            self.ledger.record(acknowledged)
            self.writes += len(acknowledged)

    def _write(self, entry, request, choice):
        """Adds the next write of the entry to the request."""
        entry.sent += 1
        values = entry.values()
        millis = 0
        if len(values) == 2:
            request.append(frame("MULTI"))
            request.extend(frame("SET", key, value) for key, value in zip(entry.keys, values))
            request.append(frame("EXEC"))
        elif self.ledger.expires(entry):
            millis = choice.randint(*EXPIRY_MILLIS)
            request.append(frame("SET", entry.keys[0], values[0], "PX", millis))
            entry.ends[entry.sent] = (time.monotonic() + millis / 1e3, math.inf)
        else:
            request.append(frame("SET", entry.keys[0], values[0]))
        return entry, entry.sent, entry.sent, millis

    def _answered(self, entry, connection):
        """Takes the replies to a write; whether they acknowledge it."""
        if len(entry.keys) == 1:
            replies, expected = [connection.reply()], ["OK"]
        else:
            replies = [connection.reply() for _ in range(4)]
            expected = ["OK", "QUEUED", "QUEUED", ["OK", "OK"]]
        if replies == expected:
            return True
        if any(isinstance(reply, Refusal) and reply.startswith("BUSY") for reply in replies):
            self.busy += 1
        else:
            self.problems.append(f"{entry.keys[0].decode()}: a write was answered with {replies}")
        return False

    def _read(self, entry, reply, newest, asked):
        answered = time.monotonic()
        self.reads += 1
        if isinstance(reply, list):
            problem = entry.problem(reply, newest, asked, answered)
        elif isinstance(reply, Refusal) and reply.startswith("BUSY"):
            self.busy += 1
            problem = None
        else:
            problem = f"{entry.keys[0].decode()}: a read was answered with {reply!r}"
        if problem:
            self.problems.append(problem)
