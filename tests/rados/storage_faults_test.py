"""Tablet servers while their storage has bad luck: OSDs that are killed during appends, flushes,
compactions and edits of manifests; too few of them; no space; a pause of everything. Whatever was
acknowledged is there afterwards, once, and work goes on by itself.

The environment names program and cluster: LUNAD, LUNA_CEPH_CONF, LUNA_CEPH_SCRIPT.
"""

import time
import unittest

from group_case import TIMEOUT_SECONDS, GroupCase
from tablet_servers import Refusal
from trouble import OSDS

STALL_SECONDS = 3
WORDS = ("MISCONF", "TRYAGAIN", "BUSYWRITE", "READONLY")  # of a server that cannot write now


class StorageFaultsTest(GroupCase):

    def stats(self, server):
        with server.connect() as connection:
            text = connection.call("INFO", "ALL")
        self.assertIsInstance(text, bytes, text)
        return dict(row.split(":", 1) for row in text.decode().splitlines() if ":" in row)

    def stalls(self):
        """Nothing is acknowledged any more, soon."""
        time.sleep(1)
        before = self.ledger.last_ack
        time.sleep(STALL_SECONDS)
        self.assertEqual(self.ledger.last_ack, before, "a write was acknowledged")

    def asks(self, server, *words):
        """The reply of a server that cannot write: one error, in a bounded time."""
        began = time.monotonic()
        try:
            with server.connect() as connection:
                connection.socket.settimeout(3 * TIMEOUT_SECONDS)
                reply = connection.call(*words)
        except (OSError, EOFError) as error:
            reply = f"no answer: {error}"
        seconds = time.monotonic() - began
        print(f"{words[0]} was answered after {seconds:.1f} s: {str(reply)[:160]}")
        self.assertLess(seconds, 3 * TIMEOUT_SECONDS)
        return reply

    def goes_on(self):
        mended = time.monotonic()
        print(f"writes went on {self.ledger.gap(mended):.2f} s after it was mended")
        time.sleep(1)

    def test_osds_are_killed_one_after_the_other(self):
        group = self.start()
        gaps = []
        for osd in OSDS:
            self.cluster.kill_osd(osd)
            gaps.append(self.ledger.gap(time.monotonic()))
            time.sleep(2)
            self.cluster.revive_osd(osd)
            time.sleep(2)
        print("writes went on after an OSD was killed:", ", ".join(f"{gap:.2f} s" for gap in gaps))
        stats = self.stats(group.leader())
        self.judge(group)
        print(f"{stats['luna_flushes']} flushes, {stats['luna_compactions']} compactions")
        # Without them the faults met appends only.
        self.assertGreater(int(stats["luna_flushes"]), 0)
        self.assertGreater(int(stats["luna_compactions"]), 0)

    def test_two_osds_are_too_few(self):
        group = self.start()
        for osd in OSDS[:2]:
            self.cluster.kill_osd(osd)
        self.stalls()
        refused = self.asks(group.servers[0], "SET", "a", "1")
        self.assertNotEqual(refused, "OK")
        self.cluster.mend()
        self.goes_on()
        self.judge(group)

    def test_a_full_pool_refuses_and_recovers(self):
        group = self.start()
        leader = group.leader()
        self.cluster.fill()
        self.stalls()
        refused = self.asks(leader, "SET", "a", "1")
        self.assertIsInstance(refused, Refusal)
        self.assertIn(refused.split()[0], WORDS)
        self.cluster.make_room()
        self.goes_on()
        self.assertIn("disk_full", group.journals())  # what an operator looks for
        # Commits that found no space stand in the way of later ones until those may read anew.
        self.judge(group, refused="CONFLICT")

    def test_a_paused_pool_stalls_and_goes_on(self):
        group = self.start()
        with group.leader().connect() as connection:
            self.assertEqual(connection.call("SET", "there", "1"), "OK")
        self.cluster.pause()
        self.stalls()
        # Reads cannot be confirmed either: an error, or the end of the connection, not silence.
        for server in group.servers:
            self.assertNotIsInstance(self.asks(server, "GET", "there"), bytes)
        self.cluster.go_on()
        self.goes_on()
        self.judge(group)


if __name__ == "__main__":
    unittest.main()
