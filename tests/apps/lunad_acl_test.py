"""Users and their rights from the outside: redis-cli, redis-py, the ACL file, wrong passwords.

The environment names the program: LUNAD.
"""

import subprocess
import threading
import time
import unittest

from lunad_test import REDIS_CLI, WAIT_SECONDS, Failure, ServiceTest
from redis_py import redis
from program import USAGE

NO_KEY = "^NOPERM this user has no permissions to access one of the keys used as arguments$"


class AclTest(ServiceTest):
    def as_user(self, user, password="pw"):
        connection = self.connect()
        self.assertEqual(connection.call("AUTH", user, password), "OK")
        return connection

    def fails(self, connection, pattern, *words):
        with self.assertRaisesRegex(Failure, pattern):
            connection.call(*words)


class Rights(AclTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.admin = self.connect()
        self.admin.call("ACL", "SETUSER", "bob", "on", ">pw", "~b:*", "%R~r:*", "+@all", "-del",
                        "-@dangerous")

    def test_commands_and_keys(self):
        bob = self.as_user("bob")
        self.assertEqual(bob.call("ACL", "WHOAMI"), b"bob")
        self.assertEqual(bob.call("SET", "b:1", "v"), "OK")
        self.fails(bob, NO_KEY, "GET", "x")
        self.fails(bob, NO_KEY, "MGET", "b:1", "x")
        self.assertIsNone(bob.call("GET", "r:1"))
        self.fails(bob, NO_KEY, "SET", "r:1", "v")
        self.fails(bob, NO_KEY, "RANGE", "PREFIX", "b:")
        self.fails(bob, "^NOPERM this user has no permissions to run the 'del' command$",
                   "DEL", "b:1")
        self.fails(bob, "^NOPERM .* run the 'config.get' command$", "CONFIG", "GET", "*")
        self.assertEqual(bob.call("GET", "b:1"), b"v")

    def test_changes_act_at_once(self):
        bob = self.as_user("bob")
        bob.call("SET", "b:1", "v")
        self.admin.call("ACL", "SETUSER", "bob", "-set")
        self.fails(bob, "^NOPERM .*'set'", "SET", "b:1", "v")
        self.assertEqual(self.admin.call("ACL", "DELUSER", "bob"), 1)
        with self.assertRaises((EOFError, ConnectionError)):
            bob.call("GET", "b:1")
            bob.reply()
        self.assertEqual(self.admin.call("PING"), "PONG")

    def test_transactions(self):
        bob = self.as_user("bob")
        self.assertEqual(bob.call("MULTI"), "OK")
        self.assertEqual(bob.call("SET", "b:1", "v"), "QUEUED")
        self.admin.call("ACL", "SETUSER", "bob", "-set")
        (refused,) = bob.call("EXEC")
        self.assertRegex(str(refused), "^NOPERM ACLs rules changed")
        self.assertIsNone(bob.call("GET", "b:1"))
        self.assertEqual(bob.call("BEGIN"), 1)
        self.fails(bob, "^NOPERM", "SET", "b:1", "v")
        self.assertIsInstance(bob.call("COMMIT"), (int, bytes, str))

    def test_databases(self):
        self.admin.call("DATABASE", "CREATE", "orders")
        self.admin.call("ACL", "SETUSER", "clerk", "on", ">pw", "allkeys", "+@all", "db:orders")
        clerk = self.as_user("clerk@orders")
        self.assertEqual(clerk.call("SET", "k", "theirs"), "OK")
        self.assertIsNone(self.admin.call("GET", "k"))
        self.fails(clerk, "^NOPERM .* database 'default'", "USE", "default")
        self.fails(clerk, "^NOPERM", "DATABASE", "DROP", "default", "YES", "NOW")
        self.fails(clerk, "^NOPERM", "FLUSHALL")
        self.assertEqual(clerk.call("GET", "k"), b"theirs")
        self.assertEqual(self.as_user("clerk").call("GET", "k"), b"theirs")
        self.fails(self.connect(), "^NOPERM", "AUTH", "clerk@default", "pw")

    def test_nobody_gets_in_without_a_password_once_there_is_one(self):
        before = self.connect()
        before.call("PING")
        self.admin.call("ACL", "SETUSER", "default", ">secret")
        after = self.connect()
        self.fails(after, "^NOAUTH", "GET", "k")
        self.fails(after, "^NOAUTH", "ACL", "LIST")
        self.assertEqual(after.call("AUTH", "secret"), "OK")
        self.assertEqual(self.as_user("bob").call("PING"), "PONG")

    @unittest.skipUnless(REDIS_CLI, "redis-cli is not installed")
    def test_redis_cli(self):
        done = subprocess.run([REDIS_CLI, "-p", str(self.port), "--user", "bob", "--pass", "pw",
                               "--no-auth-warning"], input=b"ACL WHOAMI\nSET b:1 v\nGET x\n",
                              capture_output=True, check=True, timeout=WAIT_SECONDS)
        self.assertEqual(done.stdout.split(b"\n")[:2], [b"bob", b"OK"])
        self.assertIn(b"NOPERM", done.stdout)

    @unittest.skipUnless(redis, "python3-redis is not installed")
    def test_redis_py(self):
        client = redis.Redis(port=self.port, socket_timeout=WAIT_SECONDS, decode_responses=True)
        self.addCleanup(client.close)
        self.assertTrue(client.acl_setuser("eve", enabled=True, passwords=["+pw"], keys=["e:*"],
                                           commands=["+get", "+set"]))
        self.assertIn("eve", client.acl_users())
        shown = client.acl_getuser("eve")
        self.assertIn("on", shown["flags"])
        self.assertEqual(len(shown["passwords"]), 1)
        self.assertEqual(client.acl_whoami(), "default")
        self.assertEqual(len(client.acl_genpass()), 64)
        self.assertTrue(client.acl_list())
        eve = redis.Redis(port=self.port, username="eve", password="pw",
                          socket_timeout=WAIT_SECONDS)
        self.addCleanup(eve.close)
        self.assertTrue(eve.set("e:1", "v"))
        with self.assertRaises(redis.exceptions.NoPermissionError):
            eve.get("x")
        self.assertEqual(client.acl_log()[0]["object"], "x")
        self.assertTrue(client.acl_log_reset())
        self.assertEqual(client.acl_deluser("eve"), 1)


class Passwords(AclTest):
    def test_wrong_ones_wait_longer_each_time_and_hold_up_nobody(self):
        self.start(environment={"LUNA_PASSWORD": "secret"})
        good = self.connect()
        good.call("AUTH", "secret")
        waits, pings = [], 0
        guesser = self.connect()

        def guess():
            for _ in range(3):
                began = time.monotonic()
                try:
                    guesser.call("AUTH", "nobody", "guess")
                except Failure as failure:
                    self.assertIn("WRONGPASS", str(failure))
                waits.append(time.monotonic() - began)
        thread = threading.Thread(target=guess)
        thread.start()
        while thread.is_alive():
            good.call("PING")
            pings += 1
        thread.join()
        self.assertEqual(len(waits), 3)
        for wait, least in zip(waits, (0.2, 0.4, 0.8)):
            self.assertGreaterEqual(wait, least - 0.01)
        self.assertGreater(pings, 20)  # were they held up, a few in 1.4 s
        # What was sent behind a wrong password waits, too, and keeps its order.
        guesser.send("AUTH", "guess")
        guesser.send("PING")
        with self.assertRaisesRegex(Failure, "^WRONGPASS"):
            guesser.reply()
        with self.assertRaisesRegex(Failure, "^NOAUTH"):
            guesser.reply()
        self.assertEqual(guesser.call("AUTH", "secret"), "OK")
        self.assertEqual(good.call("ACL", "LOG")[0][3], b"auth")

    def test_a_stop_does_not_wait_for_guessers(self):
        self.start(environment={"LUNA_PASSWORD": "secret"})
        guesser = self.connect()
        guesser.send("AUTH", "guess")
        self.end()


class File(AclTest):
    def start_with(self, text):
        self.file = self.write("users.acl", text)
        self.start("--acl-file", str(self.file))

    def test_users_come_from_the_file_and_go_there(self):
        self.start_with("# people\nuser default off\nuser root on >pw ~* &* +@all\n")
        self.fails(self.connect(), "^NOAUTH", "PING")
        root = self.as_user("root")
        root.call("ACL", "SETUSER", "bob", "on", ">word", "~b:*", "+get")
        self.assertEqual(root.call("ACL", "SAVE"), "OK")
        text = self.file.read_text()
        self.assertNotIn("word", text)
        self.assertIn("user bob on #", text)
        self.end()
        self.start("--acl-file", str(self.file))
        self.assertIsNone(self.as_user("bob", "word").call("GET", "b:1"))

    def test_load_takes_all_or_nothing(self):
        self.start_with("user root on nopass ~* &* +@all\nuser bob on nopass +@all\n")
        root, bob = self.as_user("root"), self.as_user("bob")
        self.file.write_text("user root on nopass ~* &* +@all\nuser eve on nonsense\n")
        self.fails(root, r"users\.acl:2: the rule 'nonsense': Syntax error", "ACL", "LOAD")
        self.assertEqual(bob.call("PING"), "PONG")
        self.file.write_text("user root on nopass ~* &* +@all\n")
        self.assertEqual(root.call("ACL", "LOAD"), "OK")
        with self.assertRaises((EOFError, ConnectionError)):
            bob.call("PING")
            bob.reply()
        self.assertEqual(root.call("ACL", "USERS"), [b"default", b"root"])

    def test_wrong_files_are_named_at_the_start(self):
        file = self.write("users.acl", "user a on\nuser b +nosuch\n")
        words = ["--universe", self.universe, "--listen", "127.0.0.1:0", "--acl-file"]
        self.assertIn("users.acl:2: the rule '+nosuch'", self.refused(*words, file, expect=USAGE))
        missing = self.directory / "none"
        self.assertIn(str(missing), self.refused(*words, missing))
        # A file that asks nobody for a password is no guard.
        file.write_text("user default on nopass ~* +@all\n")
        self.assertIn("needs no password", self.refused(*words, file, "--listen", "0.0.0.0:0",
                                                        expect=USAGE))


if __name__ == "__main__":
    unittest.main()
