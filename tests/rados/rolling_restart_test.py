"""A rolling restart with a build that knows one kind of records more (tests/rados/next_records.cc):
old and new servers work side by side until the new kind is written, which the new build does only
when it is told to; an old server that meets it then says so and ends, and never leads.

The environment names programs and cluster: LUNAD, LUNAD_NEXT, LUNA_CEPH_CONF, LUNA_CEPH_SCRIPT.
"""

import os
import time
import unittest

from group_case import LEASE_MILLIS, GroupCase
from tablet_servers import WAIT_SECONDS, Server, free_ports

TELLS = "LUNA_NEXT_RECORDS"
CANNOT_GO_ON = 3  # lunad's exit code


class RollingRestartTest(GroupCase):

    def setUp(self):
        super().setUp()
        self.addCleanup(os.environ.pop, TELLS, None)

    def restart_each(self, group, program):
        for server in group.servers:
            self.assertEqual(server.end(), 0, group.journals())
            server.words[0] = program
            server.start()
            self.ledger.gap(time.monotonic())
            time.sleep(LEASE_MILLIS / 1000)
            group.leader()

    def lead(self, group, server):
        """Sends the lead there, if it is not there yet."""
        while (leader := group.leader()) is not server:
            try:
                with leader.connect() as connection:
                    connection.call("GROUP", "TRANSFER", server.name)
            except (OSError, EOFError):
                pass  # the lead went faster than the answer
            time.sleep(0.2)

    def test_a_newer_build_writes_what_is_new_when_all_know_it(self):
        group = self.start(bulk=1)
        self.restart_each(group, os.environ["LUNAD_NEXT"])
        # The way back is open as long as nothing new was written.
        back = group.servers[0]
        back.end()
        back.words[0] = os.environ["LUNAD"]
        back.start()
        self.lead(group, back)
        self.ledger.gap(time.monotonic())
        os.environ[TELLS] = "1"
        self.restart_each(group, os.environ["LUNAD_NEXT"])
        self.judge(group)

        time.sleep(2 * LEASE_MILLIS / 1000)  # nobody writes: leases are renewed
        old = Server(free_ports(1)[0], self.location, self.folder, "--lease", LEASE_MILLIS,
                     "--memory", "64MiB")
        old.start()
        self.addCleanup(old.kill)
        time.sleep(LEASE_MILLIS / 1000)
        for server in group.servers:
            server.kill()
        # It would be its turn. It says what is wrong, once, and ends.
        self.assertEqual(old.process.wait(WAIT_SECONDS), CANNOT_GO_ON)
        said = [line for line in old.journal.read_text().splitlines() if "newer_format" in line]
        self.assertTrue(any(line.startswith("lunad: ") for line in said), said)
        self.assertNotIn("INFO leading", old.journal.read_text())
        for server in group.servers:
            server.start()
        group.leader()
        self.judge(group)  # all that was acknowledged is there still
        self.assertEqual([server.end() for server in group.servers], [0] * 3, group.journals())


if __name__ == "__main__":
    unittest.main()
