"""A server that is cut off from its storage alone, or from its clients alone. It runs in a network
of its own, so that its connections can be silenced while those of the others go on.

The environment names program and cluster: LUNAD, LUNA_CEPH_CONF, LUNA_CEPH_SCRIPT. Ends with 77 if
this machine gives no networks of one's own.
"""

import json
import re
import sys
import time
import unittest

from glass_box import Box, Links, Refused
from group_case import LEASE_MILLIS, GroupCase
from tablet_servers import REPLY_SECONDS, WAIT_SECONDS, Group, Refusal, Server

SKIPPED = 77


class BoxedServer(Server):
    """Whose network can be cut."""

    def __init__(self, box, *words):
        super().__init__(*words)
        self.box = box

    def start(self):
        self.box.inside(super().start)


class CutOffTest(GroupCase):

    def setUp(self):
        super().setUp()
        self.box = Box()
        self.addCleanup(self.box.end)
        self.links = Links(self.box)
        self.addCleanup(self.links.end)

    def start_with_box(self):
        """Three servers, of which the one in the box leads."""
        flags = ("--lease", LEASE_MILLIS, "--memory", "64MiB")
        group = Group(3, self.location, self.folder, *flags)
        self.addCleanup(group.end)
        boxed = group.servers[0]
        boxed.kill()
        boxed = BoxedServer(self.box, boxed.port, self.location, self.folder, *flags)
        group.servers[0] = boxed
        self.links.out("storage", *self.storage_ports())
        self.links.out("others", *[server.port for server in group.servers[1:]])
        self.links.into("clients", boxed.port)
        boxed.start()
        leader = group.leader()
        deadline = time.monotonic() + WAIT_SECONDS
        while leader is not boxed:
            self.assertLess(time.monotonic(), deadline, group.journals())
            with leader.connect() as connection:
                try:
                    connection.call("GROUP", "TRANSFER", boxed.name)
                except (OSError, EOFError):
                    pass  # the lead went faster than the answer
            time.sleep(0.5)
            leader = group.leader()
        self.load(group)
        return group, boxed

    def storage_ports(self):
        dump = json.loads(self.cluster.ceph("osd", "dump", "-f", "json"))
        ports = [int(address["addr"].rsplit(":", 1)[1])
                 for osd in dump["osds"] for address in osd["public_addrs"]["addrvec"]]
        with open(self.cluster.conf, encoding="utf-8") as conf:
            monitor = re.search(r"mon_host = \[v2:127\.0\.0\.1:(\d+)\]", conf.read())
        return [int(monitor.group(1)), *ports]

    def test_a_leader_cut_off_from_storage_alone_answers_nothing_stale(self):
        group, old = self.start_with_box()
        for _ in range(2):
            with old.connect() as direct:
                self.assertEqual(direct.call("SET", "who", "old"), "OK")
                self.assertEqual(direct.call("GET", "who"), b"old")
                self.links.cut("storage")
                cut = time.monotonic()
                new = group.leader(but=old)
                print(f"another one leads {time.monotonic() - cut:.2f} s after the cut")
                with new.connect() as other:
                    self.assertEqual(other.call("SET", "who", "new"), "OK")
                # It sees the storage no more, so it cannot know who leads; only that it does not.
                for _ in range(20):
                    try:
                        reply = direct.call("GET", "who")
                    except (OSError, EOFError):
                        break
                    self.assertTrue(reply == b"new" or isinstance(reply, Refusal), reply)
            self.ledger.gap(time.monotonic())
            # Appends that waited in the link arrive now, under an epoch that is over.
            self.links.mend("storage")
            deadline = time.monotonic() + WAIT_SECONDS
            while old.status().get("server") != new.name:  # sends clients on again
                self.assertLess(time.monotonic(), deadline, group.journals())
                time.sleep(0.1)
            with new.connect() as connection:
                self.assertEqual(connection.call("GET", "who"), b"new")
                try:
                    connection.call("GROUP", "TRANSFER", old.name)
                except (OSError, EOFError):
                    pass
            self.assertIs(group.leader(but=new), old)
        self.judge(group)
        self.assertEqual([server.end() for server in group.servers], [0] * 3, group.journals())

    def test_a_leader_cut_off_from_clients_alone_goes_on_leading(self):
        group, leader = self.start_with_box()
        with leader.connect() as connection:
            self.assertEqual(connection.call("SET", "who", "leader"), "OK")
        epoch = leader.status()["epoch"]
        waiting = [server.connect() for server in group.servers]  # of which one needs no other
        for connection in waiting:
            self.addCleanup(connection.close)
            self.assertEqual(connection.call("GET", "who"), b"leader")
        self.links.cut("clients")
        for connection in waiting:
            connection.send(b"*2\r\n$3\r\nGET\r\n$3\r\nwho\r\n")
        time.sleep(3 * LEASE_MILLIS / 1000)
        # It renews its lease, so nobody takes over, and who asked hears of it when it is back.
        self.assertNotIn("leads-no-more", leader.journal.read_text())
        before = self.ledger.last_ack
        self.links.mend("clients")
        for connection in waiting:
            self.assertEqual(connection.reply(), b"leader")
        print(f"writes went on {self.ledger.gap(time.monotonic()):.2f} s after the cut was mended")
        self.assertLess(before, time.monotonic() - 2 * LEASE_MILLIS / 1000)  # it was a cut
        self.assertEqual(leader.status()["epoch"], epoch)

        # Silence ends with the leader's lead: whoever waits is told, and goes to the next one.
        self.links.cut("clients")
        for connection in waiting:
            connection.send(b"*2\r\n$3\r\nGET\r\n$3\r\nwho\r\n")
        time.sleep(0.5)
        leader.kill()
        killed = time.monotonic()
        for connection in waiting[1:]:
            self.assertRaises((OSError, EOFError), connection.reply)
            self.assertLess(time.monotonic() - killed, REPLY_SECONDS)
        group.leader(but=leader)
        self.links.mend("clients")
        print(f"writes went on {self.ledger.gap(killed):.2f} s after it was killed")
        self.judge(group)
        self.assertEqual([server.end() for server in group.servers[1:]], [0] * 2, group.journals())


if __name__ == "__main__":
    try:
        Box().end()
    except Refused as error:
        print(f"SKIP: no network of one's own here: {error}")
        sys.exit(SKIPPED)
    unittest.main()
