"""A tablet server whose merges are carried out by workers on Ceph, one of which is killed: the data
are as they were written, and it was the workers who merged.

The environment names program and cluster: LUNAD, LUNA_CEPH_CONF.
"""

import os
import pathlib
import random
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

from tablet_servers import WAIT_SECONDS, Group, free_ports

CONF = os.environ["LUNA_CEPH_CONF"]
KEYS = 20_000
VALUE_BYTES = 1_000
PIPELINE = 200


class Page:
    """What a lunad tells of itself over HTTP."""

    def __init__(self):
        self.port = free_ports(1)[0]

    def page(self, path):
        """Its text; empty while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return ""

    def metric(self, name):
        for line in self.page("/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        return 0


class Worker(Page):
    """One lunad that merges."""

    def __init__(self, location, folder):
        super().__init__()
        self.words = [os.environ["LUNAD"], "--role", "worker", "--universe", location, "--memory",
                      "128MiB", "--http-listen", f"127.0.0.1:{self.port}"]
        self.journal = pathlib.Path(folder) / f"worker-{self.port}.txt"
        self.process = None

    def start(self):
        with open(self.journal, "ab") as journal:
            self.process = subprocess.Popen(self.words, stdout=journal, stderr=journal)

    def end(self):
        """In order; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(WAIT_SECONDS)


class WorkerTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="luna-worker-")
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.location = f"rados:luna?conf={CONF}&namespace=worker-{os.getpid()}-{time.time_ns()}"
        self.workers = []
        self.random = random.Random(7)
        self.written = {}

    def worker(self):
        worker = Worker(self.location, self.folder)
        worker.start()
        self.workers.append(worker)
        self.addCleanup(self.finish, worker)
        return worker

    @staticmethod
    def finish(worker):
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait()

    def journals(self):
        return "\n".join(f"{worker.port}:\n{worker.journal.read_text()[-3000:]}"
                         for worker in self.workers)

    def write_round(self, connection):
        keys = [f"key-{self.random.randrange(KEYS):06}" for _ in range(KEYS)]
        for first in range(0, len(keys), PIPELINE):
            some = keys[first:first + PIPELINE]
            request = b""
            for key in some:
                value = self.random.randbytes(VALUE_BYTES)  # nothing to compress
                self.written[key] = value
                request += b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (
                    len(key), key.encode(), len(value), value)
            connection.send(request)
            for _ in some:
                self.assertEqual(connection.reply(), "OK")

    def compare(self, connection):
        keys = sorted(self.written)
        for first in range(0, len(keys), PIPELINE):
            some = keys[first:first + PIPELINE]
            self.assertEqual(connection.call("MGET", *some), [self.written[key] for key in some])

    def await_jobs(self, workers, least):
        deadline = time.monotonic() + WAIT_SECONDS
        while sum(worker.metric("luna_worker_jobs_done_total") for worker in workers) < least:
            self.assertLess(time.monotonic(), deadline, self.journals())
            time.sleep(0.2)

    def compact(self, leader, into):
        with leader.connect() as connection:
            connection.socket.settimeout(WAIT_SECONDS)
            into.append(connection.call("COMPACT"))

    def await_busy(self, workers):
        """One that is at a job."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            for worker in workers:
                if worker.metric("luna_worker_running") > 0:
                    return worker
            self.assertLess(time.monotonic(), deadline, self.journals())

    def test_workers_merge_and_may_be_killed(self):
        told = Page()
        group = Group(1, self.location, self.folder, "--offload", "true", "--log-level", "debug",
                      "--http-listen", f"127.0.0.1:{told.port}")
        self.addCleanup(group.end)
        leader = group.leader()
        workers = [self.worker(), self.worker()]
        replies = []
        with leader.connect() as connection:
            self.write_round(connection)
            self.compact(leader, replies)
            self.await_jobs(workers, 1)
            # One is killed in the middle: the leader takes the job back, and does it itself.
            self.write_round(connection)
            compacting = threading.Thread(target=self.compact, args=(leader, replies))
            compacting.start()
            victim = self.await_busy(workers)
            victim.process.kill()
            victim.process.wait()
            killed = time.monotonic()
            compacting.join()
            print(f"the compaction ended {time.monotonic() - killed:.1f} s after the kill")
            workers.remove(victim)
            self.compare(connection)
            # Another one takes its place.
            workers.append(self.worker())
            done = sum(worker.metric("luna_worker_jobs_done_total") for worker in workers)
            deadline = time.monotonic() + WAIT_SECONDS
            while sum(worker.metric("luna_worker_jobs_done_total") for worker in workers) <= done:
                self.assertLess(time.monotonic(), deadline, group.journals() + self.journals())
                self.write_round(connection)
                self.compact(leader, replies)
            self.compare(connection)
        self.assertEqual(set(replies), {"OK"})
        for worker in workers:
            self.assertTrue(worker.page("/readyz").startswith("ready"))
            self.assertEqual(worker.page("/healthz"), "ok\n")
            self.assertEqual(worker.metric("luna_worker_jobs_failed_total"), 0, self.journals())
        offered, done, taken_back, read, written = (
            told.metric(f"luna_offload_{name}_total") for name in
            ("merges_offered", "merges_done", "merges_taken_back", "read_bytes", "written_bytes"))
        self.assertGreater(done, 1)
        self.assertGreaterEqual(taken_back, 1)
        self.assertGreaterEqual(offered, done + taken_back)
        self.assertGreater(read, written)
        self.assertGreater(written, KEYS * VALUE_BYTES / 10)
        print("jobs done by the workers that live:",
              [worker.metric("luna_worker_jobs_done_total") for worker in workers])
        for worker in workers:
            self.assertEqual(worker.end(), 0, self.journals())
        self.assertEqual(leader.end(), 0, group.journals())
        self.assertIn("offloaded", leader.journal.read_text())
        # What workers wrote is read by the next leader.
        leader.start()
        group.leader()
        with leader.connect() as connection:
            self.compare(connection)
        self.assertEqual(leader.end(), 0, group.journals())

    def test_a_worker_that_was_held_comes_too_late(self):
        group = Group(1, self.location, self.folder, "--offload", "true")
        self.addCleanup(group.end)
        leader = group.leader()
        worker = self.worker()
        replies = []
        with leader.connect() as connection:
            self.write_round(connection)
            compacting = threading.Thread(target=self.compact, args=(leader, replies))
            compacting.start()
            self.await_busy([worker])
            worker.process.send_signal(signal.SIGSTOP)
            compacting.join()
            worker.process.send_signal(signal.SIGCONT)
            deadline = time.monotonic() + WAIT_SECONDS
            while worker.metric("luna_worker_jobs_lost_total") == 0:
                self.assertLess(time.monotonic(), deadline, self.journals())
                time.sleep(0.1)
            self.compare(connection)
        self.assertEqual(replies, ["OK"])
        self.assertEqual(worker.end(), 0, self.journals())
        self.assertEqual(leader.end(), 0, group.journals())

    def test_a_worker_without_a_universe_says_so(self):
        worker = self.worker()
        self.assertEqual(worker.process.wait(WAIT_SECONDS), 3)
        self.assertIn("universe_missing", worker.journal.read_text())


if __name__ == "__main__":
    unittest.main()
