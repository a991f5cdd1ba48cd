"""Strong reads at servers that follow, of a universe on Ceph: as if the leader had answered, or an
error. Needs servers that talk to one another.

The environment names program and cluster: LUNAD, LUNA_CEPH_CONF.
"""

import os
import tempfile
import threading
import time
import unittest

from follower_reads_test import BoundedReader, Register, reader
from tablet_servers import WAIT_SECONDS, Group, Refusal, free_ports

CONF = os.environ["LUNA_CEPH_CONF"]


class StrongReader(BoundedReader):
    """Nothing that was acknowledged before a request may be missing in its answer."""

    def __init__(self, server, register):
        super().__init__(server, register, 0)

    def freshness(self):
        return ("STRONG",)


class Ladder:
    """Reads a register at a follower and at the leader by turns, strongly: no answer is older than
    the one before it, wherever that came from."""

    def __init__(self, follower, leader, register):
        self.register = register
        self.reads = self.refusals = 0
        self.problems = []
        self._ends = (reader(follower, "STRONG"), leader.connect())
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        life, last = self.register.life, 0
        while not self._over.is_set():
            if life is not self.register.life:
                life, last = self.register.life, 0
            for end, where in zip(self._ends, ("a follower", "the leader")):
                reply = end.call("GET", life.name)
                if isinstance(reply, Refusal):
                    self.refusals += 1
                    continue
                self.reads += 1
                if int(reply or 0) < last:
                    self.problems.append(f"{where} said {reply}, after {last} was told")
                last = int(reply or 0)

    def end(self):
        self._over.set()
        self._thread.join()
        for end in self._ends:
            end.close()


class StrongReadsTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="luna-strong-")
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.location = f"rados:luna?conf={CONF}&namespace=strong-{os.getpid()}-{time.time_ns()}"

    def group(self, count, lease_millis=1000):
        group = Group(0, self.location, self.folder)
        self.addCleanup(group.end)
        for port in free_ports(count):
            group.servers += Group(1, self.location, self.folder, "--lease", lease_millis,
                                   "--peer-listen", f"127.0.0.1:{port}").servers
        leader = group.leader()
        return group, leader, [server for server in group.servers if server is not leader]

    def await_strong(self, server):
        """A connection that is answered: the follower has found the leader."""
        connection = reader(server, "STRONG")
        deadline = time.monotonic() + WAIT_SECONDS
        while isinstance(connection.call("GET", "nothing"), Refusal):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        return connection

    def write_and_read(self, leader, follower, name, count):
        """Times of strong reads at the follower, each right after a write, and of such that are
        passed on, in milliseconds."""
        strong, passed = [], []
        with leader.connect() as writer, self.await_strong(follower) as here, \
                follower.connect() as there:
            for number in range(count):
                word = str(number).encode()
                self.assertEqual(writer.call("SET", name, word), "OK")
                for connection, times in ((here, strong), (there, passed)):
                    began = time.monotonic()
                    reply = connection.call("GET", name)
                    times.append((time.monotonic() - began) * 1000)
                    self.assertEqual(reply, word)
        return tuple(f"p50 {times[count // 2]:.2f} ms, p99 {times[count * 99 // 100]:.2f} ms"
                     for times in (sorted(strong), sorted(passed)))

    def test_each_acknowledged_write_is_read_at_once(self):
        group, leader, followers = self.group(3)
        for number, follower in enumerate(followers):
            told = self.write_and_read(leader, follower, f"alone-{number}", 1000)
            print(f"after a write, strong at a follower: {told[0]}; passed on: {told[1]}")
        registers = [Register(group.servers, f"load-{number}") for number in range(4)]
        for register in registers:
            self.addCleanup(register.end)
        began = time.monotonic()
        told = self.write_and_read(leader, followers[0], "loaded", 1000)
        writes = sum(one.writes for one in registers) / (time.monotonic() - began)
        print(f"the same beside {writes:.0f} writes a second: {told[0]}; passed on: {told[1]}")

    def test_followers_and_leader_tell_one_story(self):
        group, leader, followers = self.group(3)
        register = Register(group.servers)
        self.addCleanup(register.end)
        ladders = [Ladder(follower, leader, register) for follower in followers for _ in range(3)]
        readers = [StrongReader(follower, register) for follower in followers]
        time.sleep(10)
        for one in ladders + readers:
            one.end()
            self.assertEqual(one.problems, [], group.journals())
            self.assertGreater(one.reads, 100)
        print(f"{register.writes} writes, {sum(one.reads for one in ladders + readers)} reads, "
              f"{sum(one.refusals for one in ladders + readers)} refused")
        with self.await_strong(followers[0]) as connection:
            self.assertIn(b" reads=strong", connection.call("CLIENT", "INFO"))
            connection.call("MULTI")
            connection.call("GET", register.life.name)
            self.assertIsInstance(connection.call("EXEC"), list)
            self.assertIsInstance(connection.call("BEGIN", "READONLY"), int)
            self.assertIsInstance(connection.call("GET", register.life.name), bytes)
            self.assertIsInstance(connection.call("COMMIT"), bytes)
            self.assertIsInstance(connection.call("SNAPSHOT", "CREATE", "s"), list)

    def test_a_leader_that_is_held_is_not_guessed_at(self):
        _, leader, followers = self.group(2, lease_millis=10_000)  # nobody else leads meanwhile
        with leader.connect() as writer, self.await_strong(followers[0]) as strong, \
                reader(followers[0]) as old:
            self.assertEqual(writer.call("SET", "a", "1"), "OK")
            self.assertEqual(strong.call("GET", "a"), b"1")
            leader.hold()
            try:
                for _ in range(3):
                    began = time.monotonic()
                    refused = strong.call("GET", "a")
                    waited = time.monotonic() - began
                    self.assertIsInstance(refused, Refusal)
                    self.assertTrue(refused.startswith("TRYAGAIN "), refused)
                    self.assertIn("send READWRITE", refused)
                    self.assertLess(waited, 2)
                self.assertEqual(old.call("GET", "a"), b"1")
            finally:
                leader.let_go()
            deadline = time.monotonic() + WAIT_SECONDS
            while isinstance(strong.call("GET", "a"), Refusal):
                self.assertLess(time.monotonic(), deadline)
            self.assertEqual(strong.call("GET", "a"), b"1")

    def test_strong_readers_and_fail_overs(self):
        group, leader, _ = self.group(3)
        register = Register(group.servers)
        self.addCleanup(register.end)
        readers = [StrongReader(server, register) for server in group.servers for _ in range(2)]
        for one in readers:
            self.addCleanup(one.end)
        for number in range(4):
            time.sleep(2)
            end, begin = ((leader.kill, leader.start) if number % 2 == 0
                          else (leader.hold, leader.let_go))
            end()
            new = group.leader(but=leader)
            begin()
            leader = new
        time.sleep(2)
        for one in readers:
            one.end()
            self.assertEqual(one.problems, [], group.journals())
            self.assertGreater(one.reads, 0)
        register.end()
        print(f"two kills -9 and two holds: {sum(one.reads for one in readers)} strong reads, "
              f"{sum(one.refusals for one in readers)} refused")


if __name__ == "__main__":
    unittest.main()
