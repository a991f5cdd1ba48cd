"""Reads at servers that follow, of a universe on Ceph: as new as was asked for, whatever happens to
leader and followers, and how old they are.

The environment names program and cluster: LUNAD, LUNA_CEPH_CONF.
"""

import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from tablet_servers import REFUSALS, WAIT_SECONDS, Client, Group, Refusal
from wire import frame

CONF = os.environ["LUNA_CEPH_CONF"]
LEASE_MILLIS = 1000


def status_of(connection):
    rows = [row.partition(":") for row in connection.call("GROUP", "STATUS").decode().splitlines()]
    return {name: value for name, colon, value in rows if colon}


def reader(server, *bound):
    """A connection whose reads the server answers itself; waits until it follows and may."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            connection = server.connect()
            if connection.call("READONLY", *bound) == "OK":
                status = status_of(connection)
                if status["role"] == "following" and status.get("behind_ms"):
                    return connection
            connection.close()
        except (OSError, EOFError, AttributeError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"{server.name} answers no reads")


class Life:
    """A register until a write of it has an unknown outcome: that one may be done late."""

    def __init__(self, name):
        self.name = name
        self.acknowledged = [(time.monotonic(), 0)]
        self.attempted = 0

    def at(self, moment):
        """The newest value that was acknowledged before then."""
        rows = self.acknowledged
        low, high = 0, len(rows)
        while low + 1 < high:
            middle = (low + high) // 2
            if rows[middle][0] <= moment:
                low = middle
            else:
                high = middle
        return rows[low][1]


class Register:
    """Counts up at the leader, and knows what was acknowledged when."""

    def __init__(self, servers, name="register"):
        self.servers, self.name = servers, name
        self.life = Life(name)
        self.writes = self.lives = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self):
        client = Client(self.servers, 0)
        while not self._over.is_set():
            life = self.life
            life.attempted += 1
            reply = client.call("SET", life.name, str(life.attempted))
            if reply == "OK":
                life.acknowledged.append((time.monotonic(), life.attempted))
                self.writes += 1
                continue
            if isinstance(reply, Refusal):
                client.close()
                time.sleep(0.02)
            self.lives += 1
            self.life = Life(f"{self.name}-{self.lives}")  # a name that no other life has
        client.close()

    def end(self):
        self._over.set()
        self._thread.join()


class BoundedReader:
    """Reads a register at one server, again and again, and judges each answer."""

    def __init__(self, server, register, millis):
        self.server, self.register, self.millis = server, register, millis
        self.reads = self.refusals = 0
        self.problems = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        connection, life, last = None, None, 0
        while not self._over.is_set():
            try:
                if connection is None or life is not self.register.life:
                    life, last = self.register.life, 0
                if connection is None:
                    connection, last = self.server.connect(), 0
                    connection.call("READONLY", *self.freshness())
                asked = time.monotonic()
                reply = connection.call("GET", life.name)
            except (OSError, EOFError):
                if connection is not None:
                    connection.close()
                connection = None
                time.sleep(0.02)
                continue
            if isinstance(reply, Refusal):
                self.refusals += 1
                if reply.split()[0] not in REFUSALS:
                    self.problems.append(str(reply))
                continue
            self.judge(life, asked, int(reply or 0), last)
            last = int(reply or 0)
            self.reads += 1
        if connection is not None:
            connection.close()

    def freshness(self):
        return ("BOUNDED", self.millis)

    def judge(self, life, asked, value, last):
        least = life.at(asked - self.millis / 1000)
        if not max(least, last) <= value <= life.attempted:
            self.problems.append(f"{life.name}: {value}, not from {least} (before: {last}) to "
                                 f"{life.attempted}")

    def end(self):
        self._over.set()
        self._thread.join()


class FollowerReadsTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="luna-follow-")
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.location = f"rados:luna?conf={CONF}&namespace=follow-{os.getpid()}-{time.time_ns()}"

    def group(self, *flags):
        group = Group(3, self.location, self.folder, "--lease", LEASE_MILLIS, *flags)
        self.addCleanup(group.end)
        leader = group.leader()
        return group, leader, [server for server in group.servers if server is not leader]

    def await_that(self, what, seconds=WAIT_SECONDS):
        deadline = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_one_connection_reads_here_and_writes_there(self):
        group, leader, followers = self.group()
        reader(followers[0]).close()
        with followers[0].connect() as connection:
            connection.call("CLIENT", "SETNAME", "somebody")
            self.assertEqual(connection.call("PING"), "PONG")
            self.assertEqual(connection.call("SET", "a", "1"), "OK", group.journals())
            self.assertEqual(connection.call("CLIENT", "GETNAME"), b"somebody")
            self.assertEqual(status_of(connection)["role"], "leading")
        with reader(followers[0], "BOUNDED", "5000") as connection:
            self.await_that(lambda: connection.call("GET", "a") == b"1")
            refused = connection.call("SET", "a", "2")
            self.assertTrue(refused.startswith("READONLY") and leader.name in refused, refused)
            info = connection.call("INFO", "replication").decode()
            self.assertIn("role:slave\r\n", info)
            self.assertIn(f"master_port:{leader.port}\r\n", info)
            self.assertEqual(connection.call("ROLE")[0], b"slave")
            self.assertEqual(connection.call("MGET", "a", "b"), [b"1", None])
            self.assertEqual(connection.call("DBSIZE"), 1)
            self.assertEqual(connection.call("SCAN", "0"), [b"0", [b"a"]])
            connection.call("MULTI")
            connection.call("GET", "a")
            self.assertEqual(connection.call("EXEC"), [b"1"])
            connection.call("BEGIN", "READONLY")
            self.assertEqual(connection.call("GET", "a"), b"1")
            connection.call("COMMIT")
            self.assertEqual(connection.call("READWRITE"), "OK")
            self.assertEqual(connection.call("SET", "a", "2"), "OK")
            self.assertEqual(connection.call("GET", "a"), b"2")
        if shutil.which("redis-cli"):
            said = subprocess.run(["redis-cli", "-p", str(followers[1].port)],
                                  input="READONLY\nGET a\nSET a 3\nREADWRITE\nSET a 3\nGET a\n",
                                  capture_output=True, text=True, timeout=WAIT_SECONDS, check=True)
            words = said.stdout.split("\n")
            self.assertEqual(words[0], "OK")
            self.assertIn("3", words)

    def test_who_refuses_writes_reads_as_well(self):
        _, leader, followers = self.group("--writes", "refuse")
        with leader.connect() as connection:
            self.assertEqual(connection.call("SET", "a", "1"), "OK")
        with reader(followers[0]) as connection:
            self.await_that(lambda: connection.call("GET", "a") == b"1")
            self.assertEqual(connection.call("READWRITE"), "OK")
            refused = connection.call("GET", "a")
            self.assertTrue(refused.startswith("READONLY") and leader.name in refused, refused)

    def test_without_a_port_for_peers_nobody_reads_strongly(self):
        _, leader, followers = self.group()
        with reader(followers[0]) as connection, leader.connect() as leading:
            refused = connection.call("READONLY", "STRONG")
            self.assertTrue(refused.startswith("ERR ") and "set peer-listen" in refused, refused)
            self.assertEqual(connection.call("READONLY", "BOUNDED", "5000"), "OK")
            self.assertEqual(leading.call("READONLY", "STRONG"), "OK")
            self.assertEqual(leading.call("SET", "a", "1"), "OK")
            self.assertEqual(leading.call("GET", "a"), b"1")

    def test_bounds_hold_under_load(self):
        group, _, followers = self.group()
        register = Register(group.servers)
        self.addCleanup(register.end)
        for server in followers:
            reader(server).close()
        readers = [BoundedReader(server, register, millis)
                   for server in followers for millis in (200, 1000)]
        time.sleep(10)
        for one in readers:
            one.end()
        register.end()
        for one in readers:
            self.assertEqual(one.problems, [], group.journals())
            self.assertGreater(one.reads, 100)
        print(f"{register.writes} writes, "
              f"{sum(one.reads for one in readers)} bounded reads, "
              f"{sum(one.refusals for one in readers)} refused")

    def test_a_follower_that_was_held_answers_nothing_older_than_asked_for(self):
        group, _, _ = self.group()
        for millis in (100, 1000):
            leader = group.leader()
            server = next(one for one in group.servers if one is not leader)
            register = Register([one for one in group.servers if one is not server])
            self.addCleanup(register.end)
            with reader(server, "BOUNDED", millis) as connection:
                self.await_that(lambda: register.writes > 10)
                life = register.life
                server.hold()
                time.sleep(3)
                asked = time.monotonic()
                connection.send(frame("GET", life.name) * 50)
                time.sleep(0.2)
                server.let_go()
                answers = []
                try:
                    while len(answers) < 50:
                        answers.append(connection.reply())
                except (OSError, EOFError):
                    pass  # it may have taken the lead: then it closes who reads here
            least = life.at(asked - millis / 1000)
            self.assertGreater(least, 0)
            for answer in answers:
                if isinstance(answer, Refusal):
                    self.assertIn(answer.split()[0], REFUSALS)
                else:
                    self.assertGreaterEqual(int(answer or 0), least)
            fresh = [one for one in answers if not isinstance(one, Refusal)]
            print(f"BOUNDED {millis}, held for 3 s: {len(fresh)} of 50 answered, "
                  f"{len(answers) - len(fresh)} refused")
            register.end()

    def test_readers_and_fail_overs(self):
        group, leader, _ = self.group()
        register = Register(group.servers)
        self.addCleanup(register.end)
        readers = [BoundedReader(server, register, 1000) for server in group.servers]
        for one in readers:
            self.addCleanup(one.end)
        for _ in range(3):
            time.sleep(2)
            leader.kill()
            new = group.leader(but=leader)
            leader.start()
            leader = new
        time.sleep(2)
        for one in readers:
            one.end()
            self.assertEqual(one.problems, [], group.journals())
            self.assertGreater(one.reads, 0)
        register.end()
        print(f"three kills -9: {sum(one.reads for one in readers)} bounded reads, "
              f"{sum(one.refusals for one in readers)} refused")

    def test_keys_expire_at_followers(self):
        _, leader, followers = self.group()
        with leader.connect() as writer, reader(followers[0]) as connection:
            self.assertEqual(writer.call("SET", "short", "1", "PX", "3000"), "OK")
            written = time.monotonic()
            self.await_that(lambda: connection.call("GET", "short") == b"1")
            self.assertGreater(connection.call("PTTL", "short"), 0)
            self.await_that(lambda: connection.call("GET", "short") is None, 20)
            gone = time.monotonic() - written
            self.assertGreater(gone, 2.9)
            print(f"a key of 3 s was gone at a follower after {gone:.2f} s")

    def test_names_come_and_go_at_followers(self):
        _, leader, followers = self.group()
        with leader.connect() as writer, reader(followers[0]) as connection:
            for words in (("DATABASE", "CREATE", "shop"), ("USE", "shop"),
                          ("COLLECTION", "CREATE", "orders"), ("USE", "shop.orders"),
                          ("SET", "one", "1")):
                self.assertEqual(writer.call(*words), "OK")
            self.await_that(lambda: connection.call("USE", "shop.orders") == "OK")
            self.await_that(lambda: connection.call("GET", "one") == b"1")
            self.assertEqual(writer.call("COLLECTION", "RENAME", "orders", "old"), "OK")
            self.assertEqual(writer.call("COLLECTION", "CREATE", "orders"), "OK")
            self.assertEqual(writer.call("USE", "shop.orders"), "OK")
            self.assertEqual(writer.call("SET", "one", "2"), "OK")
            self.await_that(lambda: connection.call("GET", "one") == b"2")
            self.assertEqual(connection.call("USE", "shop.old"), "OK")
            self.assertEqual(connection.call("GET", "one"), b"1")
            self.assertEqual(writer.call("COLLECTION", "DROP", "old", "CONFIRM", "old"), "OK")
            self.await_that(lambda: isinstance(connection.call("GET", "one"), Refusal))

    def test_how_old_reads_are(self):
        group, leader, followers = self.group()

        def samples(count, name):
            late = []
            with leader.connect() as writer, reader(followers[0]) as connection:
                for number in range(count):
                    word = str(number)
                    self.assertEqual(writer.call("SET", name, word), "OK")
                    written = time.monotonic()
                    while connection.call("GET", name) != word.encode():
                        pass
                    late.append((time.monotonic() - written) * 1000)
            late.sort()
            return (f"p50 {late[len(late) // 2]:.0f} ms, p99 {late[len(late) * 99 // 100]:.0f} ms, "
                    f"most {late[-1]:.0f} ms")

        print(f"from acknowledged to seen at a follower: {samples(200, 'alone')}")
        registers = [Register(group.servers, f"load-{number}") for number in range(4)]
        for register in registers:
            self.addCleanup(register.end)
        began = time.monotonic()
        told = samples(200, "loaded")
        writes = sum(one.writes for one in registers) / (time.monotonic() - began)
        print(f"the same beside {writes:.0f} writes a second: {told}")


if __name__ == "__main__":
    unittest.main()
