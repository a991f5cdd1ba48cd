"""Tablet servers whose clients speak TLS, on Ceph: at the leader, at those that follow, between the
two, and across the death of a leader. Whatever a server that follows sends to the leader goes
through a tap, which must not find a word of it.

The environment names programs and cluster: LUNA, LUNAD, LUNA_CEPH_CONF.
"""

import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from certificates import OPENSSL, Certificates
from tablet_servers import WAIT_SECONDS, Group, Ledger, Refusal, Server, free_ports

CONF = os.environ["LUNA_CEPH_CONF"]
LEASE_MILLIS = 1000
PASSWORD = "the-password-of-clients"
VALUE = "a-value-that-nobody-else-writes"


class Tap:
    """What others know a server by: passes bytes on, and keeps those that come."""

    def __init__(self, port):
        self.target = port
        self.heard = bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                near = self.listener.accept()[0]
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                threading.Thread(target=self._serve, args=(near, far), daemon=True).start()
        except OSError:
            pass  # closed

    def _serve(self, near, far):
        with near, far:
            back = threading.Thread(target=self._pass, args=(far, near, bytearray()), daemon=True)
            back.start()
            self._pass(near, far, self.heard)
            back.join()

    @staticmethod
    def _pass(one, other, heard):
        try:
            while more := one.recv(65536):
                heard += more
                other.sendall(more)
            other.shutdown(socket.SHUT_WR)
        except OSError:  # lost, both ways
            for end in (one, other):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.listener.close()


class SecretServer(Server):
    """One that listens with TLS only, and is known to others by its tap."""

    def __init__(self, port, tap, location, folder, *flags):
        super().__init__(port, location, folder, "--advertise", f"127.0.0.1:{tap.port}", *flags)
        self.name, self.tap = f"127.0.0.1:{tap.port}", tap
        at = self.words.index("--listen")
        self.words[at:at + 2] = ["--listen", "", "--tls-listen", f"127.0.0.1:{port}"]
        self.context = None  # of its clients
        self.password = None

    def connect(self, context=None):
        connection = super().connect()
        try:
            connection.file.close()
            connection.socket = (context or self.context).wrap_socket(
                connection.socket, server_hostname="127.0.0.1")
            connection.file = connection.socket.makefile("rb")
            if self.password is not None:
                connection.call("AUTH", self.password)
        except (OSError, EOFError):
            connection.close()
            raise
        return connection


