"""TLS of lunad from the outside: redis-cli, redis-py, raw sockets, wrong and changed certificates.

The environment names the program: LUNAD. The certificates are made by the openssl command.
"""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import unittest

from lunad_test import REDIS_CLI, WAIT_SECONDS, Connection, ServiceTest, frame
from program import USAGE
from redis_py import redis

OPENSSL = shutil.which("openssl")


@unittest.skipUnless(OPENSSL, "openssl is not installed")
class TlsTest(ServiceTest):
    def setUp(self):
        super().setUp()
        self.authority("ca")
        self.certificate("server", "ca")
        self.certificate("client", "ca")

    def openssl(self, *words, stdin=b""):
        subprocess.run([OPENSSL, *map(str, words)], input=stdin, check=True, cwd=self.directory,
                       capture_output=True, timeout=WAIT_SECONDS)

    def path(self, name):
        return str(self.directory / name)

    def authority(self, name):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                     "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
                     "-subj", f"/CN={name}")

    def certificate(self, name, signer):
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        extension = self.write("extension", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{signer}.pem", "-CAkey",
                     f"{signer}.key", "-CAcreateserial", "-days", "2", "-out", f"{name}.pem",
                     "-extfile", extension)

    def start_tls(self, *words, client_auth="no"):
        """Starts lunad with a plain port and one for TLS."""
        self.start("--tls-listen", "127.0.0.1:0", "--tls-cert", self.path("server.pem"),
                   "--tls-key", self.path("server.key"), "--tls-ca", self.path("ca.pem"),
                   "--tls-client-auth", client_auth, *words)
        addresses = (self.directory / "addresses").read_text().splitlines()
        self.tls_port = int(addresses[-1].rsplit(":", 1)[1])

    def context(self, ca="ca", certificate=None):
        context = ssl.create_default_context(cafile=self.path(f"{ca}.pem"))
        if certificate is not None:
            context.load_cert_chain(self.path(f"{certificate}.pem"),
                                    self.path(f"{certificate}.key"))
        return context

    def connect_tls(self, **options):
        connection = Connection(self.tls_port)
        connection.file.close()
        connection.socket = self.context(**options).wrap_socket(connection.socket,
                                                                server_hostname="localhost")
        connection.file = connection.socket.makefile("rb")
        self.addCleanup(connection.close)
        return connection

    def alive(self):
        """Others are served on, on both ports."""
        self.assertEqual(self.connect().call("PING"), "PONG")
        self.assertEqual(self.connect_tls().call("PING"), "PONG")


