"""How long writes are not taken: after a leader was killed, or sent away, or when nobody was beside
it. Seconds, one a try.
"""

import os
import statistics
import threading
import time

from tablet_servers import Client, Group, Refusal

WAIT_SECONDS = 60


class Writer:
    """One client that writes without a pause, through any of the servers; when was it answered?"""

    def __init__(self, servers, key="written"):
        self.servers, self.key = servers, key
        self.acknowledged = []  # (begun, answered)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        client, count = Client(self.servers, 0, pause=0.001), 0
        while not self._over.is_set():
            count += 1
            begun = time.monotonic()
            reply = client.call("SET", self.key, repr(begun))
            if reply == "OK":
                self.acknowledged.append((begun, time.monotonic()))
            elif isinstance(reply, Refusal):
                client.close()
                time.sleep(0.001)
        client.close()

    def after(self, moment):
        """When the first write that began after the moment was acknowledged; waits for it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.acknowledged or self.acknowledged[-1][0] <= moment:
            assert time.monotonic() < deadline, "no write is acknowledged any more"
            time.sleep(0.001)
        return next(answered for begun, answered in self.acknowledged if begun > moment)

    def pause(self, since, until):
        """The longest time between two answers in these, and what is usual between two."""
        at = [answered for _, answered in self.acknowledged if since <= answered <= until]
        times = [after - before for before, after in zip(at, at[1:])]
        return max(times), statistics.median(times)

    def end(self):
        self._over.set()
        self._thread.join()


def crashes(location, folder, lease_millis, count):
    """kill -9 of the leader: seconds until a write that began after it is acknowledged."""
    group = Group(3, location, folder, "--lease", lease_millis, peers=True)
    times = []
    try:
        group.leader()
        for _ in range(count):
            leader = group.leader()
            writer = Writer([server for server in group.servers if server is not leader])
            writer.after(0)
            time.sleep(0.3)
            leader.kill()
            killed = time.monotonic()
            times.append(writer.after(killed) - killed)
            writer.end()
            leader.start()
            time.sleep(0.2 + lease_millis / 1000)
    finally:
        group.end()
    return times


def transfers(location, folder, count, between=lambda: None):
    """GROUP TRANSFER: the longest time between two answers to a client whose server neither gives
    nor takes, and the usual one; a pair a try. `between` is called before some of them."""
    group = Group(3, location, folder, peers=True)
    times = []
    try:
        for i in range(count):
            leader = group.leader()
            if i % 5 == 0:
                between()
            time.sleep(1.2)  # until it has heard of its followers
            target, witness = [server for server in group.servers if server is not leader]
            writer = Writer([witness])
            writer.after(0)
            time.sleep(0.5)
            asked = time.monotonic()
            try:
                with leader.connect() as connection:
                    connection.call("GROUP", "TRANSFER", target.name)
            except (OSError, EOFError):
                pass  # the lead went faster than the answer
            group.leader(but=leader)
            writer.after(time.monotonic() + 0.2)
            times.append(writer.pause(asked - 0.1, time.monotonic()))
            writer.end()
    finally:
        group.end()
    return times


def cold(location, folder, lease_millis, collections=4, mebibytes=60):
    """A leader with that much in its stream, flushed nowhere, is killed, and nobody followed: until
    a write through a server that starts then is acknowledged, counted from when it listens, or
    from the end of the lease, whichever is later. And what the server says that it recovered."""
    group = Group(1, location, folder, "--lease", lease_millis, "--memory", "1600MiB")
    value = os.urandom(16 << 10)  # smaller than what goes to a blob
    try:
        leader = group.leader()
        with leader.connect() as connection:
            for number in range(collections):
                name = f"cold-{number}"
                connection.call("COLLECTION", "CREATE", name)
                assert connection.call("USE", "default", name) == "OK"
                for some in range(mebibytes * 4):
                    words = [word for key in range(16) for word in (f"{some}-{key}", value)]
                    assert connection.call("MSET", *words) == "OK"
        leader.kill()
        killed = time.monotonic()
        leader.start()
        writer = Writer(group.servers)
        seconds = writer.after(killed) - killed
        writer.end()
        said = [line for line in leader.journal.read_text().splitlines() if " recovered " in line]
    finally:
        group.end()
    return seconds, said[-1].split("recovered ", 1)[1]


def reads_here(connection, server):
    """Whether reads of the connection are answered there, and not passed on to the leader."""
    if connection.call("READONLY") != "OK":
        return False
    rows = connection.call("GROUP", "STATUS").decode().splitlines()
    return f"server:{server.name}" in rows and any(row.startswith("behind_ms:") for row in rows)


def staleness(location, folder, seconds=5):
    """How far a follower's reads are behind: age of the value found, by when its write began. None
    when followers do not answer reads."""
    group = Group(2, location, folder, peers=True)
    ages = []
    try:
        leader = group.leader()
        follower = next(server for server in group.servers if server is not leader)
        writer = Writer([leader])
        writer.after(0)
        time.sleep(3)  # until they have heard of one another
        until = time.monotonic() + seconds
        with follower.connect() as connection:
            if not reads_here(connection, follower):
                writer.end()
                return None
            while time.monotonic() < until:
                asked = time.monotonic()
                found = connection.call("GET", writer.key)
                if isinstance(found, bytes):
                    ages.append(max(asked - float(found), 0))
                time.sleep(0.002)
            assert reads_here(connection, follower)
        writer.end()
    finally:
        group.end()
    return ages
