"""Runs a command while the OSDs of a cluster are killed and revived, one after the other.

    under_faults.py COMMAND...      LUNA_CEPH_SCRIPT and LUNA_CEPH_CONF name the cluster
Ends as the command does, with every OSD revived.
"""

import itertools
import os
import pathlib
import subprocess
import sys
import threading

PAUSE_SECONDS = 2.0


def main():
    script = os.environ["LUNA_CEPH_SCRIPT"]
    directory = pathlib.Path(os.environ["LUNA_CEPH_CONF"]).parent
    done = threading.Event()
    rounds, failures = [0], []

    def trouble():
        for osd in itertools.cycle(("0", "1", "2")):
            for command in ("kill-osd", "revive-osd"):
                ended = subprocess.run([script, command, str(directory), osd], check=False)
                if ended.returncode != 0:
                    failures.append(f"{command} {osd}")
                    return
                done.wait(PAUSE_SECONDS)
            rounds[0] += 1
            if done.is_set():
                return

    thread = threading.Thread(target=trouble)
    thread.start()
    code = subprocess.run(sys.argv[1:], check=False).returncode
    done.set()
    thread.join()
    print(f"{rounds[0]} OSDs were killed and revived")
    for failure in failures:
        print(f"the cluster refused: {failure}")
    sys.exit(code if code != 0 else int(bool(failures)))


if __name__ == "__main__":
    main()