class Serving(TlsTest):
    def test_both_ports_serve_the_same(self):
        self.start_tls()
        secure, plain = self.connect_tls(), self.connect()
        self.assertEqual(secure.call("SET", "k", "v"), "OK")
        self.assertEqual(plain.call("GET", "k"), b"v")
        self.assertIn(secure.socket.version(), ("TLSv1.2", "TLSv1.3"))

    def test_versions(self):
        self.start_tls()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context()
            context.minimum_version = context.maximum_version = version
            with socket.create_connection(("127.0.0.1", self.tls_port), WAIT_SECONDS) as raw:
                with context.wrap_socket(raw, server_hostname="127.0.0.1") as secure:
                    secure.sendall(b"PING\r\n")
                    self.assertEqual(secure.recv(100), b"+PONG\r\n")
        self.openssl_refuses("-tls1_1")

    def openssl_refuses(self, *words):
        done = subprocess.run([OPENSSL, "s_client", "-connect", f"127.0.0.1:{self.tls_port}",
                               "-cipher", "ALL:@SECLEVEL=0", *words], input=b"",
                              capture_output=True, check=False, timeout=WAIT_SECONDS)
        self.assertNotEqual(done.returncode, 0)

    def test_large_values(self):
        self.start_tls()
        value = os.urandom(1 << 20) * 16
        connection = self.connect_tls()
        self.assertEqual(connection.call("SET", "large", value), "OK")
        self.assertTrue(connection.call("GET", "large") == value)
        self.assertTrue(self.connect().call("GET", "large") == value)

    def test_pipelines(self):
        self.start_tls()
        connection = self.connect_tls()
        count = 5000
        connection.socket.sendall(b"".join(frame("SET", f"k{i}", i) + frame("GET", f"k{i}")
                                           for i in range(count)))
        for i in range(count):
            self.assertEqual(connection.reply(), "OK")
            self.assertEqual(connection.reply(), str(i).encode())

    def test_two_hundred_connections(self):
        self.start_tls()
        connections = [self.connect_tls() for _ in range(200)]
        for i, connection in enumerate(connections):
            connection.send("SET", f"k{i}", i)
        for connection in connections:
            self.assertEqual(connection.reply(), "OK")
        for i, connection in enumerate(reversed(connections)):
            self.assertEqual(connection.call("GET", f"k{i}"), str(i).encode())

    def test_half_closed(self):
        self.start_tls()
        connection = self.connect_tls()
        connection.send("SET", "k", "v")
        connection.send("GET", "k")
        raw = connection.socket
        socket.socket.shutdown(raw, socket.SHUT_WR)  # without a word in TLS
        self.assertEqual(connection.reply(), "OK")
        self.assertEqual(connection.reply(), b"v")
        with self.assertRaises((EOFError, ssl.SSLEOFError)):
            connection.reply()
        self.alive()

    def test_bytes_one_by_one(self):
        self.start_tls()
        connection = self.connect_tls()
        for byte in frame("SET", "k", "v") + frame("GET", "k"):
            connection.socket.sendall(bytes([byte]))
        self.assertEqual(connection.reply(), "OK")
        self.assertEqual(connection.reply(), b"v")

    def test_stops_in_order_with_open_connections(self):
        self.start_tls()
        connection = self.connect_tls()
        connection.call("SET", "k", "v")
        silent = socket.create_connection(("127.0.0.1", self.tls_port), WAIT_SECONDS)
        self.addCleanup(silent.close)
        self.end()
        with self.assertRaises((EOFError, ssl.SSLEOFError)):
            connection.reply()

    @unittest.skipUnless(REDIS_CLI, "redis-cli is not installed")
    def test_redis_cli(self):
        self.start_tls(client_auth="required")
        words = [REDIS_CLI, "-p", str(self.tls_port), "--tls", "--cacert", self.path("ca.pem")]
        shown = ["--cert", self.path("client.pem"), "--key", self.path("client.key")]
        done = subprocess.run([*words, *shown], input=b"SET k v\nGET k\nDEL k\n", check=True,
                              capture_output=True, timeout=WAIT_SECONDS)
        self.assertEqual(done.stdout, b"OK\nv\n1\n")
        requests = "".join(f"SET k{i} {i}\r\n" for i in range(2000)).encode()
        done = subprocess.run([*words, *shown, "--pipe"], input=requests, check=True,
                              capture_output=True, timeout=WAIT_SECONDS)
        self.assertIn(b"errors: 0, replies: 2000", done.stdout)
        done = subprocess.run([*words, "PING"], input=b"", check=False, capture_output=True,
                              timeout=WAIT_SECONDS)
        self.assertNotIn(b"PONG", done.stdout)

    @unittest.skipUnless(redis, "python3-redis is not installed")
    def test_luna(self):
        self.start_tls(client_auth="required")
        luna = [os.environ["LUNA"], "--server", f"127.0.0.1:{self.tls_port}", "--tls"]
        ours = ["--tls-ca", self.path("ca.pem"), "--tls-cert", self.path("client.pem"),
                "--tls-key", self.path("client.key")]
        def run(*words, status=0):
            done = subprocess.run([*luna, *words], capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=WAIT_SECONDS)
            self.assertEqual(done.returncode, status, done.stderr)
            return done.stdout + done.stderr
        run(*ours, "set", "k", "secret")
        self.assertEqual(run(*ours, "get", "k").strip(), "secret")
        self.assertIn("certificate", run("get", "k", status=3))  # nobody vouches for the server
        run(*ours[:2], "get", "k", status=3)  # the server asks for our certificate
        text = run(*ours, "bench", "--tests", "set,get", "-n", "2000", "--keys", "100")
        self.assertIn("get", text.lower())
        self.assertIn("connections", run(*ours, "top", "--once"))

    def test_redis_py(self):
        self.start_tls(client_auth="optional")
        for shown in ({}, {"ssl_certfile": self.path("client.pem"),
                           "ssl_keyfile": self.path("client.key")}):
            client = redis.Redis(host="localhost", port=self.tls_port, ssl=True,
                                 ssl_ca_certs=self.path("ca.pem"), ssl_check_hostname=True,
                                 socket_timeout=WAIT_SECONDS, **shown)
            self.addCleanup(client.close)
            self.assertTrue(client.set("k", b"v" * 100000))
            self.assertEqual(client.get("k"), b"v" * 100000)
            pipeline = client.pipeline()
            self.assertEqual(pipeline.set("n", 1).incr("n").execute(), [True, 2])


