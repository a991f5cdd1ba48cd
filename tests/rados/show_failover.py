"""Shows a group at work (scripts/run --cluster): loads a package index through one of three tablet
servers, kills the leader under load, and looks whether every acknowledged write is there.

    show_failover.py CONF FOLDER INDEX      the environment names the programs: LUNAD, LUNA
"""

import os
import subprocess
import sys
import time

from tablet_servers import Group, Ledger

KILLS = 3


def say(text):
    print(text, flush=True)


def luna(server, *words):
    done = subprocess.run([os.environ["LUNA"], "--server", server.name, "--collection", "packages",
                           *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"luna {' '.join(words)} failed: {done.stderr}")
    return done.stdout.strip()


def show(group, index):
    leader = group.leader()
    names = ", ".join(server.name for server in group.servers)
    say(f"three servers: {names}; {leader.name} leads")
    follower = next(server for server in group.servers if server is not leader)
    began = time.monotonic()
    say(luna(follower, "load", index, "--format", "deb822"))
    stored = luna(follower, "--raw", "RANGE", "-", "+", "COUNT").split()[-1]
    say(f"{stored} packages, loaded through {follower.name}, in {time.monotonic() - began:.1f} s")
    ledger = Ledger(group.servers)
    try:
        for _ in range(KILLS):
            time.sleep(2)
            leader = group.leader()
            before = len(ledger.kept)
            leader.kill()
            killed = time.monotonic()
            gap = ledger.gap(killed)
            say(f"kill -9 of {leader.name} after {before} acknowledged writes: "
                f"{group.leader(but=leader).name} leads, writes went on after {gap:.2f} s")
            leader.start()
        time.sleep(1)
    finally:
        ledger.end()
    missing = ledger.missing()
    say(f"{len(ledger.kept)} acknowledged writes, {len(missing)} of them lost; {ledger.reads} "
        f"reads, {len(ledger.problems)} of them stale or wrong")
    left = luna(group.leader(), "--raw", "RANGE", "-", "+", "COUNT").split()[-1]
    say(f"{left} packages are there")
    codes = [server.end() for server in group.servers]
    for problem in ledger.problems[:10]:
        say(problem)
    return not missing and not ledger.problems and left == stored and codes == [0, 0, 0]


def main():
    conf, folder, index = sys.argv[1:]
    group = Group(3, f"rados:luna?conf={conf}", folder)
    try:
        sound = show(group, index)
    finally:
        group.end()
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
