"""The two servers: lunad and redis-server, each a process with its own directory and port."""

import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
START_SECONDS = 30
STOP_SECONDS = 30
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1

# What an answered write survives, and what it is called there.
LEVELS = {
    "lunad": {"process": "process", "device": "device"},
    "redis": {"process": "everysec", "device": "always"},
}


def die_with_parent():
    """In the child: nobody is left over when the comparison is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def frame(*words):
    """A request in the array form."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Server:
    """A running server. `name` is what tables call it."""

    def __init__(self, name, words, directory):
        self.name = name
        self.directory = pathlib.Path(directory)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.output = self.directory / "output.txt"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, cwd=self.directory,
                                            preexec_fn=die_with_parent)
        self.port = 0
        self.filled = None  # size of the values that fill() has stored

    def wait_until_it_answers(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not start:\n{self.output.read_text()}")
            try:
                with self.connect() as connection:
                    connection.sendall(frame(b"PING"))
                    if connection.recv(100).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            time.sleep(0.02)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=START_SECONDS)

    def cpu_seconds(self):
        """User and system time of all threads, and of children that have ended (Redis' rewrites of
        its file)."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat[stat.rindex(")") + 2:].split()
        return sum(int(field) for field in fields[11:15]) / TICK

    def has_children(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return bool(children.read_text().strip())

    def settle(self, seconds=20):
        """Waits until the work that was left in the background is done."""
        window = 0.1
        deadline = time.monotonic() + seconds
        quiet = 0
        while quiet < 2 and time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(window)
            idle = self.cpu_seconds() - before <= 2 / TICK and not self.has_children()
            quiet = quiet + 1 if idle else 0

    def resident_bytes(self):
        pages = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE")

    def fill(self, keys, value_bytes):
        """Stores every key that redis-benchmark will ask for."""
        if self.filled == value_bytes:
            return
        value = os.urandom(value_bytes // 2).hex().encode().ljust(value_bytes, b"x")
        batch = 500
        with self.connect() as connection:
            replies = connection.makefile("rb")
            for first in range(0, keys, batch):
                numbers = range(first, min(first + batch, keys))
                connection.sendall(b"".join(frame(b"SET", b"key:%012d" % n, value)
                                            for n in numbers))
                for _ in numbers:
                    reply = replies.readline()
                    if reply != b"+OK\r\n":
                        raise RuntimeError(f"{self.name} answers SET with {reply!r}")
        self.filled = value_bytes

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def start_lunad(program, level, directory, more=(), name="lunad"):
    directory = pathlib.Path(directory)
    addresses = directory / "addresses"
    server = Server(name, [str(program), "--universe", str(directory / "universe"),
                           "--listen", "127.0.0.1:0", "--addresses-file", str(addresses),
                           "--durability", LEVELS["lunad"][level], *more], directory)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not addresses.exists():
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"lunad does not start:\n{server.output.read_text()}")
            time.sleep(0.02)
        server.port = int(addresses.read_text().splitlines()[0].rsplit(":", 1)[1])
        server.wait_until_it_answers()
    except BaseException:
        server.stop()
        raise
    return server


def start_redis(level, directory):
    port = free_port()
    server = Server("redis", ["redis-server", "--port", str(port), "--bind", "127.0.0.1",
                              "--dir", str(directory), "--save", "", "--appendonly", "yes",
                              "--appendfsync", LEVELS["redis"][level]], directory)
    server.port = port
    try:
        server.wait_until_it_answers()
    except BaseException:
        server.stop()
        raise
    return server
