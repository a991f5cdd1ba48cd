"""A process in a network of its own, which reaches ours, and is reached, through links of ours that
can be cut: what goes to 127.0.0.1:PORT in there arrives at 127.0.0.1:PORT out here, and the other
way round. Addresses stay what they are, as Ceph wants it.

A link that is cut is silent, not closed: bytes wait, and connections are neither refused nor taken.
Mended, it delivers what waited, late; that is what a deposed leader's late requests look like.
"""

import ctypes
import errno
import fcntl
import os
import queue
import selectors
import socket
import struct
import threading

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
CHUNK_BYTES = 1 << 16


class Refused(Exception):
    """This machine gives us no network of our own."""


class Box:
    """Runs functions in a network of its own, on a thread of its own."""

    def __init__(self):
        self._tasks = queue.Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.inside(lambda: None)  # raises what making it raised

    def inside(self, function):
        """The function's result; sockets and processes that it makes are in there."""
        answer = queue.Queue()
        self._tasks.put((function, answer))
        result, error = answer.get()
        if error is not None:
            raise error
        return result

    def end(self):
        self._tasks.put(None)
        self._thread.join()

    def _run(self):
        failure = None
        try:
            self._enter()
        except OSError as error:
            failure = Refused(str(error))
        while (task := self._tasks.get()) is not None:
            function, answer = task
            try:
                answer.put((None, failure) if failure else (function(), None))
            except Exception as error:  # pylint: disable=broad-except
                answer.put((None, error))  # the caller's

    @staticmethod
    def _enter():
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"unshare: {os.strerror(number)}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            request = struct.pack("16sh", b"lo", 0) + bytes(22)
            flags = struct.unpack("16sh", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request)[:18])[1]
            fcntl.ioctl(any_socket, SIOCSIFFLAGS,
                        struct.pack("16sh", b"lo", flags | IFF_UP) + bytes(22))


class Link:
    """Carries connections that come to a listener, to the port of the same number on the other
    side. Both sockets are made on the side they belong to."""

    def __init__(self, port, listen, connect):
        """listen(), connect(): make the two sockets."""
        self.port = port
        self._listener, self._connect = listen(), connect
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._pipes = {}  # socket: the one at the other end
        self._cut = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def cut(self):
        self._cut.set()

    def mend(self):
        self._cut.clear()

    def end(self):
        self._over.set()
        self._thread.join()
        for one in (self._listener, *self._pipes):
            one.close()
        self._selector.close()

    def _run(self):
        self._selector.register(self._listener, selectors.EVENT_READ)
        while not self._over.is_set():
            if self._cut.is_set():
                self._over.wait(0.005)
                continue
            for key, _ in self._selector.select(0.02):
                if self._cut.is_set():
                    break
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._pipes:
                    self._carry(key.fileobj)

    def _accept(self):
        near, _ = self._listener.accept()
        try:
            far = self._connect()
        except OSError:
            near.close()  # as if nobody listened
            return
        for one, other in ((near, far), (far, near)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pipes[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _carry(self, source):
        sink = self._pipes[source]
        try:
            content = source.recv(CHUNK_BYTES)
            sink.sendall(content)
        except OSError as error:
            if error.errno not in (errno.ECONNRESET, errno.EPIPE, errno.ETIMEDOUT):
                raise
            content = b""
        if not content:
            for one in (source, sink):
                self._selector.unregister(one)
                del self._pipes[one]
                one.close()


def listener(port):
    return socket.create_server(("127.0.0.1", port), backlog=128)


def connection(port):
    return socket.create_connection(("127.0.0.1", port))


class Links:
    """Of one box: out of it, and into it."""

    def __init__(self, box):
        self._box, self._links = box, {}

    def out(self, name, *ports):
        """From inside to ports out here."""
        for port in ports:
            self._add(name, Link(port, lambda port=port: self._box.inside(lambda: listener(port)),
                                 lambda port=port: connection(port)))

    def into(self, name, *ports):
        """From out here to ports inside."""
        for port in ports:
            self._add(name, Link(port, lambda port=port: listener(port),
                                 lambda port=port: self._box.inside(lambda: connection(port))))

    def cut(self, name):
        for link in self._links[name]:
            link.cut()

    def mend(self, name):
        for link in self._links[name]:
            link.mend()

    def end(self):
        for links in self._links.values():
            for link in links:
                link.end()

    def _add(self, name, link):
        self._links.setdefault(name, []).append(link)
