"""Ledgers beside that of tablet_servers: of increments, which must not count twice, and of
collections, which are edits of a manifest; and load that makes servers flush and compact.
"""

import os
import threading
import time

from tablet_servers import REFUSALS, WAIT_SECONDS, Client, Refusal


class Workers:
    """Threads that call self.work(client, number) until end(). problems: what must not be."""

    def __init__(self, servers, count):
        self.servers, self.problems = servers, []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(i,)) for i in range(count)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def end(self):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number):
        client = Client(self.servers, number)
        while not self._over.is_set():
            reply = self.work(client, number)
            if isinstance(reply, Refusal):
                if reply.split()[0] not in REFUSALS:
                    self.problems.append(f"{type(self).__name__} was answered: {reply}")
                client.close()
                time.sleep(0.02)
        client.close()

    def work(self, client, number):
        raise NotImplementedError

    def ask(self, *words):
        """An answer, for certain; after what was here ended."""
        client = Client(self.servers, 0)
        deadline = time.monotonic() + WAIT_SECONDS
        reply = None
        while time.monotonic() < deadline:
            reply = client.call(*words)
            if isinstance(reply, Refusal) and reply.split()[0] in REFUSALS:
                client.close()
                time.sleep(0.05)
            elif reply is not None or client.connection is not None:
                break
        client.close()
        return reply


class Counters(Workers):
    """Each counts a counter up by INCR, and never repeats one itself: an answer is one more than
    the answer before. Where an INCR has an unknown outcome, which it may have at any time after,
    its counter is left with that one in doubt, and a new one is begun."""

    def __init__(self, servers, count=2):
        super().__init__(servers, count)
        self.counters = [(f"counter-{i}-0", 0) for i in range(count)]  # newest answer
        self.left = {}  # counter: its newest answer
        self.begun = count  # counters
        self.answers = 0

    def work(self, client, number):
        counter, before = self.counters[number]
        reply = client.call("INCR", counter)
        if isinstance(reply, int):
            if reply != before + 1:
                self.problems.append(f"{counter} was answered with {reply} after {before}")
            self.counters[number] = (counter, reply)
            self.answers += 1
            return reply
        self.left[counter] = before
        self.begun += 1
        self.counters[number] = (f"counter-{number}-{self.begun}", 0)
        return reply

    def judge(self):
        for counter, least in [*self.left.items(), *self.counters]:
            if least == 0:
                continue
            found = int(self.ask("GET", counter) or 0)
            most = least + (counter in self.left)
            if not least <= found <= most:
                self.problems.append(f"{counter} is {found}, from {least} to {most}")
        return self.problems


class Collections(Workers):
    """One client makes collections and drops every second of them: edits of manifests."""

    def __init__(self, servers, pause_seconds=0.02):
        super().__init__(servers, 1)
        self.made, self.dropped, self.unsure, self.count = set(), set(), set(), 0
        self.pause_seconds = pause_seconds

    def work(self, client, number):
        self.count += 1
        name = f"made-{self.count}"
        self.unsure.add(name)
        reply = client.call("COLLECTION", "CREATE", name)
        if reply != "OK":
            return reply
        self.unsure.discard(name)
        self.made.add(name)
        if self.count % 2:
            self.made.discard(name)
            self.unsure.add(name)
            reply = client.call("COLLECTION", "DROP", name, "CONFIRM", name)
            if reply == "OK":
                self.unsure.discard(name)
                self.dropped.add(name)
        self._over.wait(self.pause_seconds)
        return reply

    def judge(self):
        there = {name.decode() for name in self.ask("COLLECTION", "LIST") or []}
        for name in sorted(self.made - there):
            self.problems.append(f"collection {name} is gone")
        for name in sorted(self.dropped & there):
            self.problems.append(f"collection {name} is there, though dropped")
        for name in sorted(there - self.made - self.unsure - {"0"}):
            self.problems.append(f"collection {name} is there, and nobody made it")
        return self.problems


class Bulk(Workers):
    """Values of 48 KiB over and over the same keys: memtables fill, tables are merged."""

    def __init__(self, servers, count=2):
        super().__init__(servers, count)
        self.value = os.urandom(48 << 10)
        self.written = [0] * count

    def work(self, client, number):
        self.written[number] += 1
        return client.call("SET", f"bulk-{number}-{self.written[number] % 100}", self.value)

    def bytes(self):
        return sum(self.written) * len(self.value)
