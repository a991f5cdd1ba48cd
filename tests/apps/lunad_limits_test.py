"""lunad against hostile and numerous clients: whatever one of them does, the others are answered,
memory stays bounded, and what was acknowledged is there afterwards.

The environment names the program: LUNAD.
"""

import os
import pathlib
import random
import re
import resource
import socket
import struct
import threading
import time
import unittest

import wire
from lunad_test import Connection, Failure, ServiceTest
from wire import WAIT_SECONDS, Refusal, frame

KIB, MIB = 1 << 10, 1 << 20
IDLE_CLIENTS = 10_000
SPARE_FILES = 300
IDLE_BYTES = 7 * KIB  # what an idle connection may cost, resident
SETTLE_SECONDS = 15
PATIENCE_SECONDS = 8  # others never wait longer, on a loaded machine too
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close sends a reset


class LimitsTest(ServiceTest):
    def resident(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * KIB

    def raw(self, *content):
        """A socket that sent this; its end is read with rest()."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS)
        self.addCleanup(raw.close)
        raw.sendall(b"".join(content))
        return raw

    @staticmethod
    def rest(raw):
        """What comes until the end, however the connection ends."""
        got = bytearray()
        try:
            while piece := raw.recv(MIB):
                got += piece
        except ConnectionError:
            pass
        return bytes(got)

    def wire(self):
        """A connection whose error replies are values."""
        connection = wire.Connection(self.port)
        self.addCleanup(connection.close)
        return connection

    def wait_until(self, holds, what, seconds=WAIT_SECONDS):
        deadline = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)

    def clients(self, connection):
        return connection.call("CLIENT", "LIST").decode().count("\n")

    def told(self, event, reason=""):
        """Whether the log tells of the event."""
        return re.search(f"WARNING {event} .*{reason}", self.errors.read_text()) is not None


class Bystander(threading.Thread):
    """A well-behaved client beside hostile ones: writes, reads back, measures the longest wait."""

    def __init__(self, port, may_be_refused=False):
        super().__init__()
        self.connection = wire.Connection(port)
        self.may_be_refused = may_be_refused  # BUSY; what was refused was not done
        self.ended = threading.Event()
        self.longest, self.rounds, self.trouble = 0.0, 0, None

    def __enter__(self):
        self.start()
        return self

    def run(self):
        try:
            while not self.ended.wait(0.002):
                begun = time.monotonic()
                self.round()
                self.longest = max(self.longest, time.monotonic() - begun)
        except (AssertionError, EOFError, OSError) as trouble:
            self.trouble = trouble

    def round(self):
        reply = self.connection.call("INCR", "bystander")
        if not (self.may_be_refused and isinstance(reply, Refusal) and reply.startswith("BUSY ")):
            self.rounds += 1
            if reply != self.rounds:
                raise AssertionError(f"{reply} is not {self.rounds}")
        found = self.connection.call("GET", "bystander")
        if self.rounds and found != str(self.rounds).encode():
            raise AssertionError(f"{found} is not {self.rounds}")

    def __exit__(self, *_):
        self.ended.set()
        self.join()
        self.connection.close()
        if self.trouble:
            raise self.trouble
        if not self.rounds or self.longest > PATIENCE_SECONDS:
            raise AssertionError(f"{self.rounds} rounds, the longest {self.longest:.1f} s")


class Frames(LimitsTest):
    def setUp(self):
        super().setUp()
        self.start()

    def test_oversized_frames_are_refused_by_their_headers(self):
        other = self.connect()
        for text, error in (
                (b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870913\r\n", b"invalid bulk length"),
                (b"*1048577\r\n", b"invalid multibulk length"),
                (b"*9223372036854775808\r\n", b"invalid multibulk length"),
                (b"*1\r\n$9223372036854775807\r\n", b"invalid bulk length"),
                (b"*1\r\n$-9223372036854775808\r\n", b"invalid bulk length"),
                (b"*1\r\n$" + b"1" * 70_000, b"too big bulk count string"),
                (b"*" + b"1" * 70_000, b"too big mbulk count string"),
                (b"GET " + b"k" * 70_000, b"too big inline request")):
            answer = self.rest(self.raw(text))
            self.assertRegex(answer, rb"^-ERR Protocol error: " + error + rb"\r\n$", text[:40])
            self.assertEqual(other.call("PING"), "PONG")

    def test_malformed_frames_end_their_connection_only(self):
        other = self.connect()
        for text in (b"*\r\n", b"*x\r\n", b"* 1\r\n", b"*+1\r\n", b"*01\r\n$4\r\nPING\r\n",
                     b"*1\r\n$-1\r\n", b"*1\r\n$04\r\nPING\r\n", b"*1\r\n:4\r\n",
                     b"*1\r\n*1\r\n$4\r\nPING\r\n", b"*2\r\n$4\r\nECHO\r\nvalue\r\n",
                     b"GET 'k\r\n", b'GET "k"k\r\n', b"*1\r\n\x00\r\n", b"*1\r\n\r\n"):
            answer = self.rest(self.raw(frame("PING"), text, frame("SET", "k", "v") * 3))
            self.assertRegex(answer, rb"^\+PONG\r\n-ERR Protocol error: [^\r\n]*\r\n$", text)
            self.assertEqual(other.call("PING"), "PONG")
        self.assertIsNone(other.call("GET", "k"))  # nothing behind the error ran

    def test_wrong_line_ends_are_no_way_in(self):
        # A bulk that is not followed by a line end is taken by its length, as Redis does.
        raw = self.raw(b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n\r\n\n\r\n*0\r\n*-1\r\nPING\n")
        raw.shutdown(socket.SHUT_WR)
        self.assertEqual(self.rest(raw), b"+PONG\r\n" * 3)

    def test_noise_breaks_nothing(self):
        chance = random.Random(7)
        words = [b"*3\r\n", b"$3\r\n", b"SET", b"GET", b"\r\n", b"k", b"$-1\r\n", b"*1\r\n", b"\0",
                 b"MULTI\r\n", b"EXEC\r\n", b"'", b'"', b"$4\r\nPING\r\n", b"BEGIN\r\n",
                 b"\xff\xfe"]
        with Bystander(self.port):
            for turn in range(300):
                noise = (chance.randbytes(chance.randrange(1, 3000)) if turn % 2 else
                         b"".join(chance.choices(words, k=chance.randrange(1, 60))))
                raw = self.raw(noise)
                raw.shutdown(socket.SHUT_WR)
                for line in self.rest(raw).split(b"\r\n")[:1]:
                    self.assertRegex(line, rb"^([-+:$*].*)?$", noise)
                raw.close()
        self.wait_until(lambda: self.clients(self.connect()) < 20, "connections stay open")

    def test_promises_take_no_memory(self):
        other = self.connect()
        before = self.resident()
        promise = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc"
        promising = [self.raw(promise) for _ in range(200)]
        promising += [self.raw(b"*1048576\r\n$3\r\nDEL\r\n") for _ in range(200)]
        self.wait_until(lambda: self.clients(other) == 401, "they are not there")
        self.assertEqual(other.call("PING"), "PONG")
        self.assertLess(self.resident() - before, 16 * MIB)

    def test_requests_byte_by_byte(self):
        request = frame("SET", "slow", "value") + frame("GET", "slow")
        slow = [self.raw() for _ in range(50)]
        with Bystander(self.port):
            for i in range(len(request)):
                for raw in slow:
                    raw.sendall(request[i:i + 1])
        for raw in slow:
            raw.shutdown(socket.SHUT_WR)
            self.assertEqual(self.rest(raw), b"+OK\r\n$5\r\nvalue\r\n")

    def test_strangers_may_send_little(self):
        self.end()
        self.start(environment={"LUNA_PASSWORD": "secret"})
        for text, error in ((b"*11\r\n", b"unauthenticated multibulk length"),
                            (b"*2\r\n$4\r\nAUTH\r\n$16385\r\n", b"unauthenticated bulk length")):
            self.assertEqual(self.rest(self.raw(text)), b"-ERR Protocol error: " + error + b"\r\n")


class Vanishing(LimitsTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.other = self.connect()

    def test_half_closed_clients_hear_every_answer(self):
        self.other.call("SET", "large", b"v" * 300_000)
        raw = self.raw(frame("SET", "k", "1"), frame("INCR", "k"), frame("GET", "large") * 20,
                       frame("MULTI"), frame("INCR", "k"), frame("EXEC"), frame("VERIFY"),
                       frame("INCR", "k"), frame("SET", "half", "v")[:-3])
        raw.shutdown(socket.SHUT_WR)
        answer = self.rest(raw)
        self.assertTrue(answer.startswith(b"+OK\r\n:2\r\n$300000\r\nvvv"))
        self.assertTrue(answer.endswith(b":4\r\n"), answer[-100:])
        self.assertEqual(answer.count(b"$300000\r\n"), 20)
        self.assertIsNone(self.other.call("GET", "half"))
        self.wait_until(lambda: self.clients(self.other) == 1, "it is still there")

    def test_resets_at_every_moment(self):
        self.other.call("SET", "large", b"v" * MIB)
        moments = [frame("GET", "large") * 5, frame("SET", "k", b"v" * 100_000)[:-70_000],
                   frame("MULTI") + frame("SET", "lost", "v"), b"*2\r\n$3\r\nGE", b"",
                   frame("BEGIN") + frame("SET", "lost", "v"), frame("WATCH", "large"),
                   frame("SET", "written", "v") * 500, frame("VERIFY"),
                   frame("CLIENT", "REPLY", "OFF") + frame("INCR", "n") * 10]
        with Bystander(self.port):
            for _ in range(30):
                for moment in moments:
                    raw = self.raw(moment)
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    raw.close()
        self.wait_until(lambda: self.clients(self.other) == 1, "connections stay open")
        self.assertEqual(self.other.call("EXISTS", "lost", "k"), 0)
        self.assertEqual(self.other.call("STRLEN", "large"), MIB)
        self.wait_until(lambda: b"luna_open_snapshots:0" in self.other.call("INFO"),
                        "transactions stay open")

    def test_idle_transaction_is_rolled_back_though_its_client_stays(self):
        mine = self.connect()
        mine.call("BEGIN", "TIMEOUT", "300")
        mine.call("SET", "k", "v")
        self.assertIn(b"luna_open_snapshots:1", self.other.call("INFO"))
        self.wait_until(lambda: b"luna_open_snapshots:0" in self.other.call("INFO"),
                        "the transaction stays open", SETTLE_SECONDS)
        with self.assertRaisesRegex(Failure, "^TXNTIMEOUT transaction [0-9]+ was rolled back"):
            mine.call("GET", "k")
        self.assertEqual(mine.call("ROLLBACK"), "OK")
        self.assertIsNone(mine.call("GET", "k"))


class SlowReaders(LimitsTest):
    def setUp(self):
        super().setUp()
        self.start("--output-soft", "64KiB", "--output-hard", "4MiB", "--stuck-seconds", "1")
        self.other = self.connect()
        self.other.call("SET", "large", b"v" * 100_000)

    def test_reply_beyond_the_limit_cuts_its_client_off(self):
        self.other.call("SET", "huge", b"v" * (5 * MIB))
        with Bystander(self.port):
            self.assertNotIn(b"v", self.rest(self.raw(frame("PING"), frame("GET", "huge"))))
        self.assertEqual(self.other.call("STRLEN", "huge"), 5 * MIB)
        self.assertTrue(self.told("client-cut-off", "reason=output-hard"))

    def test_who_does_not_read_is_not_read_from_and_then_cut_off(self):
        before = self.resident()
        stuck = []
        for _ in range(20):
            raw = self.raw()
            raw.setblocking(False)
            stuck.append(raw)
        request = frame("GET", "large") * 100
        with Bystander(self.port):
            for raw in stuck:
                try:
                    while raw.send(request) == len(request):
                        pass
                except BlockingIOError:
                    pass
            self.assertLess(self.resident() - before, 64 * MIB)
            self.wait_until(lambda: self.clients(self.other) == 2, "they stay", SETTLE_SECONDS)
        self.assertTrue(self.told("client-cut-off", "reason=stuck-seconds"))

    def test_who_reads_slowly_gets_everything(self):
        raw = self.raw(frame("GET", "large") * 100)
        raw.shutdown(socket.SHUT_WR)
        got, begun = 0, time.monotonic()
        while piece := raw.recv(128 * KIB):
            got += len(piece)
            time.sleep(0.02)
        self.assertEqual(got, 100 * len(b"$100000\r\n" + b"v" * 100_000 + b"\r\n"))
        self.assertGreater(time.monotonic() - begun, 1)  # longer than one may be stuck


class Greed(LimitsTest):
    """What one client, or many, can make lunad hold."""

    HARD = 8 * MIB

    def setUp(self):
        super().setUp()
        self.start("--output-soft", "64KiB", "--output-hard", f"{self.HARD // MIB}MiB",
                   "--memory", "64MiB")
        self.other = self.connect()
        self.other.call("SET", "large", b"v" * MIB)
        self.before = self.resident()

    def assert_bounded(self, most):
        """So much more than at the start, beside what the engine's budget permits."""
        self.assertLess(self.resident() - self.before, most + 64 * MIB)

    def ask_for_too_much(self, asking):
        for words in (("MGET", *["large"] * 100_000), ("MGET", *["large"] * 20)):
            self.assertRegex(asking.call(*words), "^TOOLARGE the reply would have more than")
        self.assertEqual(asking.call("MULTI"), "OK")
        asking.send((frame("GET", "large") + frame("SET", "never", "v")) * 5000)
        for _ in range(10_000):
            self.assertEqual(asking.reply(), "QUEUED")
        self.assertRegex(asking.call("EXEC"), "^TOOLARGE its replies would have more than")
        self.assertRegex(asking.call("KEYS", "*"), "^TOOLARGE there are more keys")
        for words in (("SCAN", "0", "COUNT", "1000000000"),
                      ("RANGE", "-", "+", "LIMIT", "1000000000", "BYTES", "1000000000000")):
            cursor, page = asking.call(*words)
            self.assertNotIn(cursor, (b"", b"0"))
            self.assertLess(sum(map(len, page)), self.HARD)

    def test_replies_that_grow_with_what_is_stored_end_in_time(self):
        asking = self.wire()
        with Bystander(self.port):
            for i in range(200):
                asking.send(frame("SET", "k" * 30_000 + str(i), b"v" * 20_000))
                self.assertEqual(asking.reply(), "OK")
            self.ask_for_too_much(asking)
            self.assert_bounded(4 * self.HARD)
            for _ in range(9):  # what the allocator keeps of it does not add up
                self.ask_for_too_much(asking)
        self.assertEqual(self.other.call("EXISTS", "never"), 0)
        self.wait_until(lambda: self.resident() - self.before < 6 * self.HARD,
                        "memory of replies stays", SETTLE_SECONDS)
        print(f"resident after it: {self.resident() / MIB:.0f} MiB")

    def test_pipeline_of_writes_with_large_replies(self):
        raw = self.raw(frame("GETEX", "large", "PERSIST") * 500 + frame("SET", "behind", "v"))
        with Bystander(self.port):
            self.assertLessEqual(len(self.rest(raw)), self.HARD)
        self.assert_bounded(4 * self.HARD)
        self.assertEqual(self.other.call("EXISTS", "behind"), 0)
        self.assertEqual(self.other.call("STRLEN", "large"), MIB)

    def test_many_watched_keys_cost_no_more_than_they_are(self):
        watching = self.wire()
        keys = [f"watched-{i}" for i in range(100_000)]
        with Bystander(self.port):
            for _ in range(3):
                self.assertEqual(watching.call("WATCH", *keys), "OK")
        self.other.call("SET", keys[-1], "v")
        watching.send(frame("MULTI") + frame("SET", "never", "v") + frame("EXEC"))
        self.assertEqual([watching.reply() for _ in range(3)], ["OK", "QUEUED", None])

    def test_all_clients_together_hold_a_bounded_amount_of_replies(self):
        self.other.call("SET", "larger", b"v" * (6 * MIB))
        greedy = [self.raw() for _ in range(60)]
        with Bystander(self.port):
            for raw in greedy:
                raw.sendall(frame("GET", "larger") * 2)
            self.wait_until(lambda: self.told("client-cut-off", "reason=clients-hold-much"),
                            "nobody was cut off", SETTLE_SECONDS)
            self.assert_bounded(4 * self.HARD + 6 * MIB)

    def test_all_clients_together_hold_a_bounded_amount_of_requests(self):
        half = frame("SET", "never", b"v" * (6 * MIB))[:-MIB]
        greedy = [self.raw() for _ in range(60)]
        with Bystander(self.port):
            for raw in greedy:
                try:
                    raw.sendall(half)
                except ConnectionError:
                    pass  # cut off
            self.wait_until(lambda: self.told("client-cut-off", "reason=clients-hold-much"),
                            "nobody was cut off", SETTLE_SECONDS)
            self.assert_bounded(4 * self.HARD + 6 * MIB)

    def test_queues_of_multi_count_too(self):
        greedy = [self.wire() for _ in range(10)]
        request = frame("SET", "never", b"v" * MIB)
        with Bystander(self.port):
            for connection in greedy:
                try:
                    connection.call("MULTI")
                    for _ in range(6):
                        connection.send(request)
                        connection.reply()
                except (EOFError, ConnectionError):
                    pass  # cut off
            self.assertTrue(self.told("client-cut-off", "reason=clients-hold-much"))
            self.assert_bounded(4 * self.HARD + 6 * MIB)
        self.assertEqual(self.other.call("EXISTS", "never"), 0)

    def test_names_are_short(self):
        connection = self.wire()
        name = "n" * MIB
        for words in (("CLIENT", "SETNAME", name), ("CLIENT", "SETINFO", "LIB-NAME", name),
                      ("HELLO", "2", "SETNAME", name), ("SNAPSHOT", "CREATE", name)):
            self.assertRegex(connection.call(*words), "^TOOLARGE a name has at most 1024 bytes$")
        connection.call("BEGIN")
        self.assertRegex(connection.call("SAVEPOINT", name), "^TOOLARGE a name has at most")


class Numbers(LimitsTest):
    def start_many(self, *words):
        """Starts lunad for very many; how many idle clients the hard limit permits."""
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        wanted, hard = IDLE_CLIENTS + SPARE_FILES, before[1]
        if hard != resource.RLIM_INFINITY and hard < wanted + 1024:
            wanted = hard - 1024
            print(f"only {wanted - SPARE_FILES} idle clients: the hard limit is {hard} files")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, before[0]), hard))
        self.start("--maxclients", str(wanted), *words)
        return wanted - SPARE_FILES

    def assert_cheap(self, before, count, when):
        cost = (self.resident() - before) / count
        self.assertLessEqual(cost, IDLE_BYTES, f"resident bytes of an idle connection, {when}")

    def test_ten_thousand_idle_clients(self):
        count = self.start_many()
        other = self.connect()
        other.call("SET", "k", "v")
        before = self.resident()
        with Bystander(self.port):
            idle = [self.raw() for _ in range(count)]
            for raw in idle:
                raw.sendall(b"PING\r\n")
            for raw in idle:
                self.assertEqual(raw.recv(100), b"+PONG\r\n")
            self.assert_cheap(before, count, "when they had pinged")
        self.wait_until(lambda: self.clients(other) == count + 1, "not all are there")
        self.assertEqual(other.call("GET", "k"), b"v")
        for raw in idle[::7]:  # still alive
            raw.sendall(frame("GET", "k"))
            self.assertEqual(raw.recv(100), b"$1\r\nv\r\n")
        self.busy_for_a_moment(idle)
        self.wait_until(lambda: self.resident() - before <= count * IDLE_BYTES,
                        "memory of a busy moment stays", SETTLE_SECONDS)
        for raw in idle:
            raw.close()
        self.wait_until(lambda: self.clients(other) == 1, "they are still there")

    def busy_for_a_moment(self, clients):
        for request, answer in ((frame("SET", "busy", b"v" * 15_000), b"+OK\r\n"),
                                (frame("GET", "busy"), b"$15000\r\n" + b"v" * 15_000 + b"\r\n")):
            for raw in clients:
                raw.sendall(request)
            for raw in clients:
                self.assertEqual(raw.recv(len(answer), socket.MSG_WAITALL), answer)

    def test_greatest_number_of_clients(self):
        self.start("--maxclients", "20")
        there = [self.connect() for _ in range(20)]
        for connection in there:
            self.assertEqual(connection.call("PING"), "PONG")
        for _ in range(200):
            self.assertIn(self.rest(self.raw(frame("PING"))),
                          (b"-ERR max number of clients reached\r\n", b""))
        for connection in there:
            self.assertEqual(connection.call("PING"), "PONG")
        there.pop().close()
        self.wait_until(lambda: self.clients(there[0]) == 19, "it is still there")
        self.assertEqual(self.connect().call("PING"), "PONG")

    def test_idle_clients_are_closed_and_busy_ones_are_not(self):
        self.start("--timeout", "1")
        idle = [self.connect() for _ in range(50)]
        idle[0].call("BEGIN")
        idle[0].call("SET", "k", "v")
        idle[1].socket.sendall(b"*1\r\n$4\r\nPI")  # half a request is none
        with Bystander(self.port):
            for connection in idle:
                with self.assertRaises((EOFError, OSError)):
                    connection.reply()
        self.assertIsNone(self.connect().call("GET", "k"))


