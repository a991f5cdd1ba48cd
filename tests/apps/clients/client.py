"""What every client library is put through. A suite names a program that uses the library; it is
run as PROGRAM PORT SCENARIO [MORE], ends with 0, or says what went wrong and ends otherwise.

The scenario `reconnect` talks: the program writes key after key and prints "writing" once enough
were acknowledged; lunad is killed and started again; the program, told "restarted", finds what was
acknowledged and writes on.
"""

import os
import pathlib
import signal
import subprocess

from lunad_test import ServiceTest

SCENARIO_SECONDS = 120


class ClientTest(ServiceTest):
    """A test of a program; a suite mixes it with Scenarios."""

    program = []  # the program's words
    more = []  # words behind the scenario

    def setUp(self):
        super().setUp()
        self.start()

    def words(self, scenario):
        return [*map(str, self.program), str(self.port), scenario, *self.more]

    def run_scenario(self, scenario):
        done = subprocess.run(self.words(scenario), stdin=subprocess.DEVNULL, text=True,
                              check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SCENARIO_SECONDS, env=self.environment(self.surroundings()))
        self.assertEqual(done.returncode, 0, done.stdout)

    def surroundings(self):
        """Variables of the program's environment."""
        return {}


class Scenarios:
    """The tests every library has to pass."""

    def test_strings(self):
        self.run_scenario("strings")

    def test_expiry(self):
        self.run_scenario("expiry")

    def test_multi_and_watch(self):
        self.run_scenario("multi")

    def test_begin_and_commit(self):
        self.run_scenario("begin")

    def test_transactions_by_handle(self):
        self.run_scenario("handles")

    def test_pipeline_of_a_thousand(self):
        self.run_scenario("pipeline")

    def test_scan_of_five_thousand(self):
        self.run_scenario("scan")

    def test_errors(self):
        self.run_scenario("errors")

    def test_reconnects_after_kill_9_and_finds_what_was_acknowledged(self):
        with subprocess.Popen(self.words("reconnect"), stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=self.environment(self.surroundings())) as program:
            self.addCleanup(program.kill)
            line = program.stdout.readline()
            if line != "writing\n":
                program.kill()
                self.fail(line + program.stdout.read())
            self.end(signal.SIGKILL, expect=-signal.SIGKILL)
            self.start(port=self.port)
            said, _ = program.communicate("restarted\n", timeout=SCENARIO_SECONDS)
            self.assertEqual(program.returncode, 0, said)


def need(test, path, package):
    """Fails with what to install when something is absent."""
    if not path or not pathlib.Path(path).exists():
        raise AssertionError(f"{test} needs Debian's {package}: apt-get install {package}")
    return os.fspath(path)
