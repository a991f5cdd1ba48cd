"""Thousands of connections that are mostly idle: each pings now and then, in rotation."""

import select
import socket
import threading
import time

from wire import WAIT_SECONDS

PING = b"*1\r\n$4\r\nPING\r\n"
PONG = b"+PONG\r\n"
ROTATION_SECONDS = 20
TICK_SECONDS = 0.05


class Crowd:
    """One thread. `problems` are what went wrong; so is an end of the server without `hush`."""

    def __init__(self, size):
        self.size = size
        self.answered = 0
        self.problems = []
        self._stop = threading.Event()
        self._thread = None
        self._closed = False
        self._connections = {}
        self._waiting = {}

    def join(self, port):
        """Opens all connections, then lets them ping."""
        self._stop.clear()
        self._closed = False
        self._waiting = {}
        for _ in range(self.size):
            connection = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)
            self._connections[connection.fileno()] = connection
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def hush(self):
        """No more pings; the connections stay open. Call it before the server is ended."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def leave(self):
        """Closes all connections."""
        self.hush()
        for connection in self._connections.values():
            connection.close()
        self._connections = {}

    def _run(self):
        try:
            self._rotate()
        except OSError as error:
            self.problems.append(f"an idle connection failed: {error}")

    def _rotate(self):
        order = list(self._connections)
        poll = select.epoll()
        for number in order:
            self._connections[number].setblocking(False)
            poll.register(number, select.EPOLLIN)
        place, debt, before = 0, 0.0, time.monotonic()
        while order and not self._stop.is_set():
            for number, _ in poll.poll(TICK_SECONDS):
                self._take(number, poll)
            now = time.monotonic()
            debt += (now - before) * len(order) / ROTATION_SECONDS
            before = now
            while debt >= 1:
                debt -= 1
                self._ping(order[place], now)
                place = (place + 1) % len(order)
            time.sleep(TICK_SECONDS / 2)  # gathers replies; nothing is waited for here
        poll.close()

    def _ping(self, number, now):
        since = self._waiting.get(number)
        if since is None:
            self._connections[number].send(PING)
            self._waiting[number] = now
        elif now > since + WAIT_SECONDS:
            self.problems.append(f"a PING had no answer for {now - since:.0f} s")
            self._waiting[number] = now

    def _take(self, number, poll):
        reply = self._connections[number].recv(4096)
        if not reply:
            if not self._closed:  # thousands would say the same
                self.problems.append("lunad closed an idle connection")
            self._closed = True
            poll.unregister(number)
        elif reply != PONG or self._waiting.pop(number, None) is None:
            self.problems.append(f"PING was answered with {reply[:80]!r}")
        else:
            self.answered += 1