class Passwords(LimitsTest):
    def guess(self, *words):
        """How long the answer to a wrong password takes."""
        with Connection(self.port) as connection:
            begun = time.monotonic()
            with self.assertRaisesRegex(Failure, "^WRONGPASS"):
                connection.call("AUTH", *words)
            return time.monotonic() - begun

    def test_wrong_ones_wait_whatever_they_are_and_harm_nobody(self):
        self.start(environment={"LUNA_PASSWORD": "secret"})
        friend = self.connect()
        self.assertEqual(friend.call("AUTH", "secret"), "OK")
        self.assertGreaterEqual(self.guess("guess"), 0.19)
        self.assertGreaterEqual(self.guess("nobody", "guess"), 0.39)
        self.assertGreaterEqual(self.guess("secre"), 0.79)
        begun = time.monotonic()
        many = [self.raw(frame("AUTH", "g" * length)) for length in (0, 1, 6, 7, 1000, 16_000) * 20]
        longest = 0
        while time.monotonic() - begun < 1:
            asked = time.monotonic()
            self.assertEqual(friend.call("PING"), "PONG")
            longest = max(longest, time.monotonic() - asked)
        self.assertLess(longest, 1.5)  # not held up as long as they
        for raw in many:
            self.assertTrue(raw.recv(100).startswith(b"-WRONGPASS"))
        waited = time.monotonic() - begun
        self.assertGreaterEqual(waited, 1.59)
        self.assertLess(waited, 10)  # the longest wait, however many guess
        self.assertGreaterEqual(self.guess("secreT"), 1.99)

    def test_pipelined_guesses_wait_one_after_the_other(self):
        self.start(environment={"LUNA_PASSWORD": "secret"})
        raw = self.raw(*(frame("AUTH", f"guess{i}") for i in range(3)), frame("GET", "k"))
        raw.shutdown(socket.SHUT_WR)
        begun = time.monotonic()
        answer = self.rest(raw).split(b"\r\n")
        self.assertGreaterEqual(time.monotonic() - begun, 1.39)  # 0.2 + 0.4 + 0.8
        self.assertEqual([line[:10] for line in answer], [b"-WRONGPASS"] * 3 + [b"-NOAUTH Au", b""])


