"""lunad on a disk that gets full under load, and has room again: what clients and monitors hear,
and that nothing acknowledged is lost. On a small disk in memory, which takes the right to mount.

The environment names the programs, as in program.py.
"""

import ctypes
import os
import random
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from lunad_test import ServiceTest, WAIT_SECONDS
from wire import Connection, Refusal

CLONE_NEWNS = 0x00020000
VALUE_BYTES = 20_000


def alone_with_mounts():
    """Gives this process mounts of its own: nobody else sees the small disks."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        return False
    done = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=False)
    return done.returncode == 0


@unittest.skipUnless(alone_with_mounts(), "this process may not mount")
class FullDisk(ServiceTest):

    def setUp(self):
        super().setUp()
        self.disk = self.directory / "disk"
        self.disk.mkdir()
        self.mount("size=300m")
        self.addCleanup(subprocess.run, ["umount", str(self.disk)], check=True)
        self.addCleanup(self.kill)  # before
        self.universe = self.disk / "universe"
        self.acknowledged = 0

    def mount(self, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.disk)], check=True)

    def start_small(self):
        self.start("--memory", "64MiB", "--http-listen", "127.0.0.1:0")
        line = (self.directory / "addresses").read_text().splitlines()[-1]
        self.page = f"http://{line.split()[-1].removeprefix('http://')}/healthz"

    def health(self):
        try:
            with urllib.request.urlopen(self.page, timeout=WAIT_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def value(self, number):
        return random.Random(number).randbytes(VALUE_BYTES)

    def write_until_refused(self):
        """Key after key; the refusal."""
        connection = Connection(self.port)
        self.addCleanup(connection.close)
        while True:
            reply = connection.call("SET", f"k{self.acknowledged}", self.value(self.acknowledged))
            if reply != "OK":
                self.assertIsInstance(reply, Refusal)
                return reply
            self.acknowledged += 1
            self.assertLess(self.acknowledged * VALUE_BYTES, 1 << 30, "the disk does not get full")

    def assert_all_there(self):
        with Connection(self.port) as connection:
            for number in range(self.acknowledged):
                self.assertEqual(connection.call("GET", f"k{number}"), self.value(number), number)

    def assert_mends(self):
        """Writes are taken again, and the health page says so, without a restart."""
        deadline = time.monotonic() + WAIT_SECONDS
        with Connection(self.port) as connection:
            while connection.call("SET", "after", "1") != "OK" or self.health()[0] != 200:
                self.assertLess(time.monotonic(), deadline, self.errors.read_text()[-2000:])
                time.sleep(0.1)

    def test_writes_are_refused_and_reads_go_on_until_there_is_room_again(self):
        self.start_small()
        self.assertEqual(self.health(), (200, "ok\n"))
        refusal = self.write_until_refused()
        self.assertIn(refusal.split()[0], ("BUSYWRITE", "MISCONF"))
        self.assertIn("No space left on device", refusal)
        status, why = self.health()
        self.assertEqual(status, 503)
        self.assertIn("disk_full", why)
        self.assertGreater(self.acknowledged, 1000)
        self.assert_all_there()
        self.mount("remount,size=700m")
        self.assert_mends()
        self.assert_all_there()
        self.kill()
        self.start_small()
        self.assert_all_there()

    def test_a_disk_that_others_fill(self):
        self.start_small()
        with Connection(self.port) as connection:
            for _ in range(100):
                self.assertEqual(connection.call("SET", f"k{self.acknowledged}",
                                                 self.value(self.acknowledged)), "OK")
                self.acknowledged += 1
        filler = self.disk / "filler"
        with open(filler, "wb") as file:
            try:
                while True:
                    file.write(b"x" * (1 << 20))
                    file.flush()
            except OSError:
                pass
        refusal = self.write_until_refused()
        self.assertEqual(refusal.split()[0], "MISCONF")
        self.assertIn("No space left on device", refusal)
        self.assert_all_there()
        os.unlink(filler)
        self.assert_mends()
        self.assert_all_there()
        self.end()  # in order, on a disk that has room
        self.start_small()
        self.assert_all_there()


if __name__ == "__main__":
    unittest.main()
