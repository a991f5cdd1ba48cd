"""Runs the programs for the tests in this folder: a fresh directory per test, bytes in, bytes out.

The environment names the programs: LUNA and LUNA_INSPECT.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

LUNA = os.environ["LUNA"]
LUNA_INSPECT = os.environ["LUNA_INSPECT"]
OK, NEGATIVE, USAGE, ERROR = 0, 1, 2, 3
TIMEOUT_SECONDS = 300


class ProgramTest(unittest.TestCase):
    """A test with a directory of its own and a universe path in it."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="luna-apps-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.universe = self.directory / "universe"

    def run_program(self, *words, stdin=b""):
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith("LUNA_") and k != "NO_COLOR"}
        return subprocess.run([str(word) for word in words], input=stdin, capture_output=True,
                              timeout=TIMEOUT_SECONDS, env=environment, check=False)

    def luna(self, *words, stdin=b"", expect=OK):
        """What `luna WORDS` prints to stdout; its exit code must be `expect`."""
        return self.outcome(*words, stdin=stdin, expect=expect).stdout

    def outcome(self, *words, stdin=b"", expect=OK):
        # Tests of verbs do not wait for a disk.
        done = self.run_program(LUNA, "--universe", self.universe, "--durability", "process",
                                *words, stdin=stdin)
        self.assertEqual(done.returncode, expect, (words, done.stdout[-500:], done.stderr[-2000:]))
        if expect == ERROR:
            self.assert_one_error(done.stderr, b"luna")
        return done

    def failure(self, *words, stdin=b"", expect=ERROR):
        """What `luna WORDS` prints to stderr when it fails."""
        return self.outcome(*words, stdin=stdin, expect=expect).stderr.decode()

    def luna_json(self, *words, expect=OK):
        return json.loads(self.luna("--json", *words, expect=expect))

    def refusal(self, *words):
        """The error reply to a command: one line on stderr."""
        done = self.outcome(*words, expect=NEGATIVE)
        self.assertEqual(done.stdout, b"")
        self.assertRegex(done.stderr.decode(), r"\Aluna: [A-Z]+ .+\n\Z")
        return done.stderr.decode()

    def entries(self, *options):
        """What is stored in order, as (key, value) of bytes."""
        def of(value):
            return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode()
        cursor, flat = self.luna_json(*options, "RANGE", "-", "+", "LIMIT", "1000000", "BYTES",
                                      "1000000000")
        self.assertEqual(cursor, "")
        return [(of(key), of(value)) for key, value in zip(flat[::2], flat[1::2])]

    def count(self, *options):
        return self.luna_json(*options, "RANGE", "-", "+", "COUNT")[1]

    def inspect(self, *words, expect=OK):
        done = self.run_program(LUNA_INSPECT, *words)
        self.assertEqual(done.returncode, expect, (words, done.stdout[-2000:], done.stderr[-2000:]))
        return done

    def assert_one_error(self, stderr, program):
        """One line: "program: what; what to do [reason]"."""
        lines = [line for line in stderr.splitlines() if line.startswith(program + b": ")
                 and not line.startswith(program + b": skipped")]
        self.assertEqual(len(lines), 1, stderr)
        self.assertRegex(lines[0].decode(), r"^[a-z-]+: .+ \[[a-z_]+\]$")

    def write(self, name, content):
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path
