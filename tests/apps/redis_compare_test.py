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


# What a monitor sees of it. Without commands of which Luna shows more or less by design.
MONITORED = """SET a 1
get a
GET
NOSUCH x
AUTH secret
AUTH user secret
HELLO 2 SETNAME me
HELLO 2 AUTH default secret SETNAME me
HELLO 9
ACL SETUSER bob on >secret
ACL LIST
ACL WHOAMI
ACL DELUSER bob
CONFIG GET save
CLIENT LIST
CLIENT GETNAME
SLOWLOG LEN
MULTI
SET q 1
SELECT 3
INCR q
EXEC
MULTI
GET
GET q
EXEC
MULTI
SET q 2
DISCARD
WATCH q
SET q 5
MULTI
GET q
EXEC
SELECT 4
GET q
TIME
ROLE
FLUSHALL
INCR a
APPEND a x
INCR a
COMMAND COUNT
RESET
"""

ALL_RIGHTS = "ACL SETUSER bob reset on >pw ~b* +@all"
# What the user begins, what the administrator changes then, how the user goes on.
RIGHTS = (
    (["MULTI", "SET b 1", "SET x 1", "EXEC", "GET b"], [], []),
    (["MULTI", "SET b 1"], ["ACL SETUSER bob -set"], ["SET b 2", "EXEC", "GET b"]),
    (["MULTI", "SET b 1", "GET b", "GET b"], ["ACL SETUSER bob -set"], ["EXEC", "GET b"]),
    (["MULTI", "SET b 2", "GET b"], ["ACL SETUSER bob -get"], ["EXEC", "STRLEN b"]),
    (["MULTI", "SET b 3", "GET b"], ["ACL SETUSER bob resetkeys ~c"], ["EXEC"]),
    (["MULTI", "SET b 4"], ["ACL SETUSER bob -exec"], ["EXEC", "DISCARD", "GET b"]),
    (["MULTI", "CLIENT GETNAME", "SET b 5"], ["ACL SETUSER bob -client|getname"],
     ["EXEC", "GET b"]),
    (["MULTI", "SET b 6"], ["ACL SETUSER bob off"], ["EXEC", "GET b"]),
    (["WATCH b", "MULTI", "SET b 7"], ["ACL SETUSER bob -set", "SET b z"], ["EXEC", "GET b"]),
    (["MULTI", "SET b 8"], ["ACL SETUSER bob -@all"], ["EXEC", "DISCARD", "PING"]),
)


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

    def test_monitors_are_told_the_same(self):
        said = []
        for port in (self.redis_port, self.port):
            client, monitor = self.fresh(port), Connection(port)
            self.addCleanup(monitor.close)
            self.assertEqual(monitor.call("MONITOR"), "OK")
            for line in MONITORED.splitlines():
                client.socket.sendall(frame(*shlex.split(line)))
                raw_reply(client.file)
            client.socket.sendall(frame("SET", "k", b"\x00\x01\"\\\n\r\t\a\b\xff' ~\x7f"))
            client.call("ECHO", "the end")
            seen = []
            while not seen or b"the end" not in seen[-1]:
                seen.append(re.sub(rb"^\+\d+\.\d{6} \[(\d+) 127.0.0.1:\d+\]", rb"\1",
                                   monitor.file.readline()))
            said.append(seen)
        self.assertGreater(len(said[0]), 20)
        self.assertEqual(said[0], said[1])

    def test_exec_leaves_out_what_is_no_longer_allowed(self):
        said = []
        for port in (self.redis_port, self.port):
            admin, user = self.fresh(port), Connection(port)
            self.addCleanup(user.close)
            seen = []
            for begin, change, after in RIGHTS:
                for who, lines in ((admin, [ALL_RIGHTS]), (user, ["AUTH bob pw", *begin]),
                                   (admin, change), (user, after)):
                    for line in lines:
                        who.socket.sendall(frame(*shlex.split(line)))
                        seen.append((line, raw_reply(who.file)))
            said.append(seen)
        self.assertEqual(said[0], said[1])

    def fresh(self, port):
        """A connection to an empty keyspace."""
        connection = Connection(port)
        self.addCleanup(connection.close)
        self.assertEqual(connection.call("FLUSHALL"), "OK")
        return connection


if __name__ == "__main__":
    unittest.main()
