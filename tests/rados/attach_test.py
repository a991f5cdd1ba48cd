"""luna attach: a universe in a directory, loaded and changed by luna, is copied into a pool and
served there by tablet servers: the same data. An attach that was killed does not open, and is
replaced; a universe never is.

The environment names programs and cluster: LUNAD, LUNA, LUNA_CEPH_CONF.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from tablet_servers import Connection, Group, free_ports  # pylint: disable=wrong-import-position

LUNA, LUNAD, CONF = os.environ["LUNA"], os.environ["LUNAD"], os.environ["LUNA_CEPH_CONF"]
PACKAGES = 6000


def stanza(number, version):
    """Like one of a Debian package index: names that share beginnings, texts that repeat."""
    return (f"Package: lib{number % 97}-package{number}\nVersion: {version}.{number % 13}\n"
            f"Depends: lib{(number * 7) % 97}-package{number // 2}\n"
            f"Description: package {number} of many\n"
            + " Some more words about it.\n" * (number % 9))


class AttachTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="luna-attach-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.directory = str(self.folder / "universe")
        self.location = f"rados:luna?conf={CONF}&namespace=attach-{os.getpid()}-{time.time_ns()}"

    def luna(self, *words, given=None):
        return subprocess.run([LUNA, *words], capture_output=True, text=True, timeout=300,
                              input=given, check=False)

    def on_directory(self, *words, given=None):
        done = self.luna("--universe", self.directory, *words, given=given)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def attach(self, *words):
        return self.luna("--json", "attach", self.directory, self.location, *words)

    def fill(self):
        """Tables, memtables, large values, collections, databases, deletions, expiries."""
        for version in (1, 2):
            text = "\n".join(stanza(number, version) for number in range(PACKAGES)
                             if version == 1 or number % 3 == 0)
            self.on_directory("--collection", "packages", "load", "-", "--format", "deb822",
                              given=text)
            self.on_directory("--collection", "packages", "COMPACT" if version == 1 else "FLUSH")
        lines = [f"SET large{number} {str(number) * 100_000}" for number in range(8)]
        lines += [f"DEL large{number}" for number in range(2)]
        lines += ["DATABASE CREATE other", "USE other", "COLLECTION CREATE c", "USE other c",
                  *[f"SET k{number} {number}" for number in range(500)],
                  "SET expires later EX 100000", "DATABASE CREATE gone",
                  "DATABASE DROP gone CONFIRM gone"]
        self.on_directory("-y", "-e", given="\n".join(lines) + "\n")

    def everything(self, *where):
        """All collections as text."""
        return {(database, collection): self.export(database, collection, *where)
                for database, collection in (("default", "packages"), ("default", "0"),
                                             ("other", "c"))}

    def export(self, database, collection, *where):
        done = self.luna(*where, "--database", database, "--collection", collection, "export", "-",
                         "--format", "tsv")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    @staticmethod
    def connect(port):
        for _ in range(1000):
            try:
                return Connection(port)
            except OSError:
                time.sleep(0.02)
        raise AssertionError("lunad does not listen")

    def test_the_copy_is_served_and_the_original_stays(self):
        self.fill()
        expected = self.everything("--universe", self.directory)
        self.assertGreater(len(expected["default", "packages"].splitlines()), PACKAGES - 1)
        done = self.attach()
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["databases"], 2)
        self.assertGreater(report["verified"], 3)
        again = self.attach("--replace")
        self.assertEqual(again.returncode, 3)
        self.assertIn("there is a universe already", again.stderr)

        group = Group(2, self.location, self.folder)
        self.addCleanup(group.end)
        leader = group.leader()
        self.assertEqual(self.everything("--server", leader.name), expected, group.journals())
        with leader.connect() as connection:
            connection.call("USE", "other", "c")
            self.assertGreater(connection.call("TTL", "expires"), 90_000)
            self.assertEqual(connection.call("SET", "new", "value"), "OK")
        leader.kill()
        leader = group.leader(but=leader)
        with leader.connect() as connection:
            connection.call("USE", "other", "c")
            self.assertEqual(connection.call("GET", "new"), b"value")
        self.assertEqual(self.export("default", "packages", "--server", leader.name),
                         expected["default", "packages"])
        # What is written there is not written here.
        self.assertEqual(self.everything("--universe", self.directory), expected)

    def test_an_attach_that_was_killed_is_replaced(self):
        self.fill()
        expected = self.everything("--universe", self.directory)
        began = time.monotonic()
        self.assertEqual(self.attach().returncode, 0)
        seconds = time.monotonic() - began
        self.location += "-killed"
        killed = 0
        for part in (0.35, 0.6, 0.85):
            words = ["--replace"] if killed else []
            process = subprocess.Popen([LUNA, "attach", self.directory, self.location, *words],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(seconds * part)
                break  # faster this time
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
                opened = self.luna("--universe", self.location, "GET", "x")
                if opened.returncode == 1:
                    break  # it was whole, and only the end of the program was still to come
                self.assertEqual(opened.returncode, 3, opened.stdout)
                self.assertRegex(opened.stderr, "not finished|no universe")
        else:
            refused = self.attach()
            if refused.returncode != 0:  # it was killed before it began, else
                self.assertIn("--replace", refused.stderr)
                done = self.attach("--replace")
                self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(killed, 0)
        self.assertEqual(self.everything("--universe", self.location), expected)

    def test_after_a_crash_the_directory_is_recovered_first(self):
        port = free_ports(1)[0]
        process = subprocess.Popen([LUNAD, "--universe", self.directory, "--listen",
                                    f"127.0.0.1:{port}", "--memory", "128MiB"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        with self.connect(port) as connection:
            for number in range(200):
                self.assertEqual(connection.call("SET", f"k{number}", number), "OK")
            busy = self.attach()
            self.assertEqual(busy.returncode, 3)
            self.assertIn("universe_locked", busy.stderr)
        process.kill()
        process.wait()
        done = self.attach()
        self.assertEqual(done.returncode, 0, done.stderr)
        text = self.export("default", "0", "--universe", self.location)
        self.assertEqual(dict(line.split("\t") for line in text.splitlines()),
                         {f"k{number}": str(number) for number in range(200)})

    def test_bad_places_are_one_clear_error(self):
        missing = self.attach()
        self.assertEqual(missing.returncode, 3)
        self.assertIn("universe_missing", missing.stderr)
        self.on_directory("SET", "a", "1")
        elsewhere = self.luna("attach", self.directory, str(self.folder / "other"))
        self.assertEqual(elsewhere.returncode, 3)
        self.assertIn("rados:POOL", elsewhere.stderr)
        self.assertFalse((self.folder / "other").exists())
        nowhere = self.luna("attach", self.directory, "rados:nosuchpool?conf=" + CONF)
        self.assertIn(nowhere.returncode, (2, 3))
        self.assertIn("nosuchpool", nowhere.stderr)


if __name__ == "__main__":
    unittest.main()