class Refusing(TlsTest):
    def test_wrong_authority(self):
        self.start_tls()
        self.authority("other")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.connect_tls(ca="other")
        self.alive()

    def test_certificates_that_clients_must_show(self):
        self.authority("other")
        self.certificate("foreign", "other")
        self.start_tls(client_auth="required")
        self.assertEqual(self.connect_tls(certificate="client").call("PING"), "PONG")
        for certificate in (None, "foreign"):
            with self.assertRaises((ssl.SSLError, EOFError, ConnectionError)):
                self.connect_tls(certificate=certificate).call("PING")
        self.assertEqual(self.connect_tls(certificate="client").call("PING"), "PONG")

    def test_plain_text_to_the_tls_port(self):
        self.start_tls()
        for words in (b"PING\r\n" * 10, b"GET / HTTP/1.1\r\n\r\n", os.urandom(1000)):
            with socket.create_connection(("127.0.0.1", self.tls_port), WAIT_SECONDS) as raw:
                raw.sendall(words)
                raw.shutdown(socket.SHUT_WR)
                answer = b""
                try:
                    while more := raw.recv(1000):
                        answer += more
                except ConnectionError:
                    pass
                self.assertNotIn(b"PONG", answer)
        self.alive()

    def test_tls_to_the_plain_port(self):
        self.start_tls()
        with socket.create_connection(("127.0.0.1", self.port), WAIT_SECONDS) as raw:
            with self.assertRaises((ssl.SSLError, ConnectionError, OSError)):
                raw.settimeout(2)
                self.context().wrap_socket(raw, server_hostname="localhost")
        self.alive()

    def test_silent_clients_are_closed(self):
        self.start_tls()
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.tls_port), WAIT_SECONDS) as silent:
            self.assertEqual(silent.recv(1), b"")
        self.assertLess(time.monotonic() - began, 12)
        self.alive()


class Certificates(TlsTest):
    def serial(self):
        connection = self.connect_tls()
        return connection.socket.getpeercert()["serialNumber"]

    def wait_for(self, text):
        deadline = time.monotonic() + WAIT_SECONDS
        while text not in self.errors.read_text():
            self.assertLess(time.monotonic(), deadline, self.errors.read_text())
            time.sleep(0.01)

    def test_reload(self):
        self.start_tls()
        old, before = self.connect_tls(), self.serial()
        self.certificate("server", "ca")
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + WAIT_SECONDS
        while self.serial() == before:
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(old.call("PING"), "PONG")
        after = self.serial()
        self.write("server.pem", "damaged")
        self.process.send_signal(signal.SIGHUP)
        self.wait_for("server.pem' is not in PEM form")
        self.assertEqual(self.serial(), after)

    def test_files_that_do_not_fit(self):
        def message(certificate, key, *more, expect=USAGE):
            return self.refused("--universe", self.universe, "--listen", "127.0.0.1:0",
                                "--tls-listen", "127.0.0.1:0", "--tls-cert", self.path(certificate),
                                "--tls-key", self.path(key), *more, expect=expect)
        self.assertIn(self.path("none"), message("none", "server.key"))
        self.assertIn(self.path("none"), message("server.pem", "none"))
        self.assertIn("not in PEM form", message("server.key", "server.key"))
        self.assertIn("does not belong", message("server.pem", "client.key"))
        self.assertIn("tls-ca", message("server.pem", "server.key", "--tls-client-auth",
                                        "required"))


if __name__ == "__main__":
    unittest.main()
