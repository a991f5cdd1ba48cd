"""lunad from the outside: raw sockets, redis-cli and redis-benchmark, kill -9, signals.

The environment names the program: LUNAD. What redis-tools bring is tested where they
are installed.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

import wire
from program import ERROR, OK, USAGE, ProgramTest
from wire import WAIT_SECONDS, frame

LUNAD = os.environ["LUNAD"]
REDIS_CLI = shutil.which("redis-cli")
REDIS_BENCHMARK = shutil.which("redis-benchmark")
RELEASE = os.environ["LUNA_RELEASE"]
LOG_LINE = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) [a-z-]+( |$)"


class Failure(Exception):
    """An error reply."""


class Connection(wire.Connection):
    """One that raises error replies; those within an array are its elements."""

    def send(self, *words):
        self.socket.sendall(frame(*words))

    def call(self, *words):
        self.send(*words)
        return self.reply()

    def reply(self):
        reply = super().reply()
        if isinstance(reply, wire.Refusal):
            raise Failure(reply)
        return reply


class ServiceTest(ProgramTest):
    """A test that starts lunad, on a free port, as often as it likes."""

    def setUp(self):
        super().setUp()
        self.process = None
        self.port = 0
        self.addCleanup(self.kill)

    def start(self, *words, port=0, environment=None):
        """Starts lunad and waits until it listens."""
        addresses = self.directory / "addresses"
        addresses.unlink(missing_ok=True)
        self.errors = self.directory / "errors"
        words = [LUNAD, "--universe", str(self.universe), "--durability", "process",
                 "--listen", f"127.0.0.1:{port}", "--addresses-file", str(addresses), *words]
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(words, stderr=errors, stdin=subprocess.DEVNULL,
                                            env=self.environment(environment))
        deadline = time.monotonic() + WAIT_SECONDS
        while not addresses.exists():
            self.assertIsNone(self.process.poll(), self.errors.read_text())
            self.assertLess(time.monotonic(), deadline, "lunad does not listen")
            time.sleep(0.01)
        self.port = int(addresses.read_text().splitlines()[0].rsplit(":", 1)[1])

    @staticmethod
    def environment(more=None):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("LUNA_")}
        return {**kept, **(more or {})}

    def end(self, number=signal.SIGTERM, expect=OK):
        """Sends a signal and waits for the end."""
        self.process.send_signal(number)
        self.assertEqual(self.process.wait(WAIT_SECONDS), expect, self.errors.read_text())

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def connect(self):
        connection = Connection(self.port)
        self.addCleanup(connection.close)
        return connection

    def refused(self, *words, expect=ERROR, environment=None):
        """What lunad says when it does not start: one line."""
        done = subprocess.run([LUNAD, *map(str, words)], capture_output=True, check=False,
                              timeout=WAIT_SECONDS, env=self.environment(environment))
        self.assertEqual(done.returncode, expect, done.stderr)
        *told, last = done.stderr.decode().splitlines()
        for line in told:
            self.assertRegex(line, LOG_LINE)
        self.assertTrue(last.startswith("lunad: "), done.stderr)
        return last


class Protocol(ServiceTest):
    def setUp(self):
        super().setUp()
        self.start()

    def test_words_on_a_line(self):
        connection = self.connect()
        connection.socket.sendall(b"set k v\r\nget k\nquit\r\n")
        self.assertEqual(connection.file.read(), b"+OK\r\n$1\r\nv\r\n+OK\r\n")

    def test_pipeline_in_pieces_keeps_its_order(self):
        requests = b"".join(frame("SET", f"k{i}", i) + frame("GET", f"k{i}") for i in range(500))
        connection = self.connect()
        sizes = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 1000]
        at = 0
        for turn in range(len(requests)):
            piece = requests[at:at + sizes[turn % len(sizes)]]
            connection.socket.sendall(piece)
            at += len(piece)
            if at == len(requests):
                break
        for i in range(500):
            self.assertEqual(connection.reply(), "OK")
            self.assertEqual(connection.reply(), str(i).encode())

    def test_value_of_a_mebibyte_keeps_every_byte(self):
        value = bytes(range(256)) * 4096
        connection = self.connect()
        self.assertEqual(connection.call("SET", "big", value), "OK")
        self.assertEqual(self.connect().call("GET", "big"), value)

    def test_malformed_frames_close_only_their_connection(self):
        good = self.connect()
        for bad in (b"*1\r\n$-5\r\n", b"*abc\r\n", b"*1\r\n:1\r\n", b"*2000000\r\n",
                    b'set "a\r\n', b"*1\r\n$999999999999\r\n", b"x" * 70_000):
            with Connection(self.port) as connection:
                connection.socket.sendall(bad)
                answer = connection.file.read()  # until closed
            self.assertTrue(answer.startswith(b"-ERR Protocol error"), (bad[:20], answer))
            self.assertEqual(answer.count(b"\r\n"), 1, answer)
            self.assertEqual(good.call("PING"), "PONG")

    def test_web_browser_is_sent_away(self):
        with Connection(self.port) as connection:
            connection.socket.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nset k v\r\n")
            try:
                self.assertNotIn(b"+OK", connection.file.read())
            except ConnectionResetError:
                pass
        self.assertIsNone(self.connect().call("GET", "k"))

    def test_client_that_vanishes_disturbs_nobody(self):
        for _ in range(50):
            with Connection(self.port) as connection:
                connection.socket.sendall(frame("SET", "k", "v" * 1000)[:-5])
        self.assertEqual(self.connect().call("DBSIZE"), 0)

    def test_many_connections(self):
        connections = [self.connect() for _ in range(300)]
        for i, connection in enumerate(connections):
            connection.send("SET", f"k{i}", i)
        for connection in connections:
            self.assertEqual(connection.reply(), "OK")
        self.assertEqual(connections[0].call("DBSIZE"), 300)


class Transactions(ServiceTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.mine, self.other = self.connect(), self.connect()

    def test_begin_commit(self):
        self.mine.call("BEGIN")
        self.mine.call("SET", "k", "v")
        self.assertEqual(self.mine.call("GET", "k"), b"v")
        self.assertIsNone(self.other.call("GET", "k"))
        self.mine.call("COMMIT")
        self.assertEqual(self.other.call("GET", "k"), b"v")

    def test_conflict_from_another_connection(self):
        self.other.call("SET", "k", "1")
        self.mine.call("BEGIN")
        self.assertEqual(self.mine.call("GET", "k"), b"1")
        self.mine.call("SET", "k", "2")
        self.other.call("SET", "k", "3")
        with self.assertRaisesRegex(Failure, "^CONFLICT "):
            self.mine.call("COMMIT")
        self.assertEqual(self.mine.call("GET", "k"), b"3")

    def test_disconnecting_rolls_back(self):
        self.mine.call("BEGIN")
        self.mine.call("SET", "k", "v")
        self.mine.close()
        self.assertIsNone(self.other.call("GET", "k"))

    def test_multi_exec_and_watch(self):
        self.mine.call("WATCH", "k")
        self.mine.call("MULTI")
        self.assertEqual(self.mine.call("SET", "k", "mine"), "QUEUED")
        self.other.call("SET", "k", "other")
        self.assertIsNone(self.mine.call("EXEC"))
        self.mine.call("MULTI")
        self.mine.call("SET", "k", "mine")
        self.mine.call("INCR", "n")
        self.assertEqual(self.mine.call("EXEC"), ["OK", 1])

    def test_increments_of_many_connections_add_up(self):
        def increment():
            with Connection(self.port) as connection:
                for _ in range(20):
                    connection.socket.sendall(frame("INCR", "n") * 10)
                    for _ in range(10):
                        connection.reply()
        threads = [threading.Thread(target=increment) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.mine.call("GET", "n"), b"1600")


class Writer(threading.Thread):
    """Writes k-<number>-0, k-<number>-1, ... until the connection ends; counts what was
    acknowledged."""

    def __init__(self, port, number):
        super().__init__()
        self.port, self.number = port, number
        self.acknowledged = self.sent = 0

    def run(self):
        try:
            with Connection(self.port) as connection:
                while True:
                    for _ in range(4):
                        connection.send("SET", f"k-{self.number}-{self.sent}", self.sent)
                        connection.send("INCR", f"n-{self.number}")
                        self.sent += 1
                    for _ in range(4):
                        connection.reply()
                        connection.reply()
                        self.acknowledged += 1
        except (OSError, EOFError):
            pass


class Endings(ServiceTest):
    def write_until(self, end):
        """Four writers, `end` in the midst of their work, and lunad again."""
        self.start()
        writers = [Writer(self.port, number) for number in range(4)]
        for writer in writers:
            writer.start()
        deadline = time.monotonic() + WAIT_SECONDS
        while min(writer.acknowledged for writer in writers) < 200:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        end()
        for writer in writers:
            writer.join()
        self.start()
        with Connection(self.port) as connection:
            for writer in writers:
                for i in range(writer.acknowledged):
                    connection.send("GET", f"k-{writer.number}-{i}")
                    self.assertEqual(connection.reply(), str(i).encode(), writer.number)
                count = int(connection.call("GET", f"n-{writer.number}"))
                self.assertGreaterEqual(count, writer.acknowledged)
                self.assertLessEqual(count, writer.sent)

    def test_acknowledged_writes_survive_kill_9(self):
        self.write_until(lambda: self.end(signal.SIGKILL, expect=-signal.SIGKILL))

    def set_for(self, connection, key, millis):
        """Sets a key that expires; the earliest moment of its end, and the latest."""
        asked = time.monotonic()
        self.assertEqual(connection.call("SET", key, "v", "PX", millis), "OK")
        return asked + millis / 1000, time.monotonic() + millis / 1000

    def expect_end(self, connection, key, earliest, latest):
        """Reads the key until it is gone: not early, and not late."""
        while True:
            asked = time.monotonic()
            value = connection.call("GET", key)
            if value is None:
                break
            self.assertEqual(value, b"v")
            self.assertLess(asked, latest + 1, f"{key} is seen after its end")
            time.sleep(0.002)
        # The server counts whole milliseconds.
        self.assertGreater(time.monotonic() + 0.002, earliest, f"{key} is gone before its end")

    def test_keys_live_their_whole_time_over_kill_9_and_an_orderly_stop(self):
        self.start()
        for number, expect in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, OK)):
            with Connection(self.port) as connection:
                kept = self.set_for(connection, "kept", 2000)
            self.end(number, expect=expect)
            self.start()
            with Connection(self.port) as connection:
                brief = self.set_for(connection, "brief", 300)
                self.expect_end(connection, "brief", *brief)
                self.expect_end(connection, "kept", *kept)

    def test_acknowledged_writes_survive_an_orderly_stop(self):
        self.write_until(self.end)

    def test_interrupt_and_shutdown_stop_in_order(self):
        self.start()
        self.connect().call("SET", "k", "v")
        self.end(signal.SIGINT)
        self.assertIn(" INFO stopping reason=SIGINT\n", self.errors.read_text())
        self.assertIn(" INFO stopped ", self.errors.read_text())
        self.start()
        connection = self.connect()
        self.assertEqual(connection.call("GET", "k"), b"v")
        connection.send("SHUTDOWN")
        self.assertEqual(self.process.wait(WAIT_SECONDS), OK, self.errors.read_text())

    def test_idle_connections_do_not_hold_the_stop(self):
        self.start()
        idle = [self.connect() for _ in range(5)]
        idle[0].call("BEGIN")
        begun = time.monotonic()
        self.end()
        self.assertLess(time.monotonic() - begun, 20)

    def test_luna_reads_what_lunad_wrote(self):
        self.start()
        self.connect().call("SET", "k", "v")
        self.end()
        self.assertEqual(self.luna("get", "k"), b"v\n")
        self.assertTrue(self.luna("verify").endswith(b"damage\n"))  # and none behind it


class Starting(ServiceTest):
    def test_announcement(self):
        self.start("--listen", "127.0.0.1:0")
        lines = self.errors.read_text().splitlines()
        for line in lines:
            self.assertRegex(line, LOG_LINE)
        starting = f"version={RELEASE} pid={self.process.pid} universe={self.universe}"
        self.assertIn(f" INFO starting {starting} ", lines[0])
        self.assertRegex(lines[0], r' memory="[0-9.]+ [MGT]iB"$')
        listening = [line for line in lines if " INFO listening address=127.0.0.1:" in line]
        self.assertEqual(len(listening), 2, lines)

    def test_version_and_help(self):
        for words, text in (("--version", f"lunad {RELEASE}"), ("--help", "Usage: lunad")):
            done = self.run_program(LUNAD, words)
            self.assertEqual((done.returncode, text in done.stdout.decode()), (OK, True), done)

    def test_print_config_names_the_origins(self):
        done = subprocess.run([LUNAD, "--print-config", "--listen", "[::1]:7000",
                               "--protected", "false"],
                              capture_output=True, check=True,
                              env=self.environment({"LUNA_PASSWORD": "secret"}))
        text = done.stdout.decode()
        self.assertNotIn("secret", text)
        for row in (r'universe = "./luna-data" +# default', r'listen = \["\[::1\]:7000"\] +'
                    r'# command line', r'# password = "\(hidden\)" +# LUNA_PASSWORD',
                    r'memory = "auto" +# default', r'protected = false +# command line'):
            self.assertRegex(text, rf"(?m)^{row}$")

    def test_wrong_usage(self):
        for words in (["--nonsense"], ["--memory", "lots"], ["--memory", "1MiB"],
                      ["--durability", "perhaps"], ["--handlers", "0"], ["--maxclients", "x"],
                      ["--listen", "nowhere"], ["--listen", "127.0.0.1:99999"], ["stray"]):
            self.refused("--universe", self.universe, *words, expect=USAGE)

    def test_protected_mode(self):
        words = ["--universe", self.universe, "--listen", "0.0.0.0:0"]
        message = self.refused(*words, expect=USAGE)
        self.assertIn("LUNA_PASSWORD", message)
        self.assertIn("--protected false", message)
        self.assertFalse(self.universe.exists())
        self.start("--listen", "0.0.0.0:0", "--protected", "false")
        self.end()
        self.start("--listen", "0.0.0.0:0", environment={"LUNA_PASSWORD": "secret"})

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            message = self.refused("--universe", self.universe, "--listen", address)
        self.assertIn(address, message)
        self.assertIn("[address_in_use]", message)

    def test_universe_locked(self):
        self.start()
        message = self.refused("--universe", self.universe, "--listen", "127.0.0.1:0")
        self.assertIn("[universe_locked]", message)
        self.assertIn("[universe_locked]", self.failure("get", "k"))
        self.assertEqual(self.connect().call("PING"), "PONG")

    def test_foreign_directory(self):
        self.universe.mkdir()
        (self.universe / "letter.txt").write_text("dear")
        self.assertIn("[foreign_directory]", self.refused("--universe", self.universe))

    def test_addresses_file_that_cannot_be_written(self):
        message = self.refused("--universe", self.universe, "--listen", "127.0.0.1:0",
                               "--addresses-file", self.directory / "none" / "file")
        self.assertIn("correct addresses-file", message)

    def test_password(self):
        self.start(environment={"LUNA_PASSWORD": "secret"})
        connection = self.connect()
        with self.assertRaisesRegex(Failure, "^NOAUTH Authentication required."):
            connection.call("GET", "k")
        with self.assertRaisesRegex(Failure, "^WRONGPASS "):
            connection.call("AUTH", "guess")
        with self.assertRaisesRegex(Failure, "^NOAUTH"):
            connection.call("GET", "k")
        self.assertEqual(connection.call("AUTH", "secret"), "OK")
        self.assertIsNone(connection.call("GET", "k"))

    def test_greatest_number_of_clients(self):
        self.start("--maxclients", "2")
        first, second = self.connect(), self.connect()
        first.call("PING")
        second.call("PING")
        with self.assertRaisesRegex(Failure, "^ERR max number of clients reached"):
            self.connect().reply()
        self.assertEqual(first.call("PING"), "PONG")

    def test_idle_connection_is_closed(self):
        self.start("--timeout", "1")
        with self.assertRaises(EOFError):
            self.connect().reply()


@unittest.skipUnless(REDIS_CLI, "redis-cli is not installed")
class RedisCli(ServiceTest):
    def setUp(self):
        super().setUp()
        self.start()

    def cli(self, *words, stdin=None):
        done = subprocess.run([REDIS_CLI, "-p", str(self.port), *words], check=False,
                              input=stdin, capture_output=True, text=True, timeout=WAIT_SECONDS,
                              **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_set_and_get(self):
        self.assertEqual(self.cli("set", "k", "v"), "OK\n")
        self.assertEqual(self.cli("get", "k"), "v\n")
        self.assertEqual(self.cli("-3", "get", "k"), "v\n")
        self.assertIn("unknown command", self.cli("nonsense"))

    def test_multi_from_standard_input(self):
        answer = self.cli(stdin="MULTI\nSET k 1\nINCR k\nEXEC\n")
        self.assertEqual(answer.split(), ["OK", "QUEUED", "QUEUED", "OK", "2"])

    def test_scan_and_pipe(self):
        requests = "".join(f"SET k{i} {i}\r\n" for i in range(2000))
        self.assertIn("errors: 0, replies: 2000", self.cli("--pipe", stdin=requests))
        keys = self.cli("--scan", "--pattern", "k1*").split()
        self.assertEqual(sorted(keys), sorted(f"k{i}" for i in range(2000) if f"{i}"[0] == "1"))

    @unittest.skipUnless(REDIS_BENCHMARK, "redis-benchmark is not installed")
    def test_benchmark(self):
        for more in ([], ["-P", "16"]):
            done = subprocess.run([REDIS_BENCHMARK, "-p", str(self.port), "-n", "2000", "-t",
                                   "set,get,incr,mset", "-q", *more], capture_output=True,
                                  check=False, text=True, timeout=WAIT_SECONDS)
            text = done.stdout + done.stderr
            self.assertEqual(done.returncode, 0, text)
            self.assertNotIn("rror", text)
            self.assertEqual(done.stdout.count("requests per second"), 4, text)


if __name__ == "__main__":
    unittest.main()
