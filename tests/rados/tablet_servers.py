"""Tablet servers on a Ceph cluster, their clients, and a ledger of what was acknowledged to them.

The environment names the program: LUNAD.
"""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "apps"))
from wire import Connection, Refusal  # pylint: disable=wrong-import-position

WAIT_SECONDS = 60
REPLY_SECONDS = 15
# Of a server that does not lead (any more), or whose last append has an unknown outcome.
REFUSALS = ("READONLY", "TRYAGAIN", "BUSYWRITE", "MISCONF")


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Server:
    """One lunad, that may be killed, held and started again."""

    def __init__(self, port, location, folder, *flags):
        self.port, self.name = port, f"127.0.0.1:{port}"
        self.words = [os.environ["LUNAD"], "--role", "tablet-server", "--universe", location,
                      "--listen", self.name, "--memory", "128MiB", *map(str, flags)]
        self.journal = pathlib.Path(folder) / f"server-{port}.txt"
        self.process = None

    def start(self):
        with open(self.journal, "ab") as journal:
            self.process = subprocess.Popen(self.words, stdout=journal, stderr=journal)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def hold(self):
        self.process.send_signal(signal.SIGSTOP)

    def let_go(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        """In order; its exit code."""
        if self.process.poll() is None:
            self.let_go()
            self.process.terminate()
        return self.process.wait(WAIT_SECONDS)

    def connect(self):
        connection = Connection(self.port)
        connection.socket.settimeout(REPLY_SECONDS)
        return connection

    def status(self):
        """GROUP STATUS as a dictionary; empty while nobody answers."""
        try:
            with self.connect() as connection:
                text = connection.call("GROUP", "STATUS")
        except (OSError, EOFError):
            return {}
        if text is None or isinstance(text, Refusal):
            return {}
        rows = [row.partition(":") for row in text.decode().splitlines()]
        return {name: value for name, colon, value in rows if colon}


class Group:
    """Servers of one group; with `peers` they talk to one another as well (LUNA_RPC)."""

    def __init__(self, count, location, folder, *flags, peers=False):
        ports = free_ports(2 * count)
        self.servers = []
        for port, peer_port in zip(ports[:count], ports[count:]):
            more = ("--peer-listen", f"127.0.0.1:{peer_port}") if peers else ()
            self.servers.append(Server(port, location, folder, *flags, *more))
        for server in self.servers:
            server.start()

    def leader(self, but=None):
        """The server that leads; waits for one, other than `but`."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            for asked in self.servers:
                if asked is but or asked.process.poll() is not None:
                    continue
                status = asked.status()
                for server in self.servers:
                    if server is not but and status.get("role") == "leading" and (
                            status["server"] == server.name):
                        return server
            time.sleep(0.05)
        raise AssertionError("nobody leads: " + self.journals())

    def journals(self):
        return "\n".join(f"{server.name}:\n{server.journal.read_text()[-3000:]}"
                         for server in self.servers if server.journal.exists())

    def end(self):
        for server in self.servers:
            if server.process.poll() is None:
                server.let_go()
                server.kill()


class Client:
    """Talks to any of the servers, and goes to another one when a connection ends."""

    def __init__(self, servers, first, pause=0.02):
        self.servers, self.next, self.pause = servers, first, pause
        self.connection = None

    def call(self, *words):
        """The reply; None when it is not known what came of the request."""
        try:
            if self.connection is None:
                server = self.servers[self.next % len(self.servers)]
                self.next += 1
                self.connection = server.connect()
            return self.connection.call(*words)
        except (OSError, EOFError):
            self.close()
            time.sleep(self.pause)
            return None

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Ledger:
    """What was acknowledged, outside of the servers. Each writer counts a register up and leaves
    each count under a key of its own; readers look whether a register ever goes back.

    A write without an OK may be done at any time after: a server that waits for a leader, is held
    or cut off has the request in hand, also when its client has given up. So its writer leaves the
    register and goes on with a new one."""

    def __init__(self, servers, writers=3, readers=2):
        self.servers = servers
        self.registers = [(f"register-{i}-0", 0) for i in range(writers)]  # newest acknowledged
        self.sent = {}                      # register: the newest count that was sent
        self.kept = set()                   # keys that must be there
        self.reads = 0
        self.problems = []
        self.last_ack = time.monotonic()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(i,)) for i in range(writers)]
        self._threads += [threading.Thread(target=self._read, args=(i,)) for i in range(readers)]
        for thread in self._threads:
            thread.start()

    def _write(self, writer):
        client = Client(self.servers, writer)
        count = 0
        while not self._over.is_set():
            count += 1
            register = self.registers[writer][0]
            self.sent[register] = count
            key = f"key-{writer}-{count}"
            began = time.monotonic()
            reply = client.call("MSET", register, str(count), key, str(count))
            if reply == "OK":
                self.registers[writer] = (register, count)
                self.note(key, began)
                continue
            self.registers[writer] = (f"register-{writer}-{count}", 0)
            if isinstance(reply, Refusal):
                if reply.split()[0] not in REFUSALS:
                    self.problems.append(f"a write was answered: {reply}")
                client.close()
                time.sleep(0.02)
        client.close()

    def note(self, key, _):
        """A write that began then was acknowledged."""
        self.kept.add(key)
        self.last_ack = time.monotonic()

    def _read(self, reader):
        client = Client(self.servers, reader)
        while not self._over.is_set():
            register, least = self.registers[self.reads % len(self.registers)]
            reply = client.call("GET", register)
            if isinstance(reply, bytes):
                self.reads += 1
                if not least <= int(reply) <= self.sent[register]:
                    asked = self.servers[(client.next - 1) % len(self.servers)].name
                    self.problems.append(f"{register} is {reply}, from {least} to "
                                         f"{self.sent[register]}: {asked} said at {time.time()}")
            elif reply is None and client.connection is not None:
                self.reads += 1
                if least > 0:
                    self.problems.append(f"{register} is gone, it was {least}")
            elif isinstance(reply, Refusal):
                client.close()
                time.sleep(0.02)
        client.close()

    def gap(self, since):
        """Seconds from then until the next acknowledged write; waits for it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self.last_ack <= since:
            assert time.monotonic() < deadline, "no write is acknowledged any more"
            time.sleep(0.005)
        return self.last_ack - since

    def end(self):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def missing(self):
        """Acknowledged keys that are not there."""
        gone = []
        client = Client(self.servers, 0)
        for key in sorted(self.kept):
            deadline = time.monotonic() + WAIT_SECONDS
            reply = None
            while not isinstance(reply, bytes) and time.monotonic() < deadline:
                reply = client.call("GET", key)
                if reply is None and client.connection is not None:
                    break
            if reply != key.rsplit("-", 1)[1].encode():
                gone.append((key, reply))
        client.close()
        return gone
