"""Ledger writers: each owns keys, and knows of each what was sent and what was acknowledged."""

import random
import socket
import threading
import time

KEYS = 2000
BATCH = 100
PAIRS = 50  # pairs of keys that are written in one MULTI and must always be equal


def request(*words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


class Line:
    """A connection: requests out, replies in."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server went away")
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            if rest == b"-1":
                return None
            body = self.file.read(int(rest) + 2)
            if len(body) != int(rest) + 2:
                raise ConnectionError("the server went away")
            return body[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        return line[:-2] if kind in b"+-" else int(rest)

    def close(self):
        self.file.close()
        self.socket.close()


class LedgerWriter(threading.Thread):
    def __init__(self, number, soak):
        super().__init__(daemon=True)
        self.number = number
        self.soak = soak
        self.random = random.Random(number * 7919 + soak.options.seed)
        self.sent = [0] * KEYS     # the highest number that was sent for a key
        self.known = [0] * KEYS    # the highest that was acknowledged
        self.pair_sent = [0] * PAIRS
        self.pair_known = [0] * PAIRS
        self.acknowledged = 0
        self.verified = 0
        self.waits = []

    def key(self, i):
        return b"ledger:%d:%d" % (self.number, i)

    def pair(self, i):
        return b"pair:%d:%d:a" % (self.number, i), b"pair:%d:%d:b" % (self.number, i)

    def run(self):
        while not self.soak.stop.is_set():
            if not self.soak.up.wait(1):
                continue
            try:
                self.verify()
                line = Line(self.soak.server.port)
                try:
                    while not self.soak.stop.is_set():
                        self.write_batch(line)
                        self.write_pair(line)
                        self.read_one(line)
                finally:
                    line.close()
            except (OSError, ValueError):
                time.sleep(0.05)  # killed; the ledger stays

    def write_batch(self, line):
        chosen = [self.random.randrange(KEYS) for _ in range(BATCH)]
        numbers = []
        data = []
        for i in chosen:
            self.sent[i] += 1
            numbers.append(self.sent[i])
            data.append(request(b"SET", self.key(i), b"%d:" % self.sent[i] + b"x" * (i % 200)))
        begun = time.monotonic()
        line.send(b"".join(data))
        for i, number in zip(chosen, numbers):
            answer = line.reply()
            if answer == b"+OK":
                self.known[i] = max(self.known[i], number)
                self.acknowledged += 1
            elif not answer.startswith((b"-BUSY", b"-OOM")):
                self.soak.fail(f"SET answered {answer!r}")
        if len(self.waits) < 1_000_000:
            self.waits.append(time.monotonic() - begun)

    def write_pair(self, line):
        i = self.random.randrange(PAIRS)
        self.pair_sent[i] += 1
        number = b"%d" % self.pair_sent[i]
        one, other = self.pair(i)
        line.send(request(b"MULTI") + request(b"SET", one, number) +
                  request(b"SET", other, number) + request(b"EXEC"))
        answer = [line.reply() for _ in range(4)][3]
        if answer == [b"+OK", b"+OK"]:
            self.pair_known[i] = self.pair_sent[i]
            self.acknowledged += 2
        elif not (isinstance(answer, bytes) and answer.startswith((b"-BUSY", b"-OOM"))):
            self.soak.fail(f"EXEC answered {answer!r}")

    def read_one(self, line):
        i = self.random.randrange(KEYS)
        line.send(request(b"GET", self.key(i)))
        self.judge(i, line.reply())

    def judge(self, i, value):
        found = 0 if value is None else int(value.split(b":")[0])
        if not self.known[i] <= found <= self.sent[i]:
            self.soak.fail(f"{self.key(i).decode()} holds {found}; {self.known[i]} was "
                           f"acknowledged, {self.sent[i]} sent")
        elif value is not None and value != b"%d:" % found + b"x" * (i % 200):
            self.soak.fail(f"{self.key(i).decode()} holds bytes that were never sent")
        else:
            self.known[i] = found  # seen: it must not go away again
        self.verified += 1

    def verify(self):
        """All keys, as after a restart."""
        line = Line(self.soak.server.port)
        try:
            line.send(request(b"MGET", *[self.key(i) for i in range(KEYS)]))
            for i, value in enumerate(line.reply()):
                self.judge(i, value)
            for i in range(PAIRS):
                line.send(request(b"MGET", *self.pair(i)))
                one, other = line.reply()
                found = int(one or b"0")
                if one != other or not self.pair_known[i] <= found <= self.pair_sent[i]:
                    self.soak.fail(f"pair {i} holds {one!r} and {other!r}; "
                                   f"{self.pair_known[i]} was acknowledged, "
                                   f"{self.pair_sent[i]} sent")
                self.pair_known[i] = max(self.pair_known[i], found)
        finally:
            line.close()
