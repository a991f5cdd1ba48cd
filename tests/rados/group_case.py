"""A test case with a group of tablet servers under load and every ledger there is.

The environment names program and cluster: LUNAD, LUNA_CEPH_CONF, LUNA_CEPH_SCRIPT.
"""

import os
import tempfile
import time
import unittest

from more_ledgers import Bulk, Collections, Counters
from tablet_servers import Group, Ledger
from trouble import Cluster

LEASE_MILLIS = 1000
TIMEOUT_SECONDS = 8  # of the storage: then an append is given up as unknown


class GroupCase(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="luna-group-")
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.cluster = Cluster()
        # What a test that failed left behind would fail the next one.
        self.addCleanup(self.cluster.mend)
        self.location = (f"rados:luna?conf={os.environ['LUNA_CEPH_CONF']}&timeout={TIMEOUT_SECONDS}"
                         f"&namespace=luck-{os.getpid()}-{time.time_ns()}")
        self.ledgers = []

    def start(self, *flags, count=3, bulk=2):
        """A group under load, which is on its way."""
        group = Group(count, self.location, self.folder, "--lease", LEASE_MILLIS, "--memory",
                      "64MiB", *flags)
        self.addCleanup(group.end)
        group.leader()
        self.load(group, bulk)
        return group

    def load(self, group, bulk=2):
        self.ledger = Ledger(group.servers)
        self.ledgers.append(self.ledger)
        self.addCleanup(self.ledger.end)
        self.counters = Counters(group.servers)
        self.collections = Collections(group.servers)
        self.bulk = Bulk(group.servers, bulk)
        for more in (self.counters, self.collections, self.bulk):
            self.ledgers.append(more)
            self.addCleanup(more.end)
            more.start()
        self.ledger.gap(time.monotonic())

    def judge(self, group, refused=None):
        """Ends the load: everything acknowledged is there, once, and no read was stale. Errors
        that begin with `refused` were to be expected besides those that always are."""
        for ledger in self.ledgers:
            ledger.end()
            ledger.problems = [problem for problem in ledger.problems
                               if refused is None or f"was answered: {refused} " not in problem]
        said = group.journals
        self.assertEqual(self.ledger.problems, [], said())
        self.assertEqual(self.ledger.missing(), [], said())
        self.assertEqual(self.counters.judge(), [], said())
        self.assertEqual(self.collections.judge(), [], said())
        self.assertEqual(self.bulk.problems, [], said())
        for count in (len(self.ledger.kept), self.ledger.reads, self.counters.answers):
            self.assertGreater(count, 0)
        print(f"{len(self.ledger.kept)} acknowledged writes are there, {self.ledger.reads} reads "
              f"were fresh, {self.counters.answers} increments counted once, "
              f"{len(self.collections.made)} collections are there, "
              f"{len(self.collections.dropped)} are gone; {self.bulk.bytes() >> 20} MiB besides")
