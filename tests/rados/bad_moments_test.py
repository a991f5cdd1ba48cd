"""Servers that are started, held and killed at bad moments: two at once on nothing, a leader in the
middle of flushes and compactions, a leader in the middle of changes of its catalog.

The environment names programs and cluster: LUNAD, LUNA, LUNA_CEPH_CONF, LUNA_CEPH_SCRIPT.
"""

import os
import re
import subprocess
import time
import unittest

from group_case import LEASE_MILLIS, GroupCase
from tablet_servers import WAIT_SECONDS, Group, Refusal


class BadMomentsTest(GroupCase):

    def luna(self, server, *words):
        done = subprocess.run([os.environ["LUNA"], "--server", server.name, *words],
                              capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
        self.assertEqual(done.returncode, 0, (words, done.stdout, done.stderr))
        return done.stdout.strip()

    def just_flushed(self, group):
        """The leader, when it has just flushed; the next flush, or a compaction, is near."""
        found = set()
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            self.assertLess(time.monotonic(), deadline, "no flush under load")
            leader = group.leader()
            try:
                with leader.connect() as connection:
                    text = connection.call("INFO", "ALL")
            except (OSError, EOFError):
                continue  # it leads no more
            if isinstance(text, bytes):
                flushes = re.search(rb"luna_flushes:(\d+)", text).group(1)
                if any(name == leader.name and before != flushes for name, before in found):
                    return leader
                found.add((leader.name, flushes))
            time.sleep(0.05)

    def test_two_begin_at_once_on_nothing(self):
        for number in range(5):
            group = Group(2, f"{self.location}-{number}", self.folder, "--lease", LEASE_MILLIS)
            self.addCleanup(group.end)
            leader = group.leader()
            for server in group.servers:
                with server.connect() as connection:  # the one that follows sends it on
                    self.assertEqual(connection.call("SET", server.name, "here"), "OK")
            for server in group.servers:
                with server.connect() as connection:
                    for other in group.servers:
                        self.assertEqual(connection.call("GET", other.name), b"here")
            self.assertEqual([server.status().get("leader") for server in group.servers],
                             [leader.name] * 2)
            self.assertEqual([server.end() for server in group.servers], [0, 0], group.journals())

    def test_a_leader_is_held_while_it_flushes_and_compacts(self):
        group = self.start(bulk=3)
        deposed = 0
        for _ in range(4):
            old = self.just_flushed(group)
            old.hold()
            group.leader(but=old)
            new = time.monotonic()
            # What the old one had begun meets what the new one does now.
            self.ledger.gap(new)
            old.let_go()
            self.ledger.gap(time.monotonic())
            deposed += "leads-no-more" in old.journal.read_text()
        with group.leader().connect() as connection:
            text = connection.call("INFO", "ALL")
        self.assertNotIsInstance(text, Refusal)
        self.judge(group)
        self.assertGreater(deposed, 0)
        error = re.search(r"luna_background_error:(.*)\r", text.decode()).group(1)
        print(f"the last leader's jobs: {error or 'no error in force'}")
        self.assertNotIn("corruption", error, group.journals())  # the others are tried again
        for server in group.servers:
            self.assertEqual(server.end(), 0, group.journals())

    def test_leaders_are_killed_while_they_change_the_catalog(self):
        group = self.start(bulk=0)
        self.collections.pause_seconds = 0
        for _ in range(4):
            time.sleep(0.7)
            leader = group.leader()
            leader.kill()
            self.ledger.gap(time.monotonic())
            leader.start()
        self.judge(group)
        # A collection that is there can be used, and one that is in doubt can be made sure of.
        for name in sorted(self.collections.made)[-3:]:
            self.assertEqual(self.luna(group.leader(), "--collection", name, "SET", "a", name),
                             "OK")
            self.assertEqual(self.luna(group.servers[0], "--collection", name, "GET", "a"), name)
        for name in sorted(self.collections.unsure):
            reply = self.collections.ask("COLLECTION", "CREATE", name)
            self.assertTrue(reply == "OK" or str(reply).startswith("EXISTS"), reply)


if __name__ == "__main__":
    unittest.main()
