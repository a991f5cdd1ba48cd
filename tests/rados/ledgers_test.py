"""The ledgers find what they are there for: a server that loses, repeats, answers what is old, or
forgets a collection is told from an honest one. No cluster is needed.
"""

import pathlib
import socketserver
import sys
import threading
import time
import unittest

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent / "soak"))

from failover_soak import Book
from more_ledgers import Collections, Counters
from tablet_servers import Ledger
from wire import Connection, frame

EACH = 50  # so often it lies


class LyingServer:
    """A map behind RESP. lie: "lose", "forget", "stale", "repeat", "drop", or None."""

    def __init__(self, lie):
        self.lie, self.count = lie, 0
        self.values, self.before, self.collections = {}, {}, {b"0"}
        self.lock = threading.Lock()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while (line := self.rfile.readline()).startswith(b"*"):
                    words = []
                    for _ in range(int(line[1:])):
                        size = int(self.rfile.readline()[1:])
                        words.append(self.rfile.read(size + 2)[:-2])
                    with outer.lock:
                        self.wfile.write(outer.answer(words))

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_address[1]
        self.name = f"127.0.0.1:{self.port}"

    def connect(self):
        return Connection(self.port)

    def lies(self, lie):
        self.count += self.lie == lie
        return self.lie == lie and self.count % EACH == 0

    def answer(self, words):
        name = words[0]
        if name == b"MSET":
            pairs = dict(zip(words[1::2], words[2::2]))
            if self.lies("lose"):
                pairs = {key: value for key, value in pairs.items() if key.startswith(b"register")}
            self.before = {key: self.values.get(key, b"0") for key in pairs}
            self.values.update(pairs)
            return b"+OK\r\n"
        if name in (b"GET", b"MGET"):
            found = [self.values.get(key) for key in words[1:]]
            if name == b"GET" and words[1] in self.before and self.lies("stale"):
                found = [self.before[words[1]]]
            bulks = b"".join(b"$-1\r\n" if value is None else frame(value)[4:] for value in found)
            return bulks if name == b"GET" else b"*%d\r\n" % len(found) + bulks
        if name == b"INCR":
            steps = 0 if self.lies("forget") else 2 if self.lies("repeat") else 1
            self.values[words[1]] = b"%d" % (int(self.values.get(words[1], 0)) + steps)
            return b":%s\r\n" % self.values[words[1]]
        if words[1] == b"CREATE" and not self.lies("drop"):
            self.collections.add(words[2])
        elif words[1] == b"DROP":
            self.collections.discard(words[2])
        elif words[1] == b"LIST":
            return frame(*sorted(self.collections))
        return b"+OK\r\n"


class LedgersTest(unittest.TestCase):

    def problems(self, lie, ledger_class, seconds=0.5):
        """What is found in so long, of a server with that habit."""
        server = LyingServer(lie)
        self.addCleanup(server.server.server_close)
        self.addCleanup(server.server.shutdown)
        if ledger_class is Ledger:
            ledger = Ledger([server], writers=1, readers=1)
        elif ledger_class is Collections:
            ledger = Collections([server], pause_seconds=0)
        else:
            ledger = ledger_class([server])
        if not isinstance(ledger, Ledger):
            ledger.start()
        time.sleep(seconds)
        ledger.end()
        if isinstance(ledger, Ledger):
            self.assertGreater(len(ledger.kept), EACH)
            self.assertGreater(ledger.reads, EACH)
            return ledger.problems, ledger.missing()
        return ledger.judge()

    def test_honest_servers_are_found_honest(self):
        self.assertEqual(self.problems(None, Ledger), ([], []))
        self.assertEqual(self.problems(None, Counters), [])
        self.assertEqual(self.problems(None, Collections), [])

    def test_lost_writes_are_found(self):
        problems, missing = self.problems("lose", Ledger)
        self.assertEqual(problems, [])
        self.assertNotEqual(missing, [])

    def test_stale_reads_are_found(self):
        problems, missing = self.problems("stale", Ledger)
        self.assertEqual(missing, [])
        self.assertTrue(problems and all(", from " in problem for problem in problems), problems)

    def test_increments_that_are_repeated_or_lost_are_found(self):
        for lie in ("repeat", "forget"):
            self.assertNotEqual(self.problems(lie, Counters), [], lie)

    def test_lost_collections_are_found(self):
        self.assertTrue(any("is gone" in problem for problem in self.problems("drop", Collections)))

    def test_the_book_of_the_soak_finds_the_same(self):
        for lie in (None, "lose"):
            server = LyingServer(lie)
            self.addCleanup(server.server.server_close)
            self.addCleanup(server.server.shutdown)
            book = Book([server])
            book.resumed(time.monotonic() + 0.5)
            book.end()
            self.assertEqual(book.problems, [])
            self.assertEqual(book.lost(list(book.order)) != [], lie is not None)


if __name__ == "__main__":
    unittest.main()
