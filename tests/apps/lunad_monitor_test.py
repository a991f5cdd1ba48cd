"""MONITOR and CLIENT PAUSE from the outside: many connections, redis-cli, rights, slow readers.

The environment names the programs: LUNAD and LUNA.
"""

import re
import select
import subprocess
import time
import unittest

from lunad_test import REDIS_CLI, WAIT_SECONDS, Failure, ServiceTest, frame
from program import LUNA
from redis_py import redis

LINE = re.compile(r"^\d{10}\.\d{6} \[(\S+) 127\.0\.0\.1:\d+\] (.*)$")


class MonitorTest(ServiceTest):
    def monitor(self, *login):
        monitor = self.connect()
        if login:
            monitor.call("AUTH", *login)
        self.assertEqual(monitor.call("MONITOR"), "OK")
        return monitor

    def shown(self, monitor):
        """The next line, as (place, command)."""
        line = monitor.reply()
        match = LINE.match(line)
        self.assertIsNotNone(match, line)
        return match.groups()


class Monitors(MonitorTest):
    def setUp(self):
        super().setUp()
        self.start("--handlers", "2")

    def test_commands_of_every_place(self):
        clients, monitor = [self.connect() for _ in range(3)], self.monitor()
        for i, client in enumerate(clients):
            client.call("SET", "k", i)
            self.assertEqual(self.shown(monitor), ("0", f'"SET" "k" "{i}"'))
            client.call("GET", "k")
            self.assertEqual(self.shown(monitor), ("0", '"GET" "k"'))
            client.call("BEGIN")
            self.assertEqual(self.shown(monitor), ("0", '"BEGIN"'))
            client.call("SET", "t", "1")
            client.call("COMMIT")
            self.assertEqual(self.shown(monitor), ("0", '"SET" "t" "1"'))
            self.assertEqual(self.shown(monitor), ("0", '"COMMIT"'))
            client.call("DATABASE", "LIST")
            self.assertEqual(self.shown(monitor), ("0", '"DATABASE" "LIST"'))

    def test_pipelines_stay_in_order(self):
        client, monitor = self.connect(), self.monitor()
        words = [("SET", "a", i) if i % 3 else ("GET", "a") for i in range(3000)]
        client.socket.sendall(b"".join(frame(*w) for w in words))
        for w in words:
            self.assertEqual(self.shown(monitor)[1], " ".join(f'"{x}"' for x in w))
            client.reply()

    def test_other_databases_are_named(self):
        client, monitor = self.connect(), self.monitor()
        client.call("DATABASE", "CREATE", "orders")
        client.call("USE", "orders")
        client.call("COLLECTION", "CREATE", "paid")
        client.call("USE", "orders", "paid")
        client.call("GET", "a")
        self.assertEqual(self.shown(monitor), ("orders.0", '"USE" "orders"'))
        self.assertEqual(self.shown(monitor), ("orders.paid", '"USE" "orders" "paid"'))
        self.assertEqual(self.shown(monitor), ("orders.paid", '"GET" "a"'))

    def test_a_monitor_touches_no_data_until_reset(self):
        client, monitor = self.connect(), self.monitor()
        with self.assertRaisesRegex(Failure, "^ERR Replica can't interact with the keyspace$"):
            monitor.call("GET", "a")
        self.assertEqual(monitor.call("PING"), "PONG")
        self.assertEqual(self.shown(monitor), ("0", '"PING"'))
        self.assertRegex(client.call("CLIENT", "LIST").decode(), r" flags=O .* cmd=ping ")
        self.assertEqual(monitor.call("RESET"), "RESET")
        client.call("SET", "a", "1")
        self.assertEqual(monitor.call("GET", "a"), b"1")
        self.assertNotIn(" flags=O", client.call("CLIENT", "LIST").decode())

    def test_monitors_come_and_go(self):
        client = self.connect()
        for _ in range(20):
            monitors = [self.monitor() for _ in range(10)]
            client.call("SET", "a", "1")
            for monitor in monitors:
                self.assertEqual(self.shown(monitor)[1], '"SET" "a" "1"')
                monitor.close()
        self.assertEqual(client.call("PING"), "PONG")

    def test_passwords_are_not_shown(self):
        client, monitor = self.connect(), self.monitor()
        client.call("ACL", "SETUSER", "bob", "on", ">geheim", "~*", "+@all")
        client.call("AUTH", "bob", "geheim")
        client.call("HELLO", "2", "AUTH", "bob", "geheim")
        with self.assertRaises(Failure):
            client.call("TXN", "RUN", "1", "AUTH", "bob", "geheim")
        client.call("MULTI")
        client.call("AUTH", "bob", "geheim")
        client.call("EXEC")
        client.call("ECHO", "end")
        seen = ""
        while "end" not in seen:
            seen += self.shown(monitor)[1] + "\n"
        self.assertNotIn("geheim", seen)
        self.assertEqual(seen.count("redacted"), 8)

    def test_rights(self):
        admin = self.connect()
        admin.call("DATABASE", "CREATE", "orders")
        admin.call("ACL", "SETUSER", "bob", "on", ">pw", "~*", "+@all", "db:orders")
        admin.call("ACL", "SETUSER", "ann", "on", ">pw", "~*", "+@all", "-@admin")
        ann = self.connect()
        ann.call("AUTH", "ann", "pw")
        with self.assertRaisesRegex(Failure, "^NOPERM .*'monitor'"):
            ann.call("MONITOR")
        monitor = self.monitor("bob", "pw")
        admin.call("SET", "a", "1")
        admin.call("USE", "orders")
        admin.call("SET", "b", "1")
        self.assertEqual(self.shown(monitor), ("orders.0", '"USE" "orders"'))
        self.assertEqual(self.shown(monitor), ("orders.0", '"SET" "b" "1"'))
        admin.call("ACL", "DELUSER", "bob")
        admin.call("SET", "b", "2")
        with self.assertRaises((EOFError, ConnectionError)):
            monitor.reply()

    @unittest.skipUnless(REDIS_CLI, "needs redis-cli")
    def test_redis_cli_shows_it(self):
        client = self.connect()
        cli = subprocess.Popen([REDIS_CLI, "-p", str(self.port), "MONITOR"],
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.addCleanup(cli.stdout.close)
        self.addCleanup(cli.wait)
        self.addCleanup(cli.kill)
        self.assertEqual(cli.stdout.readline(), b"OK\n")
        client.call("KEYS", "*")
        self.assertRegex(cli.stdout.readline().decode(),
                         r'^\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "KEYS" "\*"\n$')

    def test_luna_shows_it(self):
        client = self.connect()
        shown = subprocess.Popen([LUNA, "--server", f"127.0.0.1:{self.port}", "MONITOR"],
                                 stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.addCleanup(shown.stdout.close)
        self.addCleanup(shown.wait)
        self.addCleanup(shown.kill)
        self.assertEqual(shown.stdout.readline(), b"OK\n")
        client.call("KEYS", "*")
        self.assertIn(b'"KEYS" "*"', shown.stdout.readline())

    @unittest.skipUnless(redis, "needs python3-redis")
    def test_redis_py_parses_it(self):
        client = redis.Redis(port=self.port)
        with client.monitor() as monitor:
            client.set("a", 'say "hi"')
            seen = []
            while not any(line["command"].startswith("SET") for line in seen):
                seen.append(monitor.next_command())
        self.assertEqual(seen[-1]["db"], 0)
        self.assertEqual(seen[-1]["client_type"], "tcp")
        client.close()


class SlowMonitors(MonitorTest):
    def test_one_that_does_not_read_is_cut_off(self):
        self.start("--output-soft", "65536", "--output-hard", "1000000")
        client, monitor = self.connect(), self.monitor()
        value = b"v" * 10_000
        for _ in range(2000):
            client.call("SET", "a", value)
        self.assertNotIn(b"cmd=monitor", client.call("CLIENT", "LIST"))
        with self.assertRaises((EOFError, ConnectionError)):
            while True:
                monitor.reply()
        self.assertEqual(client.call("PING"), "PONG")


class Pauses(ServiceTest):
    def setUp(self):
        super().setUp()
        self.start("--handlers", "2")
        self.admin, self.client = self.connect(), self.connect()

    def is_silent(self, connection):
        return not select.select([connection.socket], [], [], 0.2)[0]

    def test_writes_wait_for_unpause(self):
        clients = [self.connect() for _ in range(8)]
        self.assertEqual(self.admin.call("CLIENT", "PAUSE", "60000", "WRITE"), "OK")
        for client in clients:
            client.send("SET", "a", "1")
        self.client.socket.sendall(frame("GET", "a") + frame("INCR", "n") + frame("INCR", "n"))
        self.assertIsNone(self.client.reply())
        for client in (*clients, self.client):
            self.assertTrue(self.is_silent(client))
        self.assertIsNone(self.admin.call("GET", "a"))
        self.assertEqual(self.admin.call("CLIENT", "UNPAUSE"), "OK")
        self.assertEqual([client.reply() for client in clients], ["OK"] * 8)
        self.assertEqual([self.client.reply(), self.client.reply()], [1, 2])

    def test_all_wait_until_the_end(self):
        begun = time.monotonic()
        self.assertEqual(self.admin.call("CLIENT", "PAUSE", "700"), "OK")
        for connection in (self.admin, self.client):
            connection.send("PING")
        with self.assertRaisesRegex(Failure, "unknown command"):
            self.connect().call("NOSUCH")  # refused, not paused
        for connection in (self.admin, self.client):
            self.assertEqual(connection.reply(), "PONG")
            self.assertGreater(time.monotonic() - begun, 0.69)
        self.assertLess(time.monotonic() - begun, WAIT_SECONDS)

    def test_transactions_wait_where_they_commit(self):
        self.client.call("BEGIN")
        self.admin.call("CLIENT", "PAUSE", "60000", "WRITE")
        self.assertEqual(self.client.call("SET", "a", "1"), "OK")
        self.client.send("COMMIT")
        self.assertTrue(self.is_silent(self.client))
        other = self.connect()
        other.call("MULTI")
        other.send("SET", "b", "1")  # as in Redis it waits to be queued
        self.assertTrue(self.is_silent(other))
        self.admin.call("CLIENT", "UNPAUSE")
        self.assertIsNotNone(self.client.reply())
        self.assertEqual(other.reply(), "QUEUED")
        self.assertEqual(other.call("EXEC"), ["OK"])

    def test_a_stop_does_not_wait_for_the_end(self):
        self.admin.call("CLIENT", "PAUSE", "600000", "WRITE")
        self.client.send("SET", "a", "1")
        self.assertTrue(self.is_silent(self.client))
        begun = time.monotonic()
        self.end()
        self.assertLess(time.monotonic() - begun, 8)
        with self.assertRaises((EOFError, ConnectionError)):
            self.client.reply()
        self.start()
        self.assertIsNone(self.connect().call("GET", "a"))

    def test_monitors_are_not_paused(self):
        monitor = self.connect()
        self.assertEqual(monitor.call("MONITOR"), "OK")
        self.admin.call("CLIENT", "PAUSE", "60000", "ALL")
        self.client.send("PING")
        self.assertTrue(self.is_silent(self.client))
        self.assertTrue(self.is_silent(monitor))
        self.assertEqual(monitor.call("CLIENT", "UNPAUSE"), "OK")
        self.assertEqual(self.client.reply(), "PONG")
        self.assertIn('"PING"', monitor.reply())


if __name__ == "__main__":
    unittest.main()
