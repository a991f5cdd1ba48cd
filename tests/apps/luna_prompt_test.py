"""The prompt of luna on a pseudo terminal, as a user sees it."""

import os
import pty
import re
import select
import signal
import stat
import time
import unittest

from program import LUNA, NEGATIVE, OK, ProgramTest

WAIT_SECONDS = 60
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """luna on a terminal of its own."""

    def __init__(self, directory, *words):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LUNA_")}
        environment |= {"TERM": "xterm", "XDG_STATE_HOME": str(directory / "state")}
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.execve(LUNA, ["luna", *[str(word) for word in words]], environment)
        self.seen = b""
        self.exit = None

    def type(self, text):
        os.write(self.file, text.encode())

    def wait_for(self, text):
        """Reads until the text was shown, escapes left out; what came before it."""
        end = time.monotonic() + WAIT_SECONDS
        while True:
            plain = ESCAPES.sub(b"", self.seen).decode(errors="replace").replace("\r", "")
            if text in plain:
                self.seen = plain[plain.index(text) + len(text):].encode()
                return plain[:plain.index(text)]
            if time.monotonic() > end:
                raise AssertionError(f"no {text!r} in {plain!r}")
            if select.select([self.file], [], [], 1)[0]:
                try:
                    self.seen += os.read(self.file, 65536)
                except OSError as error:
                    raise AssertionError(f"ended without {text!r}: {plain!r}") from error

    def end(self, last=""):
        """Types `last`, takes what is left; the exit code."""
        self.type(last)
        while True:
            if not select.select([self.file], [], [], WAIT_SECONDS)[0]:
                raise AssertionError(f"does not end: {self.seen!r}")
            try:
                chunk = os.read(self.file, 65536)
            except OSError:
                chunk = b""
            if not chunk:
                break
            self.seen += chunk
        os.close(self.file)
        self.exit = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.exit

    def kill(self):
        if self.exit is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


class Prompt(ProgramTest):
    def setUp(self):
        super().setUp()
        self.terminal = Terminal(self.directory, "--universe", self.universe,
                                 "--durability", "process")
        self.addCleanup(self.terminal.kill)
        self.terminal.wait_for("default.0> ")

    def run_line(self, line, prompt="default.0> "):
        self.terminal.type(line + "\r")
        return self.terminal.wait_for(prompt)

    def test_commands_and_replies(self):
        self.assertIn("OK\n", self.run_line("SET k v"))
        self.assertIn('"v"\n', self.run_line("get k"))
        self.assertIn("(nil)\n", self.run_line("get x"))
        self.assertIn("(error) ERR unknown command", self.run_line("gte k"))
        self.assertIn("the quotes do not fit", self.run_line('get "k'))
        self.terminal.type("quit\r")
        self.assertEqual(self.terminal.end(), OK)
        self.assertEqual(self.luna("GET", "k"), b"v\n")

    def test_the_prompt_shows_transaction_and_place(self):
        self.run_line("BEGIN", "default.0 (txn)> ")
        self.run_line("SET a 1", "default.0 (txn)> ")
        self.run_line("ROLLBACK")
        self.assertIn("(nil)", self.run_line("GET a"))
        self.run_line("MULTI", "default.0 (multi)> ")
        self.run_line("EXEC")
        self.run_line("SELECT 3", "default.3> ")
        self.run_line("USE default.0")

    def test_completion_and_help(self):
        self.terminal.type("collec\t")
        self.terminal.wait_for("COLLECTION ")
        self.terminal.type("\t")
        self.terminal.wait_for("CREATE  DROP  HELP  INFO  LIST  RENAME")
        self.terminal.wait_for("default.0> COLLECTION ")
        self.terminal.type("li\t\r")
        self.assertIn('1) "0"', self.terminal.wait_for("default.0> "))
        self.assertIn("GET key\n  Returns the string value", self.run_line("help get"))
        self.assertIn("did you mean GET?", self.run_line("help gte"))

    def test_ctrl_c_takes_back_the_line_and_ctrl_d_ends(self):
        self.terminal.type("SET k v\x03")
        self.terminal.wait_for("^C")
        self.terminal.wait_for("default.0> ")
        self.assertIn("(nil)", self.run_line("GET k"))
        self.assertEqual(self.terminal.end("\x04"), OK)

    def test_dangerous_commands_ask(self):
        self.run_line("SET k v")
        self.terminal.type("FLUSHALL\r")
        self.terminal.wait_for("Do it? [y/N] ")
        self.run_line("n")
        self.assertIn('"v"', self.run_line("GET k"))
        self.terminal.type("FLUSHALL\r")
        self.terminal.wait_for("Do it? [y/N] ")
        self.run_line("y")
        self.assertIn("(nil)", self.run_line("GET k"))

    def test_history_is_private_and_without_passwords(self):
        self.run_line("SET k v")
        self.run_line("AUTH secret")
        self.assertEqual(self.terminal.end("\x04"), OK)
        history = self.directory / "state" / "luna" / "history"
        self.assertEqual(stat.S_IMODE(history.stat().st_mode), 0o600)
        self.assertIn("k", history.read_text())
        self.assertNotIn("secret", history.read_text())

    def test_a_second_one_finds_the_universe_locked(self):
        self.assertIn("[universe_locked]", self.failure("GET", "k"))


class Asking(ProgramTest):
    def test_a_refusal_is_a_no(self):
        self.luna("SET", "k", "v")
        terminal = Terminal(self.directory, "--universe", self.universe, "FLUSHALL")
        self.addCleanup(terminal.kill)
        terminal.wait_for("Do it? [y/N] ")
        terminal.type("no\r")
        self.assertEqual(terminal.end(), NEGATIVE)
        self.assertEqual(self.luna("GET", "k"), b"v\n")


if __name__ == "__main__":
    unittest.main()
