"""What befalls a Ceph cluster of scripts/ceph-devcluster: OSDs that are killed, space that is gone,
a pause of everything. mend() takes all of it back.

The environment names the cluster: LUNA_CEPH_CONF, LUNA_CEPH_SCRIPT.
"""

import json
import os
import pathlib
import subprocess
import time

OSDS = (0, 1, 2)
COMMAND_SECONDS = 60


class Cluster:

    def __init__(self):
        self.conf = os.environ["LUNA_CEPH_CONF"]
        self.directory = pathlib.Path(self.conf).parent
        self.dead = set()
        self._full = self._paused = False

    def kill_osd(self, osd):
        self._script("kill-osd", osd)
        self.dead.add(osd)

    def revive_osd(self, osd):
        self._script("revive-osd", osd)
        self.dead.discard(osd)

    def fill(self):
        """Every OSD says that it is full; returns when the pool is called so."""
        self._full = True
        self._pretend("full", "1000000")
        self._await_full(True)

    def make_room(self):
        self._pretend("none", "0")
        self._await_full(False)
        self._full = False

    def pause(self):
        """No object is read or written until go_on()."""
        self._paused = True
        self.ceph("osd", "set", "pause")

    def go_on(self):
        self._paused = False
        self.ceph("osd", "unset", "pause")

    def mend(self):
        for osd in sorted(self.dead):
            self.revive_osd(osd)
        if self._full:
            self.make_room()
        if self._paused:
            self.go_on()

    def ceph(self, *words):
        return self._run("ceph", "-c", self.conf, "--connect-timeout", "20", *words)

    def _pretend(self, *words):
        for osd in set(OSDS) - self.dead:
            self._run("ceph", "daemon", self.directory / "run" / f"osd.{osd}.asok", "injectfull",
                      *words)

    def _await_full(self, full):
        deadline = time.monotonic() + COMMAND_SECONDS
        while True:
            pools = json.loads(self.ceph("osd", "dump", "-f", "json"))["pools"]
            if all(("full" in pool["flags_names"].split(",")) == full for pool in pools):
                return
            assert time.monotonic() < deadline, "the pools' fullness does not change"
            time.sleep(0.2)

    def _script(self, command, osd):
        self._run(os.environ["LUNA_CEPH_SCRIPT"], command, self.directory, osd)

    def _run(self, *words):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                              timeout=COMMAND_SECONDS, check=False)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout
