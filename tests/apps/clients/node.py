"""Sets up the Node.js libraries for the tests: `npm ci` into the build tree, once per lock file.

The environment names the place (LUNA_CLIENTS_BUILD).
"""

import fcntl
import os
import pathlib
import shutil
import subprocess

from client import ClientTest, need

HERE = pathlib.Path(__file__).parent
PLACE = pathlib.Path(os.environ["LUNA_CLIENTS_BUILD"])
INSTALL_SECONDS = 300


def install():
    """Installs what package-lock.json names, unless it is there already."""
    need("the test", shutil.which("node"), "nodejs")
    npm = need("the test", shutil.which("npm"), "npm")
    PLACE.mkdir(parents=True, exist_ok=True)
    with open(PLACE / "lock", "wb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # two suites may begin at once
        lock = (HERE / "package-lock.json").read_bytes()
        installed = PLACE / "installed.json"
        if installed.exists() and installed.read_bytes() == lock:
            return
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, PLACE / name)
        done = subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=PLACE,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.STDOUT, text=True, timeout=INSTALL_SECONDS)
        if done.returncode != 0:
            raise AssertionError(f"npm ci failed in {PLACE}; is the package registry reachable?\n"
                                 + done.stdout)
        installed.write_bytes(lock)


class NodeTest(ClientTest):
    """A test of a script that finds the libraries in the build tree."""

    def surroundings(self):
        return {"NODE_PATH": str(PLACE / "node_modules")}
