"""The demonstration end to end, on a small generated index."""

import unittest

from program import ERROR, LUNA, OK, ProgramTest


def stanza(number):
    section = ["editors", "libs", "net"][number % 3]
    name = f"libssl{number}" if number % 7 == 0 else f"package-{number}"
    return (f"Package: {name}\nVersion: {number}\nSection: {section}\n"
            f"Description: number {number}\n" + f" more of {number}\n" * (number % 40))


class Demo(ProgramTest):
    def setUp(self):
        super().setUp()
        stanzas = [stanza(number) for number in range(2000)]
        stanzas.append("Package: package-1\nSection: moved\nVersion: 9\n")  # the last one wins
        self.index = self.write("index.txt", "\n".join(stanzas))

    def demo(self, *words):
        return self.run_program(LUNA, "demo", "--index", self.index, "--universe", self.universe,
                                *words)

    def test_twice_on_the_same_directory(self):
        done = self.demo()
        self.assertEqual(done.returncode, OK, (done.stdout[-2000:], done.stderr))
        text = done.stdout.decode()
        self.assertNotIn("FAILED", text)
        for part in ("2,000 packages and 2,000 entries by section", "libssl0",
                     "committed at attempt 2", "snapshot: rain, now: sun", "space amplification",
                     "killed with SIGKILL",
                     " 0 lost, 0 wrong", "all or nothing", "checks hold"):
            self.assertIn(part, text)
        again = self.demo()
        self.assertEqual(again.returncode, OK, (again.stdout[-2000:], again.stderr))
        self.assertIn(b"2,000 packages are there from an earlier run", again.stdout)
        self.assertEqual(self.count("--collection", "packages"), 2000)
        self.assertEqual(self.luna_json("--collection", "sections", "RANGE", "PREFIX", "moved/"),
                         ["", ["moved/package-1", ""]])
        self.assertEqual(self.inspect("--verify", self.universe).stderr, b"")

    def test_bad_index(self):
        for name, content in [("empty", ""), ("bad", "no stanza\n")]:
            self.index = self.write(name, content)
            done = self.demo()
            self.assertEqual(done.returncode, ERROR, done.stdout)
            self.assert_one_error(done.stderr, b"luna")
        self.index = self.directory / "missing"
        self.assertEqual(self.demo().returncode, ERROR)


if __name__ == "__main__":
    unittest.main()