class Writing(LimitsTest):
    def test_full_queue_answers_busy_and_loses_nothing(self):
        self.start("--queue-limit", "4")
        writers = [self.wire() for _ in range(60)]
        slow = self.wire()
        written, refused = {}, []
        for turn in range(WAIT_SECONDS):
            slow.send(frame("SETRANGE", "large", 32 * MIB, turn))  # keeps the writer for a while
            for i, writer in enumerate(writers):
                writer.send(frame("SET", f"k-{turn}-{i}", i))
            for i, writer in enumerate(writers):
                reply = writer.reply()
                if reply == "OK":
                    written[f"k-{turn}-{i}"] = str(i).encode()
                else:
                    self.assertRegex(reply, "^BUSY Luna is behind with writes; try again later$")
                    refused.append(f"k-{turn}-{i}")
            slow.reply()  # or is refused
            if refused and written:
                break
        self.assertTrue(refused and written, (len(refused), len(written)))
        other = self.connect()
        for name, value in written.items():
            self.assertEqual(other.call("GET", name), value)
        self.assertEqual(other.call("EXISTS", *refused), 0)
        for i, writer in enumerate(writers):  # nobody is the worse for it
            self.assertEqual(writer.call("SET", f"again-{i}", i), "OK")
        self.assertTrue(self.told("queue-full"))

    def slow_the_background(self):
        """Lets flushes and compaction have only what the other threads leave of one processor."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        processor = min(os.sched_getaffinity(0))
        for task in tasks.iterdir():
            os.sched_setaffinity(int(task.name), {processor})
            if (task / "comm").read_text().startswith(("luna-flush", "luna-work")):
                os.sched_setscheduler(int(task.name), os.SCHED_IDLE, os.sched_param(0))

    def test_flood_is_held_back_then_refused_and_memory_stays_bounded(self):
        self.start("--memory", "64MiB", "--queue-limit", "4")
        self.slow_the_background()
        enough = threading.Event()
        writers = [Flooder(self.port, number, enough) for number in range(12)]
        peak = 0
        with Bystander(self.port, may_be_refused=True):
            for writer in writers:
                writer.start()
            begun = time.monotonic()
            while any(writer.is_alive() for writer in writers):
                peak = max(peak, self.resident())
                seconds = time.monotonic() - begun
                if seconds > 3 and self.told("writes-held-back") or seconds > 20:
                    enough.set()
                time.sleep(0.05)
        for writer in writers:
            self.assertIsNone(writer.trouble)
            self.assertLess(writer.longest, 20)
            self.assertGreater(len(writer.written), 0)
        self.assertTrue(self.told("writes-held-back", "cause=memtables"))
        self.assertTrue(self.told("queue-full"))
        self.assertGreater(sum(writer.refused for writer in writers), 0)
        # The engine's budget, what the program itself takes, and two requests of each writer.
        self.assertLess(peak, (64 + 32) * MIB + len(writers) * 2 * Flooder.BYTES)
        self.check(writers)
        self.end()
        self.start("--memory", "64MiB")
        self.check(writers)

    def check(self, writers):
        connection = self.wire()
        for writer in writers:
            for name, size in writer.written.items():
                self.assertEqual(connection.call("STRLEN", name), size, name)
            for name in list(writer.written)[-3:]:
                value = connection.call("GET", name)
                self.assertEqual(value, writer.content[:writer.written[name]], name)


class Flooder(threading.Thread):
    """Writes values of all sizes as fast as it is let; remembers what was acknowledged."""

    BYTES = 2 * MIB  # the largest

    def __init__(self, port, number, enough):
        super().__init__()
        self.port, self.number, self.enough = port, number, enough
        self.chance = random.Random(number)
        self.content = self.chance.randbytes(self.BYTES)
        self.rounds = 0
        self.written, self.refused, self.longest, self.trouble = {}, 0, 0.0, None

    def run(self):
        try:
            with wire.Connection(self.port) as connection:
                while not self.enough.is_set():
                    self.round(connection)
        except (AssertionError, EOFError, OSError) as trouble:
            self.trouble = trouble

    def round(self, connection):
        sizes = self.chance.choices((1000, 60_000, 60_000, 65_000), k=15)
        sizes.append(self.BYTES if self.chance.random() < 0.05 else 10)
        names = [f"f-{self.number}-{self.rounds}-{i}" for i in range(len(sizes))]
        self.rounds += 1
        begun = time.monotonic()
        connection.send(b"".join(frame("SET", name, self.content[:size])
                                 for name, size in zip(names, sizes)))
        for name, size in zip(names, sizes):
            reply = connection.reply()
            if reply == "OK":
                self.written[name] = size
            elif isinstance(reply, Refusal) and reply.split()[0] in ("BUSY", "BUSYWRITE", "OOM"):
                self.refused += 1
            else:
                raise AssertionError(reply)
        self.longest = max(self.longest, time.monotonic() - begun)


if __name__ == "__main__":
    unittest.main()
