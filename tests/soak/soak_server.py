"""lunad as a process, the crowd of its idle connections, and redis-benchmark as its load."""

import os
import signal
import socket
import subprocess
import threading
import time

START_SECONDS = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One universe; the port stays the same over restarts."""

    def __init__(self, program, directory, memory, durability, clients):
        self.port = free_port()
        self.errors = directory / "lunad.txt"
        self.words = [program, "--universe", directory / "universe", "--listen",
                      f"127.0.0.1:{self.port}", "--memory", str(memory), "--durability", durability,
                      "--maxclients", str(clients)]
        self.process = None

    def start(self):
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen([str(word) for word in self.words], stderr=errors,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.ended() or time.monotonic() > deadline:
                raise RuntimeError(f"lunad does not start: {self.last_words()}")
            time.sleep(0.02)

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as one:
                one.sendall(b"PING\r\n")
                return one.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def ended(self):
        return self.process is None or self.process.poll() is not None

    def last_words(self):
        return self.errors.read_text(errors="replace")[-500:]

    def kill(self):
        if not self.ended():
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def terminate(self):
        self.process.terminate()
        return self.process.wait(START_SECONDS)

    def usage(self):
        """Resident bytes and open descriptors."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def commands(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as one:
                one.sendall(b"INFO stats\r\n")
                text = one.recv(65536).decode()
            return text.split("total_commands_processed:")[1].split("\r\n")[0]
        except (OSError, IndexError):
            return "?"


class Crowd:
    """Connections that mostly do nothing."""

    def __init__(self, count):
        self.count = count
        self.sockets = []
        self.next = 0

    def connect(self, port):
        self.close()
        for _ in range(self.count):
            one = socket.create_connection(("127.0.0.1", port), 30)
            one.settimeout(30)
            self.sockets.append(one)

    def close(self):
        for one in self.sockets:
            one.close()
        self.sockets = []
        self.next = 0

    def ping(self, count):
        """The next ones of the ring say PING; what went wrong."""
        for _ in range(min(count, len(self.sockets))):
            one = self.sockets[self.next]
            self.next = (self.next + 1) % len(self.sockets)
            try:
                one.sendall(b"PING\r\n")
                answer = one.recv(16)
                if answer != b"+PONG\r\n":
                    yield f"an idle connection got {answer!r} for PING"
            except OSError as error:
                yield f"an idle connection was lost: {error}"


class Load(threading.Thread):
    """redis-benchmark, again and again."""

    def __init__(self, soak, words):
        super().__init__(daemon=True)
        self.soak = soak
        self.words = words
        self.process = None

    def run(self):
        words = ["redis-benchmark", "-p", str(self.soak.server.port), "-c", "25", "-r", "200000",
                 "-n", "300000", "-q", *self.words]
        while not self.soak.stop.is_set():
            if not self.soak.up.wait(1):
                continue
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while self.process.poll() is None:
                if self.soak.stop.is_set() or not self.soak.up.is_set():
                    self.end()
                time.sleep(0.1)
            if self.process.returncode != 0:
                time.sleep(0.2)  # the server went away under it

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
