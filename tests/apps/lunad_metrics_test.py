"""What lunad tells about itself: the HTTP page, INFO, LATENCY; Prometheus beside it.

promtool, prometheus and redis-py are used where they are installed.
"""

import http.client
import json
import pathlib
import re
import shutil
import socket
import subprocess
import time
import unittest
import urllib.parse
import urllib.request

from lunad_test import WAIT_SECONDS, Failure, ServiceTest as LunadTest
from redis_py import redis
from program import USAGE

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
METRIC = re.compile(r"\b(?:luna|process)_[a-z0-9_]+")
SAMPLE = re.compile(r"^([a-z0-9_]+)(\{.*\})? (\S+)$")


class PageTest(LunadTest):
    def setUp(self):
        super().setUp()
        self.start("--http-listen", "127.0.0.1:0")
        page = (self.directory / "addresses").read_text().splitlines()[-1]
        self.assertTrue(page.startswith("http://127.0.0.1:"), page)
        self.http_port = int(page.rsplit(":", 1)[1])

    def get(self, path, method="GET", headers=None):
        client = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=WAIT_SECONDS)
        try:
            client.request(method, path, headers=headers or {})
            response = client.getresponse()
            return response.status, response.read().decode(), response.headers
        finally:
            client.close()

    def samples(self):
        """The page's samples: name with labels → value."""
        status, text, _ = self.get("/metrics")
        self.assertEqual(status, 200)
        found = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                match = SAMPLE.match(line)
                self.assertTrue(match, line)
                found[match[1] + (match[2] or "")] = float(match[3])
        return found

    def load(self):
        """A little of everything, so that every metric has a value."""
        connection = self.connect()
        for i in range(100):
            connection.call("SET", f"k{i}", i)
            connection.call("GET", f"k{i}")
        connection.call("GET", "missing")
        for words in (("INCR",), ("INCRBY", "k1", "x"), ("AUTH", "nobody", "wrong"), ("NOSUCH",)):
            with self.assertRaises(Failure):
                connection.call(*words)
        return connection


