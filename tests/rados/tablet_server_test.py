"""Three tablet servers with one universe on Ceph: clients of any of them lose nothing that was
acknowledged and read nothing stale, while leaders are killed, held past their lease and sent away.

The environment names program and cluster: LUNAD, LUNA, LUNA_CEPH_CONF.
"""

import os
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from tablet_servers import WAIT_SECONDS, Group, Ledger, Refusal, free_ports

CONF = os.environ["LUNA_CEPH_CONF"]
LEASE_MILLIS = 1000


class TabletServerTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="luna-group-")
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.location = f"rados:luna?conf={CONF}&namespace=group-{os.getpid()}-{time.time_ns()}"

    def group(self, *flags):
        group = Group(3, self.location, self.folder, "--lease", LEASE_MILLIS, *flags)
        self.addCleanup(group.end)
        return group

    def judge(self, group, ledger):
        ledger.end()
        self.assertEqual(ledger.problems, [], group.journals())
        self.assertEqual(ledger.missing(), [], group.journals())
        self.assertGreater(len(ledger.kept), 0)
        self.assertGreater(ledger.reads, 0)
        print(f"{len(ledger.kept)} acknowledged writes are there, {ledger.reads} reads were fresh")

    def load(self, group):
        group.leader()
        ledger = Ledger(group.servers)
        self.addCleanup(ledger.end)
        ledger.gap(time.monotonic())
        return ledger

    def test_killed_leaders_lose_nothing(self):
        group = self.group()
        ledger = self.load(group)
        times = []
        for _ in range(4):
            time.sleep(1)
            leader = group.leader()
            leader.kill()
            killed = time.monotonic()
            times.append(ledger.gap(killed))
            leader.start()
        print("writes went on after a kill -9:", ", ".join(f"{t:.2f} s" for t in times))
        self.judge(group, ledger)
        for server in group.servers:
            self.assertEqual(server.end(), 0, group.journals())

    def test_a_leader_that_was_held_answers_nothing_stale(self):
        group = self.group()
        ledger = self.load(group)
        for _ in range(2):
            old = group.leader()
            with old.connect() as direct:
                self.assertEqual(direct.call("SET", "who", "old"), "OK")
                self.assertEqual(direct.call("GET", "who"), b"old")
                old.hold()
                held = time.monotonic()
                new = group.leader(but=old)
                print(f"another one leads {time.monotonic() - held:.2f} s after the hold")
                with new.connect() as other:
                    self.assertEqual(other.call("SET", "who", "new"), "OK")
                # Asked after the write was acknowledged: whoever answers must have seen it.
                direct.send(b"*2\r\n$3\r\nGET\r\n$3\r\nwho\r\n" * 50)
                old.let_go()
                for _ in range(50):
                    try:
                        reply = direct.reply()
                    except (OSError, EOFError):
                        break
                    self.assertTrue(reply == b"new" or isinstance(reply, Refusal), reply)
            ledger.gap(time.monotonic())
            time.sleep(1)
        self.judge(group, ledger)

    def test_the_lead_goes_where_it_is_sent(self):
        group = self.group()
        ledger = self.load(group)
        for _ in range(3):
            old = group.leader()
            new = next(server for server in group.servers if server is not old)
            with new.connect() as connection:  # through a server that follows
                self.assertIsInstance(connection.call("GROUP", "TRANSFER", "nobody"), Refusal)
                self.assertIn("itself", connection.call("GROUP", "TRANSFER", old.name))
                sent = time.monotonic()
                try:
                    self.assertEqual(connection.call("GROUP", "TRANSFER", new.name), "OK")
                except (OSError, EOFError):
                    pass  # the lead went faster than the answer
            self.assertIs(group.leader(but=old), new)
            print(f"writes went on {ledger.gap(sent + 0.1) + 0.1:.2f} s after a transfer")
            time.sleep(1)
        self.judge(group, ledger)

    def test_who_was_removed_never_leads(self):
        group = self.group()
        ledger = self.load(group)
        leader = group.leader()
        barred, heir = [server for server in group.servers if server is not leader]
        with heir.connect() as connection:  # passed on to the leader
            self.assertIn("leads the group", connection.call("GROUP", "REMOVE", leader.name))
            self.assertEqual(connection.call("GROUP", "REMOVE", barred.name), "OK")
            self.assertIn("was removed", connection.call("GROUP", "TRANSFER", barred.name))
        self.assertEqual(leader.status()["removed"], barred.name)
        leader.kill()
        self.assertIs(group.leader(but=leader), heir)
        self.assertEqual(heir.status()["removed"], barred.name)
        with heir.connect() as connection:
            self.assertEqual(connection.call("GROUP", "ADD", barred.name), "OK")
        self.assertEqual(heir.status()["removed"], "")
        heir.kill()
        self.assertIs(group.leader(but=heir), barred)
        self.judge(group, ledger)

    def test_a_leader_that_stops_in_order_hands_over(self):
        group = self.group()
        ledger = self.load(group)
        leader = group.leader()
        with leader.connect() as connection:
            self.assertEqual(connection.call("SHUTDOWN"), "OK")
        self.assertEqual(leader.process.wait(WAIT_SECONDS), 0, group.journals())
        ended = time.monotonic()
        group.leader(but=leader)
        print(f"writes went on {ledger.gap(ended):.2f} s after an orderly stop")
        time.sleep(1)
        self.judge(group, ledger)

    def test_who_asks_before_each_read_needs_no_clock(self):
        group = self.group("--confirm", "true")
        ledger = self.load(group)
        time.sleep(1)
        group.leader().kill()
        killed = time.monotonic()
        print(f"with confirm, writes went on after {ledger.gap(killed):.2f} s")
        self.judge(group, ledger)

    def test_who_refuses_names_the_leader(self):
        group = self.group("--writes", "refuse")
        deadline = time.monotonic() + WAIT_SECONDS
        leader = group.leader()
        follower = next(server for server in group.servers if server is not leader)
        while follower.status().get("leader") != leader.name:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.assertEqual(follower.status()["role"], "following")
        with follower.connect() as connection:
            self.assertEqual(connection.call("PING"), "PONG")
            for words in (("GET", "a"), ("SET", "a", "1")):
                refused = connection.call(*words)
                self.assertIsInstance(refused, Refusal)
                self.assertTrue(refused.startswith("READONLY"), refused)
                self.assertIn(leader.name, refused)
        # The command line is a thin coat over the same.
        shown = subprocess.run([os.environ["LUNA"], "--server", leader.name, "group", "status"],
                               capture_output=True, text=True, timeout=WAIT_SECONDS, check=True)
        self.assertIn("role:leading", shown.stdout)

    def test_the_page_tells_the_role(self):
        group = Group(0, self.location, self.folder)
        self.addCleanup(group.end)
        ports = free_ports(2)
        for port in ports:
            one = Group(1, self.location, self.folder, "--lease", LEASE_MILLIS, "--http-listen",
                        f"127.0.0.1:{port}").servers[0]
            one.page = port
            group.servers.append(one)
        leader = group.leader()

        def page(server, path):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{server.page}{path}") as answer:
                    return answer.read().decode()
            except (urllib.error.URLError, OSError) as error:
                return str(error)

        follower = next(server for server in group.servers if server is not leader)
        self.assertEqual(page(leader, "/readyz"), "ready: leading\n")
        self.assertIn("luna_replica_leading 1\n", page(leader, "/metrics"))
        self.assertIn("luna_command_calls_total", page(leader, "/metrics"))
        deadline = time.monotonic() + WAIT_SECONDS
        while page(follower, "/readyz") != f"ready: following: {leader.name} leads\n":
            self.assertLess(time.monotonic(), deadline, page(follower, "/readyz"))
            time.sleep(0.05)
        self.assertIn("luna_replica_leading 0\n", page(follower, "/metrics"))
        self.assertEqual(page(follower, "/healthz"), "ok\n")
        leader.kill()
        self.assertIs(group.leader(but=leader), follower)
        self.assertEqual(page(follower, "/readyz"), "ready: leading\n")


if __name__ == "__main__":
    unittest.main()
