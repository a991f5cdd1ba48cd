"""Tablet servers that talk to one another: leaders know who follows, with TLS and without; nothing
is lost when the talk is cut, garbage comes to the port, or one of them is not trusted.

The environment names program and cluster: LUNAD, LUNA_CEPH_CONF.
"""

import os
import pathlib
import socket
import subprocess
import tempfile
import time
import unittest

from certificates import OPENSSL, Certificates
from tablet_servers import WAIT_SECONDS, Group, Ledger, free_ports

CONF = os.environ["LUNA_CEPH_CONF"]
LEASE_MILLIS = 1000


class PeersTest(Certificates, unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="luna-peers-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.location = f"rados:luna?conf={CONF}&namespace=peers-{os.getpid()}-{time.time_ns()}"

    def group(self, count, *flags):
        """Servers, each with a port for the others."""
        group = Group(0, self.location, self.folder)
        self.addCleanup(group.end)
        for _ in range(count):
            self.join(group, *flags)
        return group

    def join(self, group, *flags):
        port = free_ports(1)[0]
        one = Group(1, self.location, self.folder, "--lease", LEASE_MILLIS, "--peer-listen",
                    f"127.0.0.1:{port}", *flags).servers[0]
        one.peer_port = port
        group.servers.append(one)
        return one

    @staticmethod
    def followers(leader):
        """What the leader knows: name → applied."""
        rows = [dict(part.split("=", 1) for part in value.split(","))
                for name, value in leader.status().items() if name.startswith("follower")]
        return {row["server"]: int(row["applied"]) for row in rows}

    def await_followers(self, group, leader, wanted):
        deadline = time.monotonic() + WAIT_SECONDS
        while set(self.followers(leader)) != {server.name for server in wanted}:
            self.assertLess(time.monotonic(), deadline,
                            f"{leader.status()}\n{group.journals()}")
            time.sleep(0.1)

    def exercise(self, group):
        """Leaders of each term know who follows; clients notice nothing."""
        leader = group.leader()
        self.await_followers(group, leader, [s for s in group.servers if s is not leader])
        ledger = Ledger(group.servers)
        self.addCleanup(ledger.end)
        ledger.gap(time.monotonic())
        target = next(server for server in group.servers if server is not leader)
        with leader.connect() as connection:
            self.assertEqual(connection.call("GROUP", "TRANSFER", target.name), "OK")
        began = time.monotonic()
        self.assertIs(group.leader(but=leader), target)
        print(f"a planned transfer took {time.monotonic() - began:.2f} s")
        self.await_followers(group, target, [s for s in group.servers if s is not target])
        target.kill()
        third = group.leader(but=target)
        self.await_followers(group, third,
                             [s for s in group.servers if s not in (third, target)])
        target.start()
        self.await_followers(group, third, [s for s in group.servers if s is not third])
        ledger.end()
        self.assertEqual(ledger.problems, [], group.journals())
        self.assertEqual(ledger.missing(), [], group.journals())
        for server in group.servers:
            self.assertEqual(server.end(), 0, group.journals())

    def test_leaders_know_who_follows(self):
        self.exercise(self.group(3))

    def test_held_followers_are_forgotten_and_found_again(self):
        group = self.group(2)
        leader = group.leader()
        follower = next(server for server in group.servers if server is not leader)
        self.await_followers(group, leader, [follower])
        follower.hold()
        self.await_followers(group, leader, [])
        with leader.connect() as connection:
            self.assertEqual(connection.call("SET", "a", "1"), "OK")
        follower.let_go()
        self.await_followers(group, leader, [follower])

    def test_servers_with_and_without_a_port_serve_together(self):
        group = self.group(2)
        plain = Group(1, self.location, self.folder, "--lease", LEASE_MILLIS).servers[0]
        group.servers.append(plain)
        leader = group.leader()
        with plain.connect() as connection:
            self.assertEqual(connection.call("SET", "a", "1"), "OK")
            self.assertEqual(connection.call("GET", "a"), b"1")
        if leader is not plain:
            with leader.connect() as connection:
                self.assertEqual(connection.call("GROUP", "TRANSFER", plain.name), "OK")
        self.assertIs(group.leader(but=leader if leader is not plain else None), plain)
        with group.servers[0].connect() as connection:
            self.assertEqual(connection.call("GET", "a"), b"1")

    def test_garbage_at_the_port_does_no_harm(self):
        group = self.group(2)
        leader = group.leader()
        follower = next(server for server in group.servers if server is not leader)
        for server in group.servers:
            for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100_000, os.urandom(1000),
                            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + os.urandom(1000)):
                with socket.create_connection(("127.0.0.1", server.peer_port)) as stranger:
                    stranger.sendall(garbage)
        self.await_followers(group, leader, [follower])

    # --- TLS ---

    def peer_flags(self, name, signer):
        """The flags of a server with a certificate of that authority, which trusts it alone."""
        self.certificate(name, signer)
        return ("--peer-tls-ca", self.folder / f"{signer}.pem", "--peer-tls-cert",
                self.folder / f"{name}.pem", "--peer-tls-key", self.folder / f"{name}.key")

    @unittest.skipUnless(OPENSSL, "openssl is not installed")
    def test_with_tls_leaders_know_who_follows(self):
        self.authority("ca")
        self.exercise(self.group(3, *self.peer_flags("one", "ca")))

    @unittest.skipUnless(OPENSSL, "openssl is not installed")
    def test_servers_that_are_not_trusted_follow_unheard(self):
        self.authority("ca")
        self.authority("other")
        group = self.group(2, *self.peer_flags("one", "ca"))
        leader = group.leader()
        follower = next(server for server in group.servers if server is not leader)
        stranger = self.join(group, *self.peer_flags("stranger", "other"))
        plain = self.join(group)
        for server in (stranger, plain):
            deadline = time.monotonic() + WAIT_SECONDS
            while True:
                try:
                    with server.connect() as connection:
                        if connection.call("SET", "a", "1") == "OK":  # passed on, all the same
                            break
                except (OSError, EOFError):
                    pass
                self.assertLess(time.monotonic(), deadline, group.journals())
                time.sleep(0.1)
        time.sleep(3)
        self.await_followers(group, leader, [follower])

    def test_settings_that_do_not_fit_end_with_one_line(self):
        for flags, said in (
                (("--peer-listen", "0.0.0.0:7479"), "without TLS"),
                (("--peer-listen", "127.0.0.1:0"), "other than 0"),
                (("--peer-listen", "127.0.0.1:7479", "--peer-tls-ca", "x"), "need one another"),
                (("--peer-listen", "127.0.0.1:7479", "--peer-tls-ca", "x", "--peer-tls-cert", "x",
                  "--peer-tls-key", "x"), "'x'")):
            ended = subprocess.run(
                [os.environ["LUNAD"], "--role", "tablet-server", "--universe", self.location,
                 "--listen", f"127.0.0.1:{free_ports(1)[0]}", *flags], capture_output=True,
                text=True, timeout=WAIT_SECONDS, check=False, cwd=self.folder)
            self.assertNotEqual(ended.returncode, 0)
            self.assertIn(said, ended.stderr.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