class Page(PageTest):
    def test_pages(self):
        self.assertEqual(self.get("/healthz")[:2], (200, "ok\n"))
        self.assertEqual(self.get("/readyz")[:2], (200, "ready\n"))
        self.assertIn("/metrics", self.get("/")[1])
        self.assertEqual(self.get("/nothing")[0], 404)
        self.assertIn(self.get("/metrics", "POST")[0], (400, 404))
        status, body, headers = self.get("/metrics", "HEAD")
        self.assertEqual((status, body), (200, ""))
        self.assertIn("version=0.0.4", headers["Content-Type"])
        self.end()

    def test_counts_are_those_of_what_was_asked(self):
        self.load()
        now = self.samples()
        self.assertEqual(now['luna_command_calls_total{command="set"}'], 100)
        self.assertEqual(now['luna_command_calls_total{command="get"}'], 101)
        self.assertEqual(now['luna_command_duration_seconds_count{command="get"}'], 101)
        self.assertEqual(now['luna_command_rejected_total{command="incr"}'], 1)
        self.assertEqual(now['luna_command_failures_total{command="incrby"}'], 1)
        self.assertEqual(now['luna_command_errors_total{error="ERR"}'], 3)
        self.assertEqual(now["luna_command_auth_failures_total"], 1)
        self.assertEqual(now["luna_command_key_hits_total"], 100)
        self.assertEqual(now["luna_command_key_misses_total"], 1)
        self.assertEqual(now["luna_command_requests_total"], 205)
        self.assertEqual(now["luna_command_request_errors_total"], 4)
        self.assertEqual(now["luna_connection_open_connections"], 1)
        self.assertGreaterEqual(now["luna_operation_rounds_total"], 1)
        self.assertGreater(now["process_resident_memory_bytes"], 1 << 20)
        self.assertGreater(now["process_open_fds"], 5)
        self.assertLess(abs(now["process_start_time_seconds"] - time.time()), WAIT_SECONDS)

    def test_histograms_are_whole(self):
        self.load()
        now = self.samples()
        for name in ('luna_command_duration_seconds_bucket{command="set",le=',
                     'luna_operation_wait_seconds_bucket{queue="write",le=',
                     "luna_operation_commit_seconds_bucket{le="):
            buckets = [value for key, value in now.items() if key.startswith(name)]
            self.assertGreater(len(buckets), 10, name)
            self.assertEqual(buckets, sorted(buckets), name)
            base, labels = name.split("_bucket{")
            labels = labels.removesuffix("le=").rstrip(",")
            count = now[base + "_count" + ("{" + labels + "}" if labels else "")]
            self.assertEqual(buckets[-1], count)

    def test_document_lists_the_metrics_that_are_there(self):
        self.load()
        families = set(re.findall(r"^# TYPE (\S+)", self.get("/metrics")[1], re.MULTILINE))
        text = (ROOT / "docs/guide/metrics.md").read_text()
        listed = re.findall(r"^\| `((?:luna|process)_\w+)`", text, re.MULTILINE)
        self.assertEqual(sorted(listed), sorted(families))

    def test_dashboard_and_rules_name_metrics_that_are_there(self):
        self.load()
        names = {re.sub(r"\{.*", "", key) for key in self.samples()}
        # What servers of a group tell besides.
        names.update(re.findall(r"^ *- `(luna_\w+)`:", (ROOT / "docs/guide/metrics.md").read_text(),
                                re.MULTILINE))
        dashboard = json.loads((ROOT / "packaging/grafana/luna.json").read_text())
        asked = [target["expr"] for panel in dashboard["panels"]
                 for target in panel.get("targets", [])]
        self.assertGreater(len(asked), 30)
        asked.append(dashboard["templating"]["list"][1]["definition"])
        rules = (ROOT / "packaging/prometheus/luna.rules.yml").read_text()
        asked += re.findall(r"expr: (?:>-\n)?((?:.|\n)*?)\n\s+(?:for|labels):", rules)
        for expression in asked:
            for name in METRIC.findall(expression):
                self.assertIn(name, names, expression)

    def test_slow_and_silent_clients_hold_up_nobody(self):
        silent = [socket.create_connection(("127.0.0.1", self.http_port)) for _ in range(25)]
        for one in silent:
            self.addCleanup(one.close)
            one.sendall(b"GET /metrics HT")
        begin = time.monotonic()
        self.assertEqual(self.get("/healthz")[0], 200)
        self.assertLess(time.monotonic() - begin, 4)
        silent[0].settimeout(WAIT_SECONDS)
        self.assertEqual(silent[0].recv(1), b"")  # closed after its time
        self.assertEqual(self.connect().call("PING"), "PONG")

    def test_nonsense_ends_only_its_connection(self):
        for bad in (b"\r\n\r\n", b"\0" * 5000, b"GET / HTTP/1.1\r\nRange: bytes=" + b"9" * 3000 +
                    b"-\r\n\r\n", b"GET / HTTP/1.1\r\nHost: " + b"x" * 100_000,
                    b"POST / HTTP/1.1\r\nContent-Length: 1000000000000\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.http_port), WAIT_SECONDS) as client:
                try:
                    client.sendall(bad)
                    while client.recv(4096):
                        pass
                except ConnectionError:
                    pass
        self.assertEqual(self.get("/healthz")[0], 200)

    @unittest.skipUnless(PROMTOOL, "promtool is not installed")
    def test_promtool_finds_no_fault(self):
        self.load()
        checked = subprocess.run([PROMTOOL, "check", "metrics"], input=self.get("/metrics")[1],
                                 capture_output=True, text=True, check=False, timeout=WAIT_SECONDS)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
        rules = ROOT / "packaging/prometheus/luna.rules.yml"
        checked = subprocess.run([PROMTOOL, "check", "rules", rules], capture_output=True,
                                 text=True, check=False, timeout=WAIT_SECONDS)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_dashboard_is_complete(self):
        dashboard = json.loads((ROOT / "packaging/grafana/luna.json").read_text())
        self.assertEqual(dashboard["templating"]["list"][0]["query"], "prometheus")
        panels = dashboard["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        for panel in panels:
            if panel["type"] != "row":
                self.assertEqual(panel["datasource"]["uid"], "${datasource}", panel["title"])


class Addresses(LunadTest):
    def test_other_machines_only_without_protection(self):
        text = self.refused("--universe", self.universe, "--http-listen", "0.0.0.0:0", expect=USAGE)
        self.assertIn("--protected false", text)
        self.refused("--universe", self.universe, "--http-listen", "nonsense", expect=USAGE)

    def test_off_by_default(self):
        self.start()
        self.assertNotIn("http", (self.directory / "addresses").read_text())

    def test_address_in_use_is_an_error(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            text = self.refused("--universe", self.universe, "--listen", "127.0.0.1:0",
                                "--http-listen", f"127.0.0.1:{port}")
        self.assertIn(f"127.0.0.1:{port}", text)


class Info(PageTest):
    def info(self, *sections):
        text = self.connect().call("INFO", *sections).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def test_fields_are_real(self):
        connection = self.load()
        info = self.info("everything")
        self.assertEqual(info["loading"], "0")
        self.assertEqual(info["keyspace_hits"], "100")
        self.assertEqual(info["keyspace_misses"], "1")
        self.assertEqual(info["process_id"], str(self.process.pid))
        self.assertGreater(float(info["used_cpu_user"]) + float(info["used_cpu_sys"]), 0)
        self.assertGreater(int(info["used_memory_rss"]), 1 << 20)
        self.assertRegex(info["cmdstat_get"], r"^calls=101,usec=\d+,usec_per_call=\d+\.\d\d,"
                                              r"rejected_calls=0,failed_calls=0$")
        self.assertRegex(info["cmdstat_incr"], r"calls=0,.*rejected_calls=1,failed_calls=0$")
        self.assertEqual(info["errorstat_ERR"], "count=3")
        self.assertRegex(info["latency_percentiles_usec_get"],
                         r"^p50=\d+\.\d{3},p99=\d+\.\d{3},p99.9=\d+\.\d{3}$")
        connection.call("CONFIG", "RESETSTAT")
        info = self.info("all")
        self.assertNotIn("cmdstat_get", info)
        self.assertNotIn("errorstat_ERR", info)
        self.assertEqual(info["keyspace_hits"], "0")

    def test_rate_is_that_of_the_last_second(self):
        connection = self.connect()
        deadline = time.monotonic() + WAIT_SECONDS
        while int(self.info("stats")["instantaneous_ops_per_sec"]) == 0:
            self.assertLess(time.monotonic(), deadline)
            for _ in range(100):
                connection.call("PING")
        while int(self.info("stats")["instantaneous_ops_per_sec"]) > 50:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)

    @unittest.skipUnless(redis, "redis-py is not installed")
    def test_redis_py_reads_it(self):
        self.load()
        client = redis.Redis(port=self.port)
        self.addCleanup(client.close)
        info = client.info("everything")
        self.assertEqual(info["cmdstat_get"]["calls"], 101)
        self.assertEqual(info["errorstat_ERR"], "count=3")
        self.assertEqual(info["loading"], 0)
        self.assertEqual(info["db0"]["keys"], 100)

    def test_latency_events(self):
        connection = self.connect()
        self.assertEqual(connection.call("LATENCY", "LATEST"), [])
        connection.call("CONFIG", "SET", "latency-monitor-threshold", 20)
        self.assertEqual(connection.call("CONFIG", "GET", "latency-monitor-threshold"),
                         [b"latency-monitor-threshold", b"20"])
        connection.call("DEBUG", "SLEEP", "0.05")
        (event, second, latest, most), = connection.call("LATENCY", "LATEST")
        self.assertEqual(event, b"command")
        self.assertLess(abs(second - time.time()), WAIT_SECONDS)
        self.assertGreaterEqual(latest, 50)
        self.assertEqual(connection.call("LATENCY", "HISTORY", "command"), [[second, latest]])
        self.assertEqual(latest, most)
        self.assertIn(b"command: slow", connection.call("LATENCY", "DOCTOR"))
        self.assertEqual(connection.call("LATENCY", "RESET"), 1)
        names = connection.call("LATENCY", "HISTOGRAM")[::2]
        self.assertIn(b"debug|sleep", names)


@unittest.skipUnless(PROMETHEUS, "prometheus is not installed")
class Prometheus(PageTest):
    def free_port(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            return probe.getsockname()[1]

    def query(self, port, expression):
        url = f"http://127.0.0.1:{port}/api/v1/query?query=" + urllib.parse.quote(expression)
        try:
            with urllib.request.urlopen(url, timeout=WAIT_SECONDS) as answer:
                results = json.load(answer)["data"]["result"]
        except OSError:
            return None  # it is not there yet
        return float(results[0]["value"][1]) if results else None

    def test_scrapes_a_live_lunad(self):
        self.load()
        shutil.copy(ROOT / "packaging/prometheus/luna.rules.yml", self.directory)
        example = (ROOT / "packaging/prometheus/prometheus.yml").read_text()
        self.assertIn("127.0.0.1:6480", example)
        config = self.write("prometheus.yml", example.replace("6480", str(self.http_port))
                            .replace("15s", "1s"))
        port = self.free_port()
        with open(self.directory / "prometheus.err", "wb") as errors:
            server = subprocess.Popen(
                [PROMETHEUS, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
                 f"--storage.tsdb.path={self.directory / 'tsdb'}"],
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        deadline = time.monotonic() + WAIT_SECONDS
        for expression, wanted in (('up{job="luna"}', 1),
                                   ('luna_command_calls_total{command="set"}', 100),
                                   ('luna_universe_background_error', 0)):
            while (got := self.query(port, expression)) != wanted:
                self.assertIsNone(server.poll())
                self.assertLess(time.monotonic(), deadline, (expression, got))
                time.sleep(0.1)


if __name__ == "__main__":
    # Not those of lunad_test, which are run by themselves.
    unittest.main(defaultTest=["Page", "Addresses", "Info", "Prometheus"])
