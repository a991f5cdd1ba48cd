"""How lunad is configured and run: file, environment, flags, log, signals, notify socket.

The environment names the program (LUNAD) and the source tree (LUNA_SOURCE).
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

from lunad_test import LUNAD, WAIT_SECONDS, Failure, ServiceTest
from program import OK, USAGE

SOURCE = pathlib.Path(os.environ["LUNA_SOURCE"])


class ConfigTest(ServiceTest):
    def config(self, text):
        return self.write("luna.toml", text)

    def printed(self, *words, environment=None):
        """What --print-config says: the text, and {name: (value, origin)}."""
        done = subprocess.run([LUNAD, *map(str, words), "--print-config"], capture_output=True,
                              check=False, env=self.environment(environment))
        self.assertEqual(done.returncode, OK, done.stderr)
        text = done.stdout.decode()
        rows = re.findall(r"(?m)^(?:# )?([a-z-]+) = (.*?) +# (.*)$", text)
        self.assertEqual(len(rows), len(text.splitlines()), text)
        return text, {name: (value, origin) for name, value, origin in rows}

    def wait_for(self, condition, what):
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.01)


class Sources(ConfigTest):
    def test_unknown_key_names_line_and_nearest(self):
        path = self.config('timeout = 1\n\nmemroy = "1GiB"\n')
        message = self.refused("--config", path, expect=USAGE)
        self.assertIn(f"{path}:3: no setting is called 'memroy'; is 'memory' meant?", message)

    def test_wrong_values_name_line_key_and_what_is_wanted(self):
        for text, wanted in (('handlers = "four"', "handlers: wanted is a whole number from 1 to"),
                             ("handlers = 0", "handlers: '0' is not a whole number from 1 to 256"),
                             ("memory = 5", "memory: wanted is a size from 64MiB"),
                             ('memory = "1KiB"', "memory: '1KiB' is not a size from 64MiB"),
                             ("listen = [7]", "listen: wanted is a list of texts"),
                             ('durability = "some"', 'one of "device", "process", "relaxed"'),
                             ("protected = 1", "true or false"),
                             ("[server]", "there are no sections"),
                             ("timeout = ", "this is no TOML"),
                             ("timeout = 1\ntimeout = 2", "this is no TOML")):
            path = self.config("# first line\n" + text + "\n")
            message = self.refused("--config", path, expect=USAGE)
            self.assertRegex(message, rf"{re.escape(str(path))}:[23]: ")
            self.assertIn(wanted, message)

    def test_default_file_environment_flag(self):
        path = self.config("timeout = 1\nreaders = 1\nhandlers = 1\n")
        _, rows = self.printed("--config", path, "--handlers", 3,
                               environment={"LUNA_READERS": "2", "LUNA_HANDLERS": "2"})
        self.assertEqual(rows["timeout"], ("1", f"{path}:1"))
        self.assertEqual(rows["readers"], ("2", "LUNA_READERS"))
        self.assertEqual(rows["handlers"], ("3", "command line"))
        self.assertEqual(rows["maxclients"], ("10000", "default"))

    def test_config_path_from_the_environment(self):
        path = self.config("timeout = 4\n")
        _, rows = self.printed(environment={"LUNA_CONFIG": str(path)})
        self.assertEqual(rows["timeout"], ("4", f"{path}:1"))

    def test_every_setting_is_taken_from_everywhere(self):
        text, rows = self.printed()
        again, _ = self.printed("--config", self.config(text))
        values = lambda printed: re.sub(r" +# .*", "", printed)
        self.assertEqual(values(text), values(again))
        for name, (value, _) in rows.items():
            given = value.strip('"[]').replace('", "', ",")
            if given:
                variable = "LUNA_" + name.upper().replace("-", "_")
                self.assertEqual(self.printed(environment={variable: given})[1][name],
                                 (value, variable))
                self.assertEqual(self.printed(f"--{name}", given)[1][name], (value, "command line"))

    def test_a_tablet_server_shares_its_universe_and_is_found(self):
        shared = ("--role", "tablet-server", "--universe", "rados:nowhere?conf=/nowhere")
        for words, wanted in ((("--role", "tablet-server"), "not './luna-data'"),
                              ((*shared, "--listen", "127.0.0.1:0"), "a port other than 0"),
                              ((*shared, "--http-listen", "127.0.0.1:0"), "http-listen"),
                              ((*shared, "--durability", "relaxed"), "durability"),
                              ((*shared, "--lease", "1"), "from 50 to 60000"),
                              ((*shared, "--writes", "drop"), '"forward", "refuse"'),
                              (("--role", "worker"), "not './luna-data'"),
                              (("--offload", "true"), "needs role"),
                              (("--advertise", "a:1"), "needs role")):
            self.assertIn(wanted, self.refused(*words, expect=USAGE))

    def test_wrong_environment_names_the_variable(self):
        message = self.refused(expect=USAGE, environment={"LUNA_MEMORY": "lots"})
        self.assertIn("LUNA_MEMORY: memory: 'lots' is not a size", message)

    def test_printed_config_keeps_the_password(self):
        text, _ = self.printed(environment={"LUNA_PASSWORD": "sesame"})
        self.assertNotIn("sesame", text)
        again, _ = self.printed("--config", self.config(text))
        self.assertIn('password = "" ', again)

    def test_check_config(self):
        path = self.config('listen = ["0.0.0.0:1"]\n')
        self.assertIn("LUNA_PASSWORD", self.refused("--config", path, "--check-config",
                                                    expect=USAGE))
        path = self.config("timeout = 5\n")
        done = subprocess.run([LUNAD, "--config", path, "--check-config", "--universe",
                               self.universe], capture_output=True, check=False,
                              env=self.environment())
        self.assertEqual((done.returncode, done.stderr), (OK, b""))
        self.assertFalse(self.universe.exists())

    def test_unreadable_files(self):
        missing, file = self.directory / "missing", self.write("file", b"a file, no folder")
        for words in (("--config", missing), ("--config", self.directory),
                      ("--password-file", missing), ("--password-file", self.directory),
                      ("--log-file", file / "log"), ("--log-file", self.directory)):
            message = self.refused("--universe", self.universe, "--listen", "127.0.0.1:0", *words)
            self.assertIn(str(words[1]), message)
        empty = self.write("empty", b"")
        self.refused("--universe", self.universe, "--password-file", empty, expect=USAGE)
        self.assertFalse(self.universe.exists())

    def test_password_file(self):
        self.start("--password-file", self.write("password", "open sesame\nsecond line\n"))
        connection = self.connect()
        with self.assertRaisesRegex(Failure, "NOAUTH"):
            connection.call("GET", "k")
        self.assertEqual(connection.call("AUTH", "open sesame"), "OK")
        shown = connection.call("CONFIG", "GET", "*")
        self.assertNotIn(b"open sesame", shown)

    def test_config_command_shows_and_sets(self):
        self.start("--timeout", "77")
        connection = self.connect()
        shown = connection.call("CONFIG", "GET", "*")
        names = shown[::2]
        self.assertEqual(len(names), len(set(names)))
        for name in self.printed()[1]:
            self.assertIn(name.encode(), names)
        self.assertEqual(connection.call("CONFIG", "GET", "timeout"), [b"timeout", b"77"])
        self.assertEqual(connection.call("CONFIG", "SET", "maxclients", "5", "log-level", "debug"),
                         "OK")
        self.assertEqual(connection.call("CONFIG", "GET", "log-level"), [b"log-level", b"debug"])
        with self.assertRaisesRegex(Failure, "immutable"):
            connection.call("CONFIG", "SET", "universe", "elsewhere")
        with self.assertRaisesRegex(Failure, "does not rewrite"):
            connection.call("CONFIG", "REWRITE")
        self.connect().call("PING")
        self.assertIn(" DEBUG connection-opened ", self.errors.read_text())

    def test_packaged_file_names_every_setting_with_its_default(self):
        packaged = (SOURCE / "packaging/luna.toml").read_text()
        _, rows = self.printed()
        named = dict(re.findall(r"(?m)^(?:# )?([a-z-]+) = (.*)$", packaged))
        self.assertEqual(sorted(named), sorted(rows))
        for name, value in re.findall(r"(?m)^# ([a-z-]+) = (.*)$", packaged):
            self.assertEqual(value, rows[name][0], name)
        self.printed("--config", SOURCE / "packaging/luna.toml")

    def test_documented_table_is_the_real_one(self):
        text = (SOURCE / "docs/guide/6-operations.md").read_text()
        _, rows = self.printed()
        documented = re.findall(r"(?m)^\| `([a-z-]+)` \| `(.*?)` \|", text)
        self.assertEqual([name for name, _ in documented], list(rows))
        for name, value in documented:
            self.assertEqual(value, rows[name][0], name)


class Running(ConfigTest):
    def test_log_is_reopened_at_hang_up(self):
        log = self.directory / "lunad.log"
        self.start("--log-file", log)
        self.assertEqual(self.errors.read_text(), "")
        log.rename(self.directory / "old.log")
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(log.exists, "no new log")
        self.wait_for(lambda: "reloaded what=log-file" in log.read_text(), "no line")
        self.end()
        self.assertIn(" INFO stopped ", log.read_text())
        self.assertIn(" INFO listening ", (self.directory / "old.log").read_text())

    def test_log_that_cannot_be_reopened_stays(self):
        log = self.directory / "lunad.log"
        old = self.directory / "old.log"
        self.start("--log-file", log)
        log.rename(old)
        log.mkdir()
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: " ERROR reload-failed what=log-file " in old.read_text(), "no line")
        self.assertEqual(self.connect().call("PING"), "PONG")
        self.end()

    def test_many_hang_ups_do_not_stop_it(self):
        self.start()
        for _ in range(100):
            self.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.connect().call("PING"), "PONG")
        self.end()

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_full_disk_of_the_log_is_survived(self):
        self.start("--log-file", "/dev/full", "--log-level", "debug")
        for _ in range(20):
            connection = self.connect()
            self.assertEqual(connection.call("SET", "k", "v"), "OK")
        self.end()

    def test_failure_to_start_is_in_the_log_too(self):
        log = self.directory / "lunad.log"
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.refused("--universe", self.universe, "--listen", address, "--log-file", log)
        self.assertRegex(log.read_text(), rf"(?m) ERROR failed error=.*{address}")

    def test_strangers_cannot_fill_the_log(self):
        self.start("--password", "sesame")
        # Wrong passwords are slowed down, so they alone would take long.
        for line in [b"AUTH wrong\r\nQUIT\r\n"] + [b"*1\r\n:1\r\n"] * 300:
            connection = self.connect()
            connection.socket.sendall(line)
            connection.file.read()
        text = self.errors.read_text()
        self.assertIn(" WARNING login-failed peer=127.0.0.1:", text)
        self.assertLess(text.count("WARNING"), 150)
        self.assertNotIn("wrong", text)
        self.assertNotIn("sesame", text)

    def test_shutdown_is_a_reason(self):
        self.start()
        self.connect().send("SHUTDOWN")
        self.assertEqual(self.process.wait(WAIT_SECONDS), OK)
        self.assertIn(" INFO stopping reason=SHUTDOWN\n", self.errors.read_text())

    def test_notify_socket(self):
        path = str(self.directory / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(path)
            listener.settimeout(WAIT_SECONDS)

            def told(line):
                while line not in listener.recv(4096).decode().splitlines():
                    pass

            self.start(environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "300000"})
            told("STATUS=opening the universe")
            told("READY=1")
            told("WATCHDOG=1")
            told("WATCHDOG=1")
            self.process.send_signal(signal.SIGHUP)
            told("RELOADING=1")
            told("READY=1")
            self.process.send_signal(signal.SIGTERM)
            told("STOPPING=1")
            self.assertEqual(self.process.wait(WAIT_SECONDS), OK)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd here")
    def test_unit_is_sound(self):
        unit = (SOURCE / "packaging/lunad.service").read_text()
        path = self.write("lunad.service", unit.replace("/usr/bin/lunad", LUNAD))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(path)],
                              capture_output=True, check=False, timeout=WAIT_SECONDS)
        findings = [line for line in done.stderr.decode().splitlines() if "lunad.service" in line]
        self.assertEqual(findings, [], done.stderr)


if __name__ == "__main__":
    unittest.main()
