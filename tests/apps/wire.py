"""RESP over a plain socket: requests as bytes, replies one by one. Pipelines are the caller's.

The tests of the programs and the soak use it.
"""

import socket

WAIT_SECONDS = 60


class Refusal(str):
    """An error reply, as a value: a pipeline goes on behind it."""


def frame(*words):
    """A request in the array form."""
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Connection:
    """A blocking connection. Its end, in whatever way, is an OSError or an EOFError."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, content):
        self.socket.sendall(content)

    def call(self, *words):
        self.send(frame(*words))
        return self.reply()

    def reply(self):
        """The next one; an error reply is a Refusal."""
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("the connection ended")
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            if rest == b"-1":
                return None
            value = self.file.read(int(rest) + 2)
            if len(value) != int(rest) + 2:
                raise EOFError("the connection ended in a reply")
            return value[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [Connection.reply(self) for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        if kind == b"-":
            return Refusal(rest.decode())
        if kind == b"+":
            return rest.decode()
        raise AssertionError(f"no reply of RESP: {line[:80]!r}")