@unittest.skipUnless(OPENSSL, "openssl is not installed")
class TlsClientsTest(Certificates, unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="luna-tls-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.location = f"rados:luna?conf={CONF}&namespace=tls-{os.getpid()}-{time.time_ns()}"
        self.authority("ca")
        self.certificate("server", "ca")
        self.certificate("client", "ca")

    def context(self, ca="ca", shown=None):
        context = ssl.create_default_context(cafile=self.folder / f"{ca}.pem")
        if shown is not None:
            context.load_cert_chain(self.folder / f"{shown}.pem", self.folder / f"{shown}.key")
        return context

    def server(self, *flags, name="server", ca="ca", shown=None):
        port = free_ports(1)[0]
        tap = Tap(port)
        self.addCleanup(tap.close)
        server = SecretServer(port, tap, self.location, self.folder, "--lease", LEASE_MILLIS,
                              "--tls-cert", self.folder / f"{name}.pem", "--tls-key",
                              self.folder / f"{name}.key", "--tls-ca", self.folder / f"{ca}.pem",
                              *flags)
        server.context = self.context(ca, shown)
        return server

    def group(self, *flags, password=None, shown=None):
        """Three servers, the one that leads, and the others."""
        group = Group(0, self.location, self.folder)
        self.addCleanup(group.end)
        for _ in range(3):
            server = self.server(*flags, shown=shown)
            server.password = password
            group.servers.append(server)
            server.start()
        leader = group.leader()
        return group, leader, [server for server in group.servers if server is not leader]

    def join(self, group, server):
        group.servers.append(server)
        server.start()
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", server.port), WAIT_SECONDS).close()
                return server
            except OSError:
                self.assertLess(time.monotonic(), deadline, group.journals())
                time.sleep(0.05)

    def await_that(self, what, said=""):
        deadline = time.monotonic() + WAIT_SECONDS
        while not what():
            self.assertLess(time.monotonic(), deadline, said)
            time.sleep(0.02)

    def reads_here(self, server):
        """A connection whose reads that server answers, which follows."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                connection = server.connect()
                if connection.call("READONLY") == "OK":
                    status = connection.call("GROUP", "STATUS")
                    if not isinstance(status, Refusal) and b"behind_ms:" in status:
                        return connection
                connection.close()
            except (OSError, EOFError):
                pass
            time.sleep(0.05)
        raise AssertionError(f"{server.name} answers no reads")

    def judge_taps(self, group, *words):
        """Somebody was passed on, and none of these words was to be read."""
        heard = b"".join(bytes(server.tap.heard) for server in group.servers)
        self.assertTrue(heard.startswith(b"\x16\x03"), heard[:20])  # a handshake of TLS
        for word in words:
            self.assertNotIn(word.encode(), heard)

    def test_clients_stay_when_the_lead_moves(self):
        group, leader, followers = self.group("--password", PASSWORD, password=PASSWORD)
        for server in followers:
            self.reads_here(server).close()
        clients = [server.connect() for server in group.servers]
        for client in clients:
            self.addCleanup(client.close)
        self.assertEqual(clients[group.servers.index(leader)].call("SET", "kept", VALUE), "OK")
        for target in followers:
            with leader.connect() as connection:
                self.assertEqual(connection.call("GROUP", "TRANSFER", target.name), "OK")
            former, leader = leader, target
            self.assertIs(group.leader(but=former), target)
            self.assertEqual(clients[group.servers.index(leader)].call("GET", "kept"),
                             VALUE.encode())
        self.assertEqual([client.call("GET", "kept") for client in clients], [VALUE.encode()] * 3)
        self.judge_taps(group, PASSWORD, VALUE)

    def test_clients_of_every_server(self):
        group, leader, followers = self.group("--password", PASSWORD, password=PASSWORD)
        for number, server in enumerate(group.servers):
            with server.connect() as connection:
                key = f"key-{number}"
                self.assertEqual(connection.call("SET", key, VALUE), "OK", group.journals())
                self.assertEqual(connection.call("GET", key), VALUE.encode())
                large = os.urandom(1 << 20) * 4
                self.assertEqual(connection.call("SET", "large", large), "OK")
                self.assertTrue(connection.call("GET", "large") == large)
        with self.reads_here(followers[0]) as connection:
            self.await_that(lambda: connection.call("GET", "key-2") == VALUE.encode())
            refused = connection.call("SET", "key-2", "x")
            self.assertTrue(refused.startswith("READONLY") and leader.name in refused, refused)
            self.assertEqual(connection.call("READWRITE"), "OK")
            self.assertEqual(connection.call("SET", "key-2", "new"), "OK")
            self.assertEqual(connection.call("GET", "key-2"), b"new")
        with followers[1].connect() as connection:
            for words in (("AUTH", "wrong"), ("AUTH", "default", "wrong")):
                self.assertTrue(connection.call(*words).startswith("WRONGPASS"))
        self.judge_taps(group, PASSWORD, VALUE, "AUTH", "key-", "wrong")

    def test_the_leader_dies(self):
        group, leader, _ = self.group()
        ledger = Ledger(group.servers)
        self.addCleanup(ledger.end)
        ledger.gap(time.monotonic())
        for _ in range(2):
            time.sleep(2)
            killed = time.monotonic()
            leader.kill()
            time.sleep(0.1)  # for replies that are in the tap
            ledger.gap(time.monotonic())
            print(f"writes go on {time.monotonic() - killed:.2f} s after the leader was killed")
            new = group.leader(but=leader)
            leader.start()
            leader = new
        time.sleep(2)
        ledger.end()
        self.assertEqual(ledger.problems, [], group.journals())
        self.assertEqual(ledger.missing(), [], group.journals())
        self.assertGreater(len(ledger.kept), 100)
        self.judge_taps(group, "MSET", "register-")
        for server in group.servers:
            self.assertEqual(server.end(), 0, group.journals())

    def test_who_refuses_names_an_address_for_tls(self):
        group, leader, followers = self.group("--writes", "refuse")
        self.await_that(lambda: followers[0].status().get("leader") == leader.name,
                        group.journals())
        with followers[0].connect() as connection:
            refused = connection.call("READONLY") and connection.call("SET", "a", "1")
            self.assertEqual(refused, "READONLY this server does not lead the group; ask " +
                             leader.name)
        host, port = refused.rsplit(" ", 1)[1].rsplit(":", 1)
        with socket.create_connection((host, int(port)), WAIT_SECONDS) as raw:
            with self.context().wrap_socket(raw, server_hostname=host) as secret:
                secret.sendall(b"SET a 1\r\n")
                self.assertEqual(secret.recv(100), b"+OK\r\n")

    def test_nobody_is_served_without_the_handshake(self):
        group, _, followers = self.group()
        self.authority("other")
        silent = [socket.create_connection(("127.0.0.1", followers[0].port), WAIT_SECONDS)
                  for _ in range(300)]
        began = time.monotonic()
        for server in group.servers:
            with self.assertRaises(ssl.SSLCertVerificationError):
                server.connect(self.context("other"))
            with socket.create_connection(("127.0.0.1", server.port), WAIT_SECONDS) as plain:
                plain.sendall(b"PING\r\nGET a\r\n")
                answer = b""
                try:
                    while more := plain.recv(1000):
                        answer += more
                except ConnectionError:
                    pass
                self.assertNotIn(b"PONG", answer)
            with server.connect() as connection:
                self.assertEqual(connection.call("SET", "a", "1"), "OK")
        for one in silent:
            self.assertEqual(one.recv(1), b"")
            one.close()
        self.assertLess(time.monotonic() - began, 13)

    def test_certificates_of_clients(self):
        group, _, followers = self.group("--tls-client-auth", "required", shown="client")
        self.authority("other")
        self.certificate("foreign", "other")
        for server in group.servers:
            with server.connect() as connection:
                self.assertEqual(connection.call("SET", "a", "1"), "OK", group.journals())
            for shown in (None, "foreign"):
                with self.assertRaises((OSError, EOFError)):
                    with server.connect(self.context(shown=shown)) as connection:
                        connection.call("PING")
        # Who asks its clients for none does not get them in by its own.
        lax = self.join(group, self.server())
        with lax.connect() as connection:
            refused = connection.call("SET", "a", "2")
        self.assertTrue(refused.startswith("TRYAGAIN "), refused)
        self.assertIn("certificate required", refused)
        with followers[0].connect() as connection:
            self.assertEqual(connection.call("GET", "a"), b"1")

    def test_servers_that_do_not_trust_or_speak_no_tls_pass_nobody_on(self):
        group, leader, _ = self.group()
        self.authority("other")
        self.certificate("stranger", "other")
        stranger = self.join(group, self.server(name="stranger", ca="other"))
        with stranger.connect() as connection:
            refused = connection.call("SET", "a", "1")
        self.assertTrue(refused.startswith(f"TRYAGAIN {leader.name} leads"), refused)
        self.assertIn("its certificate is not trusted", refused)
        plain = self.join(group, Server(free_ports(1)[0], self.location, self.folder, "--lease",
                                        LEASE_MILLIS))
        heard = len(leader.tap.heard)
        with plain.connect() as connection:
            refused = connection.call("SET", "a", "1")
        self.assertTrue(refused.startswith(f"TRYAGAIN {leader.name} leads"), refused)
        self.assertIn("it speaks TLS and this server does not", refused)
        self.assertEqual(len(leader.tap.heard), heard)
        with self.reads_here(plain) as connection:
            self.assertIsNone(connection.call("GET", "a"))

    def test_reload(self):
        group, _, followers = self.group()
        old = followers[0].connect()
        self.addCleanup(old.close)
        self.assertEqual(old.call("SET", "a", "1"), "OK")
        self.authority("next")
        self.certificate("server", "next")  # in the old one's place
        (self.folder / "next.pem").rename(self.folder / "ca.pem")
        for server in group.servers:
            server.process.send_signal(signal.SIGHUP)
            self.await_that(lambda s=server: "reloaded what=tls-cert" in s.journal.read_text())
            server.context = self.context()
        for server in group.servers:
            with server.connect() as connection:
                self.assertEqual(connection.call("SET", "b", server.name), "OK", group.journals())
        self.assertEqual(old.call("GET", "a"), b"1")
        (self.folder / "ca.pem").write_text("damaged")
        for server in group.servers:
            server.process.send_signal(signal.SIGHUP)
            self.await_that(lambda s=server: "not in PEM form" in s.journal.read_text())
            with server.connect() as connection:
                self.assertEqual(connection.call("SET", "b", server.name), "OK", group.journals())

    def test_programs(self):
        _, _, followers = self.group()
        luna = [os.environ["LUNA"], "--server", f"127.0.0.1:{followers[0].port}", "--tls",
                "--tls-ca", str(self.folder / "ca.pem")]
        for words, said in ((("set", "k", "v"), "OK"), (("get", "k"), "v"),
                            (("group", "status"), "leading")):
            done = subprocess.run([*luna, *words], capture_output=True, text=True, check=True,
                                  stdin=subprocess.DEVNULL, timeout=WAIT_SECONDS)
            self.assertIn(said, done.stdout)
        if shutil.which("redis-cli"):
            done = subprocess.run(
                ["redis-cli", "-p", str(followers[1].port), "--tls", "--cacert",
                 str(self.folder / "ca.pem")], input="SET k w\nGET k\n", capture_output=True,
                text=True, check=True, timeout=WAIT_SECONDS)
            self.assertEqual(done.stdout, "OK\nw\n")

    def test_settings_that_do_not_fit_end_with_one_line(self):
        pem, key = self.folder / "server.pem", self.folder / "server.key"
        good = {"--tls-cert": pem, "--tls-key": key, "--tls-ca": self.folder / "ca.pem"}
        for change, said in (
                ({"--tls-ca": None}, "tls-ca"),
                ({"--tls-ca": self.folder / "none"}, "none"),
                ({"--tls-key": self.folder / "client.key"}, "does not belong"),
                ({"--tls-cert": None}, "tls-listen needs tls-cert"),
                ({"--tls-listen": "127.0.0.1:0"}, "other than 0"),
                ({"--tls-client-auth": "required"}, "listen = []")):
            flags = {"--tls-listen": f"127.0.0.1:{free_ports(1)[0]}", **good, **change}
            words = [str(word) for pair in flags.items() if pair[1] is not None for word in pair]
            ended = subprocess.run(
                [os.environ["LUNAD"], "--role", "tablet-server", "--universe", self.location,
                 "--listen", f"127.0.0.1:{free_ports(1)[0]}", *words], capture_output=True,
                text=True, timeout=WAIT_SECONDS, check=False)
            self.assertEqual(ended.returncode, 2, ended.stderr)
            self.assertIn(said, ended.stderr.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
