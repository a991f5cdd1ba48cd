"""`luna top` against lunad and redis-server: once, as JSON, and on a terminal.

The environment names the programs: LUNA, LUNAD.
"""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import termios
import time
import unittest

from luna_bench_test import LUNA, REDIS_SERVER, start_redis
from lunad_test import WAIT_SECONDS, ServiceTest
from program import ERROR, OK, USAGE

ALTERNATE, NORMAL = b"\x1b[?1049h", b"\x1b[?1049l"


class TopTest(ServiceTest):
    def command(self, *words, port=None):
        return [LUNA, "top", "--server", f"127.0.0.1:{port or self.port}", "--interval", "0.2",
                *words]

    def top(self, *words, port=None, expect=OK):
        done = subprocess.run(self.command(*words, port=port), capture_output=True, text=True,
                              check=False, timeout=WAIT_SECONDS, stdin=subprocess.DEVNULL,
                              env=self.environment())
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout if expect == OK else done.stderr


class Once(TopTest):
    def test_without_a_terminal_it_shows_one_view(self):
        self.start()
        text = self.top()
        self.assertTrue(text.startswith("luna top   127.0.0.1:"), text)
        for word in ("requests/s", "connections", "queues", "memory", "writes wait"):
            self.assertIn(word, text)
        self.assertNotIn("\x1b", text)

    def test_json(self):
        self.start()
        view = json.loads(self.top("--json"))
        self.assertGreater(view["requests_per_second"], 0)
        self.assertEqual(view["connections"], 1)
        self.assertEqual(view["write_queue"], 0)
        self.assertGreater(view["memory_bytes"], 0)
        self.assertTrue(view["version"].startswith("luna "))

    @unittest.skipUnless(REDIS_SERVER, "no redis-server")
    def test_redis_is_shown_by_what_it_says(self):
        port = start_redis(self, "--slowlog-log-slower-than", "0")
        view = json.loads(self.top("--json", port=port))
        self.assertTrue(view["version"].startswith("redis "))
        self.assertIn("info", [row["name"] for row in view["commands"]])
        self.assertNotIn("write_queue", view)
        self.assertGreater(len(view["slow"]), 0)

    def test_errors(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
            self.assertIn("unreachable", self.top(expect=ERROR))
        self.start()
        self.assertIn("--interval", self.top("--interval", "0", expect=USAGE))


class Live(TopTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.leader, follower = pty.openpty()
        self.addCleanup(os.close, self.leader)
        self.addCleanup(os.close, follower)
        self.before = termios.tcgetattr(follower)
        self.follower = follower
        self.seen = b""
        self.screen = subprocess.Popen(self.command(), stdin=follower, stdout=follower,
                                       stderr=follower, env=self.environment())
        self.addCleanup(self.screen.wait)
        self.addCleanup(self.screen.kill)
        self.wait_for(b"requests/s")

    def wait_for(self, text):
        """Reads the screen until it has shown the text since the last time."""
        deadline = time.monotonic() + WAIT_SECONDS
        self.seen = b""
        while text not in self.seen:
            self.assertLess(time.monotonic(), deadline, self.seen)
            if select.select([self.leader], [], [], 0.1)[0]:
                self.seen += os.read(self.leader, 65536)

    def assert_ended(self):
        self.wait_for(NORMAL)
        self.assertEqual(self.screen.wait(WAIT_SECONDS), OK)
        self.assertEqual(termios.tcgetattr(self.follower), self.before)

    def test_q_ends_and_gives_the_terminal_back(self):
        self.wait_for(b"q ends")  # again: it is drawn at each interval
        os.write(self.leader, b"q")
        self.assert_ended()

    def test_control_c_ends(self):
        os.write(self.leader, b"\x03")
        self.assert_ended()

    def test_signal_ends(self):
        self.screen.send_signal(signal.SIGTERM)
        self.assert_ended()

    def test_lost_server_is_told_and_found_again(self):
        port = self.port
        self.kill()
        self.wait_for(b"trying again")
        self.start(port=port)
        self.wait_for(b"requests/s")
        os.write(self.leader, b"q")
        self.assert_ended()


if __name__ == "__main__":
    unittest.main()
