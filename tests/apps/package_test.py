"""The Debian package: built by CPack from what is built, looked into, run from where it unpacks.

The environment names LUNA_CPACK, LUNA_CPACK_CONFIG and LUNA_RELEASE.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

RELEASE = os.environ["LUNA_RELEASE"]
WAIT_SECONDS = 60


@unittest.skipUnless(shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps"),
                     "no tools for Debian packages here")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="luna-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        build = pathlib.Path(os.environ["LUNA_CPACK_CONFIG"]).parent
        for page in ("changelog", "luna.1", "luna-inspect.1", "lunad.8"):
            if not (build / "packaging" / f"{page}.gz").exists():
                raise unittest.SkipTest("the manual pages are not built")
        cls.call(os.environ["LUNA_CPACK"], "--config", os.environ["LUNA_CPACK_CONFIG"],
                 "-B", str(cls.directory / "pack"))
        cls.package, = (cls.directory / "pack").glob(f"luna_{RELEASE}_*.deb")

    @staticmethod
    def call(*words):
        done = subprocess.run([str(word) for word in words], capture_output=True, check=False,
                              timeout=300, umask=0o022, text=True)
        if done.returncode != 0:
            raise AssertionError((words, done.stdout, done.stderr))
        return done.stdout

    def test_says_what_it_is(self):
        described = self.call("dpkg-deb", "--info", self.package)
        for row in ("Package: luna\n", f"Version: {RELEASE}\n", "Section: database\n"):
            self.assertIn(row, described)
        depends, = [line for line in described.splitlines() if "Depends:" in line]
        for library in ("libc6", "adduser", "libspdlog", "libtomlplusplus"):
            self.assertIn(library, depends)

    def test_holds_what_is_needed(self):
        rows = [line.split() for line in
                self.call("dpkg-deb", "--contents", self.package).splitlines()]
        names = {row[5]: row for row in rows}
        for name in ("./usr/bin/luna", "./usr/bin/lunad", "./usr/bin/luna-inspect",
                     "./etc/luna/luna.toml", "./etc/logrotate.d/luna",
                     "./lib/systemd/system/lunad.service", "./usr/share/doc/luna/copyright",
                     "./usr/share/man/man8/lunad.8.gz"):
            self.assertIn(name, names)
        self.assertFalse([name for name in names if "include" in name or name.endswith(".a")])
        self.assertEqual({row[1] for row in rows}, {"root/root"})

    def test_control_scripts_are_shell(self):
        control = self.directory / "control"
        self.call("dpkg-deb", "--control", self.package, control)
        for script in ("postinst", "prerm", "postrm"):
            self.assertTrue(os.access(control / script, os.X_OK), script)
            self.call("sh", "-n", control / script)
        self.assertEqual((control / "conffiles").read_text(),
                         "/etc/luna/luna.toml\n/etc/logrotate.d/luna\n")

    @unittest.skipUnless(shutil.which("lintian"), "no lintian here")
    def test_lintian_finds_no_errors(self):
        done = subprocess.run(["lintian", "--fail-on", "error", str(self.package)],
                              capture_output=True, check=False, timeout=300, text=True)
        self.assertEqual([line for line in done.stdout.splitlines() if line.startswith("E:")], [])

    def test_runs_from_where_it_unpacks(self):
        tree = self.directory / "tree"
        self.call("dpkg", "-x", self.package, tree)
        lunad, config = tree / "usr/bin/lunad", tree / "etc/luna/luna.toml"
        self.assertEqual(self.call(lunad, "--version"), f"lunad {RELEASE}\n")
        self.call(lunad, "--config", config, "--check-config")
        addresses = self.directory / "addresses"
        log = self.directory / "luna.log"
        with subprocess.Popen([lunad, "--config", config, "--universe", self.directory / "universe",
                               "--log-file", log, "--listen", "127.0.0.1:0",
                               "--addresses-file", addresses], stdin=subprocess.DEVNULL) as process:
            try:
                deadline = time.monotonic() + WAIT_SECONDS
                while not addresses.exists():
                    self.assertIsNone(process.poll(), "lunad ended")
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(WAIT_SECONDS), 0)
            finally:
                process.kill()
        self.assertIn(" INFO stopped ", log.read_text())


if __name__ == "__main__":
    unittest.main()
