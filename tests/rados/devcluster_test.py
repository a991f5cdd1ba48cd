"""scripts/ceph-devcluster from the outside: start, write, kill, revive, stop; and what it refuses.

The environment names the tree: LUNA_SOURCE.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(os.environ["LUNA_SOURCE"]) / "scripts" / "ceph-devcluster"
TIMEOUT_SECONDS = 120


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          timeout=TIMEOUT_SECONDS, check=False)


class DevclusterTest(unittest.TestCase):

    def setUp(self):
        parent = pathlib.Path(tempfile.mkdtemp(prefix="luna-ceph-"))
        self.directory = parent / "c"
        self.addCleanup(shutil.rmtree, parent, ignore_errors=True)

    def script(self, command, *words, expect=0):
        done = run(SCRIPT, command, self.directory, *words)
        self.assertEqual(done.returncode, expect, (command, words, done.stdout, done.stderr))
        return done.stdout if expect == 0 else done.stderr

    def start(self, *options):
        # Whatever happens then, nothing stays behind.
        self.addCleanup(run, SCRIPT, "stop", self.directory)
        return self.script("start", *options)

    def rados(self, *words):
        done = run("rados", "-c", self.directory / "ceph.conf", "-p", "luna", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def processes(self):
        """The daemons of this cluster, by what the system says of their command lines."""
        mark = f"{self.directory}/ceph.conf".encode()
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "cmdline").read_bytes():
                    found.append(int(process.name))
            except OSError:
                continue
        return found

    def test_whole_life(self):
        self.assertIn("ready: 3 OSDs on bluestore", self.start("--store", "bluestore"))
        self.assertEqual(len(self.processes()), 4)
        source = self.directory / "sent"
        source.write_text("bytes")
        self.rados("put", "object", source)

        status = self.script("status")
        self.assertEqual(len(re.findall(r"runs, process \d+", status)), 4, status)
        self.script("kill-osd", "1")
        self.assertIn("osd.1 is down", self.script("status"))
        self.assertEqual(len(self.processes()), 3)
        self.rados("put", "second", source)
        self.script("revive-osd", "1")
        self.assertIn("runs already", self.script("revive-osd", "1", expect=1))
        self.rados("get", "second", self.directory / "received")
        self.assertEqual((self.directory / "received").read_text(), "bytes")

        self.assertIn("not empty", self.script("start", expect=1))
        self.script("stop")
        self.assertEqual(self.processes(), [])
        self.assertFalse(self.directory.exists())

    def test_refusals(self):
        self.assertIn("no cluster", self.script("stop", expect=1))
        self.assertIn("no cluster", self.script("kill-osd", "0", expect=1))
        self.assertIn("memstore or bluestore", self.script("start", "--store", "disk", expect=1))
        self.assertIn("unknown option", self.script("start", "--osds", "5", expect=1))
        self.assertEqual(run(SCRIPT, "--help").returncode, 0)
        self.assertEqual(run(SCRIPT).returncode, 2)
        self.assertFalse(self.directory.exists())
        # Another's directory is never taken for a cluster.
        self.directory.mkdir()
        (self.directory / "ceph.conf").touch()
        self.assertIn("no cluster", self.script("stop", expect=1))
        self.assertTrue(self.directory.exists())


if __name__ == "__main__":
    unittest.main()
