"""lunad and luna on a universe in a Ceph cluster: what was acknowledged is there after kill -9; one
process at a time; what is said of a location that is none.

The environment names programs and cluster: LUNAD, LUNA, LUNA_CEPH_CONF.
"""

import os
import pathlib
import socket
import subprocess
import tempfile
import time
import unittest

LUNAD, LUNA = os.environ["LUNAD"], os.environ["LUNA"]
CONF = os.environ["LUNA_CEPH_CONF"]
WAIT_SECONDS = 60


def bulk(*words):
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class LunadRadosTest(unittest.TestCase):

    def setUp(self):
        self.location = f"rados:luna?conf={CONF}&namespace=apps-{os.getpid()}-{time.time_ns()}"
        self.temporary = tempfile.TemporaryDirectory(prefix="luna-rados-")
        self.addCleanup(self.temporary.cleanup)
        self.addresses = pathlib.Path(self.temporary.name) / "addresses"

    def start(self):
        self.addresses.unlink(missing_ok=True)
        process = subprocess.Popen(
            [LUNAD, "--universe", self.location, "--listen", "127.0.0.1:0", "--addresses-file",
             str(self.addresses)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + WAIT_SECONDS
        while not (self.addresses.exists() and self.addresses.read_text().endswith("\n")):
            self.assertIsNone(process.poll(), "lunad ended")
            self.assertLess(time.monotonic(), deadline, "lunad does not listen")
            time.sleep(0.02)
        host, port = self.addresses.read_text().split()[0].rsplit(":", 1)
        return process, (host, int(port))

    def luna(self, *words, location=None):
        return subprocess.run([LUNA, "--universe", location or self.location, *words],
                              capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)

    def test_what_was_acknowledged_survives_a_kill(self):
        process, address = self.start()
        acknowledged = 0
        with socket.create_connection(address, timeout=WAIT_SECONDS) as connection:
            replies = connection.makefile("rb")
            for number in range(300):
                connection.sendall(bulk(b"SET", b"key%d" % number, b"value%d" % number))
                if number == 299:
                    process.kill()  # with the last one under way
                    break
                self.assertEqual(replies.readline(), b"+OK\r\n")
                acknowledged += 1
        process.wait()
        # Its owner is silent now, so the next one waits and takes over.
        _, address = self.start()
        with socket.create_connection(address, timeout=WAIT_SECONDS) as connection:
            replies = connection.makefile("rb")
            for number in range(acknowledged):
                connection.sendall(bulk(b"GET", b"key%d" % number))
                value = b"value%d" % number
                self.assertEqual(replies.readline(), b"$%d\r\n" % len(value))
                self.assertEqual(replies.readline(), value + b"\r\n")

    def test_one_at_a_time(self):
        self.assertEqual(self.luna("SET", "a", "1").stdout, "OK\n")
        process, _ = self.start()
        refused = self.luna("GET", "a")
        self.assertIn("universe_locked", refused.stderr)
        process.terminate()
        process.wait()
        self.assertEqual(self.luna("GET", "a").stdout, "1\n")

    def test_bad_locations(self):
        for location, words in (
                (f"rados:nowhere?conf={CONF}", "no pool 'nowhere'"),
                ("rados:luna?conf=/nowhere/ceph.conf", "/nowhere/ceph.conf"),
                (f"rados:luna?conf={CONF}&x=1", "unknown option 'x'")):
            refused = self.luna("GET", "a", location=location)
            self.assertIn(words, refused.stderr)
            self.assertEqual(len(refused.stderr.splitlines()), 1, refused.stderr)


if __name__ == "__main__":
    unittest.main()
