"""`luna bench` against lunad and against redis-server; and the comparison of both.

The environment names the programs: LUNA, LUNAD. What needs redis-server is tested where it is
installed.
"""

import csv
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

from lunad_test import WAIT_SECONDS, ServiceTest
from program import ERROR, OK, USAGE

LUNA = os.environ["LUNA"]
LUNAD = os.environ["LUNAD"]
REDIS_SERVER = shutil.which("redis-server")
COMPARE = pathlib.Path(__file__).resolve().parents[2] / "bench" / "service" / "compare.py"
NEGATIVE = 1
ALL_TESTS = "set,get,incr,mset,mget,range,txn,multi,mixed"


def start_redis(test, *words):
    """A redis-server on a free port that ends with the test: its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [REDIS_SERVER, "--port", str(port), "--bind", "127.0.0.1", "--save", "",
         "--appendonly", "no", "--dir", str(test.directory), *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    test.addCleanup(process.wait)
    test.addCleanup(process.kill)
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return port
        except OSError:
            test.assertLess(time.monotonic(), deadline, "redis-server does not listen")
            time.sleep(0.01)


class BenchTest(ServiceTest):
    def bench(self, *words, port=None, expect=OK, environment=None):
        """Runs it with few keys and connections: what it printed."""
        command = [LUNA, "bench", "--server", f"127.0.0.1:{port or self.port}", "--keys", "200",
                   "--connections", "5", "--warm-up", "0", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=WAIT_SECONDS, env=self.environment(environment))
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout if expect in (OK, NEGATIVE) else done.stderr

    def results(self, *words, **named):
        """The tests of --json by name."""
        answer = json.loads(self.bench("--json", *words, **named))
        return {test["test"]: test for test in answer["tests"]}

    def assert_clean(self, result, requests):
        self.assertEqual(result["requests"], requests)
        for count in ("failed", "wrong", "missing", "lost"):
            self.assertEqual(result[count], 0, result)
        latency = result["latency_ms"]
        steps = [latency[name] for name in ("p50", "p90", "p99", "p99.9", "max")]
        self.assertEqual(steps, sorted(steps))
        self.assertGreater(steps[0], 0)
        self.assertGreater(result["requests_per_second"], 0)


class AgainstLunad(BenchTest):
    def setUp(self):
        super().setUp()
        self.start()

    def test_every_test_is_answered_rightly(self):
        results = self.results("--tests", ALL_TESTS, "--requests", 300, "--pipeline", 7)
        self.assertEqual(list(results), ALL_TESTS.split(","))
        for result in results.values():
            self.assert_clean(result, 300)
        self.assertEqual(self.connect().call("GET", "bench:0000000017")[:10], b"0000000017")

    def test_every_request_arrives_once(self):
        result = self.results("--tests", "incr", "--requests", 1003, "--pipeline", 10,
                              "--threads", 2, "--distribution", "zipf", "--no-fill")["incr"]
        self.assert_clean(result, 1003)
        values = self.connect().call("MGET", *[f"count:{n:010}" for n in range(200)])
        sums = sum(int(value) for value in values if value)
        self.assertEqual(sums, 1003 + 1)  # and one that asked whether the server knows INCR

    def test_seconds_and_rate(self):
        result = self.results("--tests", "get", "--seconds", 1, "--rate", 500)["get"]
        self.assertGreater(result["requests"], 400)
        self.assertLess(result["requests"], 600)

    def test_values_of_somebody_else_are_wrong(self):
        self.connect().call("MSET", *[word for n in range(200)
                                      for word in (f"bench:{n:010}", "x" * 100)])
        output = self.bench("--tests", "get", "--requests", 50, "--no-fill", expect=NEGATIVE)
        self.assertIn("50 wrong", output)
        self.assertIn("get of key ", output)

    def test_absent_keys_are_told_apart_from_errors(self):
        result = self.results("--tests", "get", "--requests", 50, "--no-fill")["get"]
        self.assertEqual((result["missing"], result["failed"], result["wrong"]), (50, 0, 0))

    def test_error_replies_are_counted_and_shown(self):
        connection = self.connect()
        self.bench("--tests", "incr", "--requests", 1, "--no-fill")
        names = [f"count:{n:010}" for n in range(200)]
        values = connection.call("MGET", *names)
        for name, value in zip(names, values):
            if value is None:  # all but the one that is asked first
                connection.call("SET", name, "no number")
        result = self.results("--tests", "incr", "--requests", 500, "--no-fill",
                              expect=NEGATIVE)["incr"]
        self.assertGreater(result["failed"], 400)
        self.assertEqual(result["examples"],
                         ["ERR value is not an integer or out of range"])

    def test_csv_and_text(self):
        rows = list(csv.DictReader(io.StringIO(
            self.bench("--tests", "set,get", "--requests", 20, "--csv"))))
        self.assertEqual([row["test"] for row in rows], ["set", "get"])
        self.assertEqual([row["requests"] for row in rows], ["20", "20"])
        self.assertGreater(float(rows[0]["p99_ms"]), 0)
        lines = self.bench("--tests", "set,get", "--requests", 20).splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["test", "set", "get"])

    def test_another_collection(self):
        self.connect().call("COLLECTION", "CREATE", "elsewhere")
        self.bench("--collection", "elsewhere", "--fill-only")
        self.assertIsNone(self.connect().call("GET", "bench:0000000001"))
        other = self.connect()
        other.call("USE", "default.elsewhere")
        self.assertEqual(other.call("GET", "bench:0000000001")[:10], b"0000000001")

    def test_wrong_usage(self):
        for words in (("--tests", "lpush"), ("--value-size", "3"), ("--value-size", "much"),
                      ("--keys", "1"), ("--pipeline", "0"), ("--read-share", "2"),
                      ("--rate", "-1"), ("--seconds", "0"), ("--distribution", "normal"),
                      ("--connections", "0"), ("--tests", "")):
            error = self.bench(*words, expect=USAGE)
            self.assertEqual(len(error.splitlines()), 1, error)
            self.assertTrue(error.startswith("luna: "), error)

    def test_server_that_dies(self):
        process = subprocess.Popen(
            [LUNA, "bench", "--server", f"127.0.0.1:{self.port}", "--keys", "200", "--json",
             "--tests", "set", "--seconds", "60"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        connection = self.connect()
        deadline = time.monotonic() + WAIT_SECONDS
        while connection.call("GET", "bench:0000000199") is None:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        while b"cmd=set" not in connection.call("CLIENT", "LIST"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        self.kill()
        output, _ = process.communicate(timeout=WAIT_SECONDS)
        if process.returncode == ERROR:  # it was not yet connected altogether
            return
        self.assertEqual(process.returncode, NEGATIVE, output)
        result = json.loads(output)["tests"][0]
        self.assertGreater(result["lost"], 0)


class Alone(BenchTest):
    def test_nobody_listens(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            error = self.bench(port=probe.getsockname()[1], expect=ERROR)
        self.assertIn("unreachable", error)
        self.assertEqual(len(error.splitlines()), 1, error)

    def test_password(self):
        self.start(environment={"LUNA_PASSWORD": "secret"})
        words = ("--tests", "set", "--requests", "10")
        self.assertIn("NOAUTH", self.bench(*words, expect=ERROR))
        self.assertIn("WRONGPASS", self.bench(*words, "--password", "wrong", expect=USAGE))
        self.bench(*words, environment={"LUNA_PASSWORD": "secret"})


@unittest.skipUnless(REDIS_SERVER, "no redis-server")
class AgainstRedis(BenchTest):
    def test_what_both_know_is_answered_rightly(self):
        port = start_redis(self)
        results = self.results("--tests", "set,get,incr,mset,mget,multi,mixed", "--requests", 200,
                               "--pipeline", 4, port=port)
        for result in results.values():
            self.assert_clean(result, 200)

    def test_what_redis_does_not_know_is_refused(self):
        port = start_redis(self)
        results = self.results("--tests", "range,txn,get", "--requests", 50, port=port,
                               expect=NEGATIVE)
        self.assertIn("unknown command", results["range"]["refused"])
        self.assertIn("unknown command", results["txn"]["refused"])
        self.assert_clean(results["get"], 50)

    def compare(self, *words):
        return subprocess.Popen(
            [sys.executable, str(COMPARE), "--programs", str(self.directory / "programs"),
             "--quick", "--seconds", "0.3", "--keys", "1000", "--levels", "process",
             "--no-reads-row", "--directory", str(self.directory / "work"),
             "--measures", str(self.directory / "measures"), *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def link_programs(self):
        (self.directory / "programs").mkdir()
        (self.directory / "programs" / "luna").symlink_to(LUNA)
        (self.directory / "programs" / "lunad").symlink_to(LUNAD)

    def test_comparison_measures_both_servers_by_both_drivers(self):
        self.link_programs()
        process = self.compare("--cells", "SET 100 B, pipeline 16")
        output, errors = process.communicate(timeout=4 * WAIT_SECONDS)
        self.assertEqual(process.returncode, OK, errors)
        rows = [line.split("|") for line in output.splitlines() if line.startswith("| SET")]
        drivers = 2 if shutil.which("redis-benchmark") else 0
        self.assertEqual(len(rows), drivers, output)
        for row in rows:
            self.assertRegex(row[4], r"\d\.\d\d")
        measures = [json.loads(line)
                    for line in (self.directory / "measures").read_text().splitlines()]
        self.assertEqual({measure["server"] for measure in measures}, {"lunad", "redis"})
        for measure in measures:
            self.assertGreater(measure["requests_per_second"], 0)
            self.assertGreater(measure["server_cpu"], 0)
        self.assertFalse((self.directory / "work").exists())

    def test_comparison_that_is_ended_leaves_no_server(self):
        self.link_programs()
        process = self.compare("--seconds", "30", "--driver", "luna")
        self.addCleanup(process.kill)
        deadline = time.monotonic() + WAIT_SECONDS
        started = set()
        while len(started) < 2:
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
            started = set(children.read_text().split())
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=WAIT_SECONDS)
        self.assertEqual(process.returncode, 143)
        for pid in started:
            self.assertFalse(pathlib.Path(f"/proc/{pid}").exists(), pid)


if __name__ == "__main__":
    unittest.main()
