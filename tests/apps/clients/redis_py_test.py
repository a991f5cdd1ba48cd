"""redis-py, over RESP2."""

import signal
import threading
import time
import unittest

from lunad_test import WAIT_SECONDS, ServiceTest
from redis_py import redis


def setUpModule():
    if redis is None:
        raise AssertionError("this test needs Debian's python3-redis: "
                             "apt-get install python3-redis")


class RedisPy(ServiceTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.client, self.other = self.new_client(), self.new_client()

    def new_client(self):
        """A client that keeps to one connection, so that BEGIN belongs to it."""
        client = redis.Redis(port=self.port, socket_timeout=WAIT_SECONDS, decode_responses=True,
                             single_connection_client=True)
        self.addCleanup(client.close)
        return client

    def test_strings(self):
        value = bytes(range(256))
        binary = redis.Redis(port=self.port)
        self.addCleanup(binary.close)
        self.assertTrue(binary.set("k", value))
        self.assertEqual(binary.get("k"), value)
        self.assertIsNone(self.client.set("k", "w", nx=True))
        self.assertTrue(self.client.set("k", "w"))
        self.assertEqual(self.client.append("k", "xyz"), 4)
        self.assertEqual(self.client.getrange("k", 1, -2), "xy")
        self.assertTrue(self.client.mset({"a": 1, "b": 2}))
        self.assertEqual(self.client.mget("a", "b", "c"), ["1", "2", None])
        self.assertEqual(self.client.incrby("a", 41), 42)
        self.assertEqual(self.client.incrbyfloat("a", 0.5), 42.5)
        self.assertEqual(self.client.exists("a", "k", "c"), 2)
        self.assertEqual(self.client.getdel("b"), "2")
        self.assertEqual(self.client.delete("a", "b", "k"), 2)
        self.assertEqual(self.client.dbsize(), 0)
        self.assertEqual(self.client.info()["redis_mode"], "standalone")

    def test_expiry(self):
        self.client.set("k", "v", ex=100)
        self.assertIn(self.client.ttl("k"), (99, 100))
        self.assertTrue(self.client.persist("k"))
        self.assertEqual(self.client.ttl("k"), -1)
        for expire in (lambda: self.client.pexpire("k", 30),
                       lambda: self.client.set("k", "v", px=30)):
            self.assertTrue(expire())
            deadline = time.monotonic() + WAIT_SECONDS
            while self.client.get("k") is not None:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.005)
            self.assertEqual(self.client.ttl("k"), -2)

    def test_multi_and_watch(self):
        self.assertEqual(self.client.pipeline().set("k", 1).incr("k").execute(), [True, 2])
        with self.client.pipeline() as pipeline:
            pipeline.watch("k")
            self.other.set("k", 10)
            pipeline.multi()
            pipeline.set("k", 3)
            with self.assertRaises(redis.WatchError):
                pipeline.execute()
        self.assertEqual(self.client.get("k"), "10")
        self.assertEqual(self.client.transaction(lambda p: (p.multi(), p.incr("k")), "k"), [11])

    def test_begin_and_commit(self):
        self.other.set("k", 1)
        self.assertGreater(self.client.execute_command("BEGIN"), 0)
        self.assertEqual(self.client.incr("k"), 2)
        self.assertEqual(self.other.get("k"), "1")
        self.assertRegex(self.client.execute_command("COMMIT"), "^[0-9]+$")
        self.assertEqual(self.other.get("k"), "2")
        self.client.execute_command("BEGIN")
        self.assertEqual(self.client.get("k"), "2")
        self.other.set("k", 7)
        self.client.set("k", 3)
        with self.assertRaisesRegex(redis.ResponseError, "^CONFLICT "):
            self.client.execute_command("COMMIT")
        self.assertEqual(self.client.get("k"), "7")
        self.client.execute_command("BEGIN")
        self.client.set("k", "never")
        self.assertEqual(self.client.execute_command("ROLLBACK"), "OK")
        self.assertEqual(self.client.get("k"), "7")

    def test_transactions_by_handle(self):
        def transaction(*words):
            return self.client.execute_command("TXN", *words)
        first, second = transaction("BEGIN"), transaction("BEGIN")
        self.assertEqual(transaction("RUN", first, "SET", "k", "first"), "OK")
        self.assertEqual(transaction("RUN", first, "GET", "k"), "first")
        self.assertIsNone(transaction("RUN", second, "GET", "k"))
        self.assertIsNone(self.client.get("k"))
        transaction("RUN", second, "SET", "k", "second")
        self.assertRegex(transaction("COMMIT", first), "^[0-9]+$")
        with self.assertRaisesRegex(redis.ResponseError, "^CONFLICT "):
            transaction("COMMIT", second)
        with self.assertRaisesRegex(redis.ResponseError, "^NOTXN "):
            transaction("RUN", second, "GET", "k")
        self.assertEqual(self.client.get("k"), "first")

    def test_pipeline_of_a_thousand(self):
        for transaction in (False, True):
            pipeline = self.client.pipeline(transaction=transaction)
            for i in range(500):
                pipeline.set(f"k{i}", i).get(f"k{i}")
            self.assertEqual(pipeline.execute(),
                             [reply for i in range(500) for reply in (True, str(i))])

    def test_scan_of_five_thousand(self):
        names = [f"k{i}" for i in range(5000)]
        self.client.mset({**dict.fromkeys(names, 1), "other": 1})
        for match, expected in (("k*", names), ("k1*", [n for n in names if n[1] == "1"]),
                                ("none*", [])):
            found = list(self.client.scan_iter(match=match, count=100))
            self.assertEqual(sorted(found), sorted(expected))

    def test_errors(self):
        self.client.set("k", "text")
        for words, message in (
                (("INCR", "k"), "value is not an integer or out of range"),
                (("INCRBYFLOAT", "k", "1"), "value is not a valid float"),
                (("nonsense", "a"), "unknown command 'nonsense', with args beginning with: 'a'"),
                (("GET",), "wrong number of arguments for 'get' command")):
            with self.assertRaisesRegex(redis.ResponseError, "^" + message):
                self.client.execute_command(*words)
        self.assertEqual(self.client.get("k"), "text")

    def test_reconnects_after_kill_9_and_finds_what_was_acknowledged(self):
        acknowledged, enough = [], threading.Event()

        def write():
            try:
                for i in range(1_000_000):
                    self.client.set(f"k{i}", f"v{i}")
                    acknowledged.append(i)
                    if i == 200:
                        enough.set()
            except redis.ConnectionError:
                pass
        writer = threading.Thread(target=write)
        writer.start()
        self.assertTrue(enough.wait(WAIT_SECONDS))
        self.end(signal.SIGKILL, expect=-signal.SIGKILL)
        writer.join(WAIT_SECONDS)
        self.assertFalse(writer.is_alive())
        self.start(port=self.port)
        found = self.client.mget([f"k{i}" for i in acknowledged])
        self.assertEqual(found, [f"v{i}" for i in acknowledged])
        self.assertTrue(self.client.set("more", 1))

    def test_reconnects_after_an_orderly_stop(self):
        self.client.set("k", "v")
        self.end()
        with self.assertRaises(redis.ConnectionError):
            self.client.get("k")
        self.start(port=self.port)
        self.assertEqual(self.client.get("k"), "v")


if __name__ == "__main__":
    unittest.main()
