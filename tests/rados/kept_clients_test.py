"""Clients keep their connections while the lead moves from server to server in order, on Ceph:
those that wait between two requests, those whose request nobody has begun, and those that read at
followers. What was acknowledged is there once, and every reply is the one to the client's request.

The environment names program and cluster: LUNAD, LUNA_CEPH_CONF; LUNA_RPC=ON: its servers can talk
to one another. With redis-py, its clients too.
"""

import datetime
import os
import tempfile
import threading
import time
import unittest

from tablet_servers import REFUSALS, WAIT_SECONDS, Group, Refusal
from redis_py import redis
from wire import frame

CONF = os.environ["LUNA_CEPH_CONF"]
LEASE_MILLIS = 1000
TRANSFERS = 5


class Kept:
    """A client that must not lose its connection. Each of its requests has a reply that only it can
    have: its own name and count."""

    def __init__(self, name, server):
        self.name, self.server, self.count = name, server, 0
        self.connection = server.connect()
        try:
            self.connection.call("CLIENT", "SETNAME", name)
        except (OSError, EOFError):
            self.close()
            raise

    def echo(self):
        """Answered wherever it is, and by itself no reason to be passed on."""
        self.count += 1
        word = f"{self.name}-{self.count}"
        reply = self.connection.call("ECHO", word)
        assert reply == word.encode(), (word, reply)

    def close(self):
        self.connection.close()


class Writer(Kept):
    """Counts a key of its own up; knows what was acknowledged, and what may have been done."""

    def __init__(self, name, server):
        super().__init__(name, server)
        self.acknowledged = self.sent = 0
        self.refusal = None

    def send(self):
        self.sent += 1
        self.connection.send(frame("INCR", self.name))

    def hear(self):
        """The reply, which is right or a refusal."""
        reply = self.connection.reply()
        if isinstance(reply, Refusal):
            assert reply.split()[0] in REFUSALS, reply
            self.refusal = reply
            return False
        self.acknowledged += 1
        assert self.acknowledged <= reply <= self.sent, (self.name, reply, self.acknowledged)
        return True

    def write(self):
        self.send()
        return self.hear()


class KeptClientsTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="luna-kept-")
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.location = f"rados:luna?conf={CONF}&namespace=kept-{os.getpid()}-{time.time_ns()}"

    def group(self, *flags, peers=False, lease=LEASE_MILLIS):
        group = Group(3, self.location, self.folder, "--lease", lease, *flags, peers=peers)
        self.addCleanup(group.end)
        return group, group.leader()

    def kept(self, kind, name, server):
        client = kind(name, server)
        self.addCleanup(client.close)
        return client

    def await_that(self, what):
        deadline = time.monotonic() + WAIT_SECONDS
        while not what():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def own_status(self, server):
        """What that server says of itself; nothing while it passes on."""
        try:
            with server.connect() as connection:
                connection.call("READONLY")
                rows = connection.call("GROUP", "STATUS").decode().splitlines()
        except (OSError, EOFError, AttributeError):
            return {}
        status = dict(row.split(":", 1) for row in rows if ":" in row)
        return status if status["server"] == server.name else {}

    def reads_at(self, server):
        """Whether that server answers reads of its own; where it refuses writes, that is heard."""
        status = self.own_status(server)
        try:
            with server.connect() as connection:
                heard = not isinstance(connection.call("ECHO", "a"), Refusal)
        except (OSError, EOFError):
            heard = False
        return heard and (status.get("role") == "leading" or bool(status.get("behind_ms")))

    def await_reads(self, group):
        for server in group.servers:
            self.await_that(lambda server=server: self.reads_at(server))

    def await_home(self, server, name, count=1):
        """Until a service of that server has so many clients of that name: who waits at its port is
        offered to the one that reads there as soon as there is one."""
        def is_home():
            try:
                with server.connect() as connection:
                    connection.call("READONLY")
                    rows = connection.call("CLIENT", "LIST")
            except (OSError, EOFError):
                return False
            return not isinstance(rows, Refusal) and rows.count(f" name={name} ".encode()) == count
        self.await_that(is_home)

    def transfer(self, group, leader):
        """To the next server of the group; who leads then."""
        target = group.servers[(group.servers.index(leader) + 1) % len(group.servers)]
        with leader.connect() as connection:
            self.assertEqual(connection.call("GROUP", "TRANSFER", target.name), "OK")
        self.await_that(lambda: self.own_status(target).get("role") == "leading")
        return target

    def test_idle_clients_of_all_servers_stay_through_transfers(self):
        group, leader = self.group()
        self.await_reads(group)
        idle = [self.kept(Kept, f"idle-{i}", server) for i, server in enumerate(group.servers)]
        readers = [self.kept(Kept, f"reader-{i}", server)
                   for i, server in enumerate(group.servers)]
        for reader in readers:
            self.assertEqual(reader.connection.call("READONLY"), "OK")
        with leader.connect() as connection:
            self.assertEqual(connection.call("SET", "known", "1"), "OK")
        for i in range(TRANSFERS):
            leader = self.transfer(group, leader)
            for client in idle + readers:
                self.await_home(client.server, client.name)
                client.echo()
            for reader in readers:
                self.assertEqual(reader.connection.call("GET", "known"), b"1", group.journals())
        rows = leader.connect().call("CLIENT", "LIST").decode().splitlines()
        names = [row.split(" name=")[1].split(" ")[0] for row in rows]
        at = group.servers.index(leader)
        self.assertEqual(sorted(name for name in names if name), [f"idle-{at}", f"reader-{at}"])
        # And they write, all of them.
        for client in idle:
            self.assertEqual(client.connection.call("SET", client.name, "1"), "OK")
        for reader in readers:
            self.assertEqual(reader.connection.call("READWRITE"), "OK")
            self.assertEqual(reader.connection.call("GET", idle[0].name), b"1")

    def test_writers_stay_where_nothing_was_passed_on(self):
        group, leader = self.group()
        writers, pauses = [], []
        for i in range(TRANSFERS):
            self.await_reads(group)
            target = group.servers[(group.servers.index(leader) + 1) % 3]
            third = group.servers[(group.servers.index(leader) + 2) % 3]
            old = [self.kept(Writer, f"old-{i}-{n}", leader) for n in range(3)]
            for writer in old:
                self.assertTrue(writer.write())
            waiting = [self.kept(Writer, f"waiting-{i}-{n}", server)
                       for n, server in enumerate((target, third))]
            ends = leader.journal.read_text().count("leads-no-more")
            target.hold()
            with leader.connect() as connection:
                self.assertEqual(connection.call("GROUP", "TRANSFER", target.name), "OK")
            # Perhaps begun by the old leader, and then perhaps refused, or not.
            old[0].send()
            self.await_that(lambda leader=leader, ends=ends:
                            leader.journal.read_text().count("leads-no-more") > ends)
            began = time.monotonic()
            for writer in waiting:
                writer.send()
            old[1].send()
            target.let_go()
            for writer in waiting + old[1:2]:
                self.assertTrue(writer.hear(), group.journals())
            pauses.append(time.monotonic() - began)
            old[0].hear()
            for writer in old + waiting:
                writer.echo()
                self.assertTrue(writer.write(), group.journals())
            leader = group.leader(but=leader)
            writers += old + waiting
        with leader.connect() as connection:
            for writer in writers:
                value = int(connection.call("GET", writer.name))
                self.assertTrue(writer.acknowledged <= value <= writer.sent, writer.name)
        print(f"{len(writers)} writers kept through {TRANSFERS} transfers; what was sent while "
              "nobody led took " + ", ".join(f"{pause * 1000:.0f} ms" for pause in pauses))

    def test_who_refuses_writes_keeps_clients_and_names_the_leader(self):
        group, leader = self.group("--writes", "refuse")
        self.await_reads(group)
        clients = [self.kept(Kept, f"one-{i}", server) for i, server in enumerate(group.servers)]
        for client in clients:
            client.connection.call("READONLY")
        for _ in range(3):
            leader = self.transfer(group, leader)
            for client in clients:
                self.await_home(client.server, client.name)
                # It looks at the stream now and then; nobody tells it.
                self.await_that(lambda server=client.server, name=leader.name:
                                self.own_status(server).get("leader") == name)
                client.echo()
                reply = client.connection.call("SET", client.name, "1")
                if client.server is leader:
                    self.assertEqual(reply, "OK")
                else:
                    self.assertTrue(reply.startswith("READONLY") and leader.name in reply, reply)

    def test_users_and_places_go_along(self):
        users = os.path.join(self.folder, "users.acl")
        with open(users, "w", encoding="utf-8") as file:
            file.write("user default off\nuser alice on >secret ~* +@all\n")
        group = Group(3, self.location, self.folder, "--lease", LEASE_MILLIS, "--acl-file", users)
        self.addCleanup(group.end)
        for server in group.servers:
            connect = server.connect

            def logged_in(connect=connect):
                connection = connect()
                connection.call("AUTH", "alice", "secret")
                return connection
            server.connect = logged_in
        leader = group.leader()
        client = self.kept(Kept, "someone", leader)
        for words in (("DATABASE", "CREATE", "shop"), ("USE", "shop"),
                      ("COLLECTION", "CREATE", "orders"), ("USE", "shop", "orders")):
            self.assertEqual(client.connection.call(*words), "OK")
        for i in range(3):
            leader = self.transfer(group, leader)
            if i < 2:
                self.await_home(client.server, client.name)
                client.echo()
        self.assertEqual(client.connection.call("ACL", "WHOAMI"), b"alice")
        self.assertEqual(client.connection.call("SET", "one", "1"), "OK")
        with leader.connect() as connection:
            self.assertIsNone(connection.call("GET", "one"))
            self.assertEqual(connection.call("USE", "shop", "orders"), "OK")
            self.assertEqual(connection.call("GET", "one"), b"1")

    @unittest.skipUnless(redis, "redis-py is not installed")
    def test_clients_of_redis_py_notice_nothing(self):
        group, leader = self.group()
        self.await_reads(group)
        clients = [redis.Redis(port=server.port, single_connection_client=True,
                               client_name=f"py-{i}")
                   for i, server in enumerate(group.servers) for _ in range(2)]
        sockets = []
        for client in clients:
            self.addCleanup(client.close)
            self.assertTrue(client.ping())
            sockets.append(client.connection._sock)
        for _ in range(TRANSFERS):
            leader = self.transfer(group, leader)
            for i, server in enumerate(group.servers):
                self.await_home(server, f"py-{i}", 2)
            for client in clients:
                self.assertTrue(client.ping())
        for i, client in enumerate(clients):
            self.assertTrue(client.set(f"py-{i}", str(i)))
            self.assertEqual(client.get(f"py-{i}"), str(i).encode())
            self.assertIs(client.connection._sock, sockets[i], "it connected anew")

    @unittest.skipUnless(os.environ.get("LUNA_RPC") == "ON", "servers do not talk to each other")
    def test_clients_of_all_servers_see_no_error_while_the_lead_goes_round(self):
        """Where servers talk to each other, an ordered transfer is a pause and nothing else: for
        clients of the one that gives, of the one that takes and of the third, one request at a
        time or many."""
        # What is begun may take a quarter of the lease before it is refused: enough for a machine
        # that does something else as well.
        group, leader = self.group(peers=True, lease=2000)
        self.await_reads(group)
        over = threading.Event()
        problems = []

        def work(writer, at_once):
            try:
                while not over.is_set():
                    for _ in range(at_once):
                        writer.send()
                    for _ in range(at_once):
                        if not writer.hear():
                            raise AssertionError(writer.refusal)
            except (OSError, EOFError, AssertionError) as problem:
                problems.append(f"{datetime.datetime.now(datetime.UTC)} {writer.name} at "
                                f"{writer.server.name}: {problem!r}")

        writers = [self.kept(Writer, f"steady-{i}-{at_once}", server)
                   for i, server in enumerate(group.servers) for at_once in (1, 20)]
        threads = [threading.Thread(target=work, args=(writer, int(writer.name.split("-")[2])))
                   for writer in writers]
        for thread in threads:
            thread.start()
        for _ in range(TRANSFERS):
            time.sleep(1.5)  # until the leader has heard of its followers
            leader = self.transfer(group, leader)
        time.sleep(1)
        over.set()
        for thread in threads:
            thread.join()
        self.assertFalse(problems, "\n".join([*problems, group.journals()]))
        with group.leader().connect() as connection:
            for writer in writers:
                value = int(connection.call("GET", writer.name))
                self.assertEqual(value, writer.sent, writer.name)
        print(f"{sum(writer.sent for writer in writers)} writes, none refused, no connection lost "
              f"in {TRANSFERS} transfers")

    @unittest.skipUnless(os.environ.get("LUNA_RPC") == "ON", "servers do not talk to each other")
    def test_a_rolling_restart_is_a_pause_to_clients_of_other_servers(self):
        """A leader that is stopped in order gives its lead to a follower, by word."""
        group, leader = self.group(peers=True, lease=2000)
        for _ in range(2):
            self.await_reads(group)
            time.sleep(1.5)  # until the leader has heard of its followers
            over = threading.Event()
            gaps, problems = [], []

            def work(writer, over=over, gaps=gaps, problems=problems):
                last = time.monotonic()
                try:
                    while not over.is_set():
                        if not writer.write():
                            raise AssertionError(writer.refusal)
                        gaps.append(time.monotonic() - last)
                        last = time.monotonic()
                except (OSError, EOFError, AssertionError) as problem:
                    problems.append(f"{writer.name} at {writer.server.name}: {problem!r}")

            others = [server for server in group.servers if server is not leader]
            writers = [self.kept(Writer, f"through-{time.time_ns()}", server) for server in others]
            threads = [threading.Thread(target=work, args=(writer,)) for writer in writers]
            for thread in threads:
                thread.start()
            time.sleep(0.5)
            self.assertEqual(leader.end(), 0, group.journals())
            self.assertIn("by=word", leader.journal.read_text())
            heir = group.leader(but=leader)
            time.sleep(0.5)
            over.set()
            for thread in threads:
                thread.join()
            self.assertFalse(problems, "\n".join([*problems, group.journals()]))
            with heir.connect() as connection:
                for writer in writers:
                    self.assertEqual(int(connection.call("GET", writer.name)), writer.sent)
            print(f"{sum(writer.sent for writer in writers)} writes, none refused; the longest "
                  f"waited {max(gaps) * 1000:.0f} ms while the leader was stopped")
            leader.start()
            leader = heir

    def test_many_that_write_all_the_time_lose_and_double_nothing(self):
        group, leader = self.group()
        over = threading.Event()
        lost, problems, done = [], [], []

        def work(number):
            """Writes without a pause; a connection that ends in between is begun anew."""
            life = 0
            while not over.is_set():
                writer = None
                try:
                    writer = Writer(f"busy-{number}-{life}", group.servers[number % 3])
                    while not over.is_set():
                        writer.write()
                except (OSError, EOFError):
                    if writer is not None:
                        lost.append(number)
                except AssertionError as problem:
                    problems.append(repr(problem))
                if writer is not None:
                    writer.close()
                    done.append(writer)
                life += 1
        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for _ in range(TRANSFERS):
            time.sleep(1)
            leader = self.transfer(group, leader)
        time.sleep(1)
        over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [], group.journals())
        with group.leader().connect() as connection:
            for writer in done:
                value = int(connection.call("GET", writer.name) or 0)
                self.assertTrue(writer.acknowledged <= value <= writer.sent, writer.name)
        print(f"{sum(writer.acknowledged for writer in done)} writes without a pause, "
              f"{len(lost)} connections lost in {TRANSFERS} transfers")


if __name__ == "__main__":
    unittest.main()
