"""The same command lines on redis-server 7.0 and on lunad: the replies are the same bytes.

The lines are in redis_commands.txt, which says how it is read. A line known to be answered
otherwise carries its reason there; when both answer the same, the reason is stale and the test
fails, too. The environment names LUNAD. Without a redis-server of 7.0 the test is skipped.
"""

import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import time
import unittest

from lunad_test import WAIT_SECONDS, Connection, ServiceTest, frame

REDIS_SERVER = shutil.which("redis-server")
TABLE = pathlib.Path(__file__).with_name("redis_commands.txt")


def redis_is_70():
    if REDIS_SERVER is None:
        return False
    said = subprocess.run([REDIS_SERVER, "--version"], capture_output=True, check=False).stdout
    return re.search(rb"v=7\.0\.", said) is not None


def table():
    """(section, line, reason or None) of every command line."""
    section, reason = "", None
    for line in TABLE.read_text().splitlines():
        if line.startswith("@"):
            section = line[1:].strip()
        elif line.startswith("!"):
            reason = line[1:].strip()
        elif line and not line.startswith("#"):
            yield section, line, reason
            reason = None


def raw_reply(file):
    """The bytes of one RESP2 reply."""
    line = file.readline()
    if not line.endswith(b"\r\n"):
        raise EOFError(line)
    size = int(line[1:-2]) if line[:1] in b"$*" else -1
    if line[:1] == b"$" and size >= 0:
        return line + file.read(size + 2)
    if line[:1] == b"*" and size >= 0:
        return line + b"".join(raw_reply(file) for _ in range(size))
    return line


@unittest.skipUnless(redis_is_70(), "needs redis-server 7.0")
class RedisCompare(ServiceTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.redis_port = self.start_redis()

    def start_redis(self):
        """A redis-server without files on a port that was free a moment ago."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [REDIS_SERVER, "--port", str(port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", str(self.directory)],
            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS).close()
                return port
            except ConnectionRefusedError:
                self.assertIsNone(process.poll(), "redis-server ended")
                self.assertLess(time.monotonic(), deadline, "redis-server does not listen")
                time.sleep(0.01)

    def test_replies_are_the_same_bytes(self):
        wrong, section, ends = [], None, []
        for name, line, reason in table():
            if name != section:
                section = name
                ends = [self.fresh(self.redis_port), self.fresh(self.port)]
            request = frame(*shlex.split(line))
            replies = []
            for end in ends:
                end.socket.sendall(request)
                replies.append(raw_reply(end.file))
            if (replies[0] == replies[1]) == (reason is not None):
                wrong.append(f"{section}: {line}\n  redis {replies[0]!r}\n  lunad {replies[1]!r}"
                             + (f"\n  stale reason: {reason}" if reason else ""))
        self.assertFalse(wrong, "%d lines:\n%s" % (len(wrong), "\n".join(wrong)))

    def fresh(self, port):
        """A connection to an empty keyspace."""
        connection = Connection(port)
        self.addCleanup(connection.close)
        self.assertEqual(connection.call("FLUSHALL"), "OK")
        return connection


if __name__ == "__main__":
    unittest.main()
