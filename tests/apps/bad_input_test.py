"""Nonsense typed, nonsense loaded, universes that cannot be used, files that decayed."""

import os
import random
import shutil
import subprocess
import unittest

from program import ERROR, LUNA, NEGATIVE, OK, USAGE, ProgramTest


class Files(ProgramTest):
    """What `luna load` says of files that are not what they should be."""

    def load(self, path, form, expect=OK):
        return self.outcome("load", path, "--format", form, expect=expect)

    def test_binary_garbage(self):
        path = self.write("garbage", random.Random(1).randbytes(300_000))
        for form in ("tsv", "csv", "jsonl", "deb822"):
            message = self.load(path, form, expect=ERROR).stderr.decode()
            self.assertIn("[bad_input]", message)
            self.assertRegex(message, r"garbage line \d+: ")

    def test_empty_file(self):
        path = self.write("empty", "")
        for form in ("tsv", "csv", "jsonl", "deb822"):
            self.assertIn(b"0 records", self.load(path, form).stdout)

    def test_cut_off_in_the_middle(self):
        cut = self.write("cut.jsonl", '{"key":"a","value":"b"}\n{"key":"c","val')
        message = self.load(cut, "jsonl", expect=ERROR).stderr.decode()
        self.assertIn("cut.jsonl line 2: column 16: a string is not closed", message)
        self.assertIn("the 1 records before are stored", message)
        self.assertEqual(self.count(), 1)

    def test_wrong_columns(self):
        self.assertIn("line 2: 3 column(s)", self.load(
            self.write("x", "a,b\nc,d,e\n"), "csv", expect=ERROR).stderr.decode())

    def test_line_ends_of_windows(self):
        self.load(self.write("x", "a,b\r\nc,d\r\n"), "csv")
        self.load(self.write("y", "e\tf\r\n"), "tsv")
        self.assertEqual(self.entries(), [(b"a", b"b"), (b"c", b"d"), (b"e", b"f")])

    def test_a_huge_line(self):
        value = b"v" * 70_000_000  # a blob of five parts
        self.load(self.write("huge", b"k\t" + value), "tsv")
        self.assertEqual(self.luna("--raw", "GET", "k"), value)

    def test_not_utf8(self):
        path = self.write("latin", b"caf\xe9\tx\n")
        self.load(path, "tsv")  # keys are bytes
        self.assertEqual(self.entries(), [(b"caf\xe9", b"x")])
        line = self.write("latin.jsonl", b'{"key":"caf\xe9","value":1}\n')
        self.assertIn(b"not UTF-8", self.load(line, "jsonl", expect=ERROR).stderr)

    def test_files_that_are_none(self):
        for path in (self.directory / "missing", self.directory):
            message = self.load(path, "tsv", expect=ERROR).stderr.decode()
            self.assertIn("[file_missing]", message)
            self.assertIn(str(path), message)
        self.assertFalse(self.universe.exists())


class Words(ProgramTest):
    """What is typed wrong is refused; nothing is guessed, nothing is made."""

    def refused(self, *words):
        done = self.outcome(*words, expect=USAGE)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        return done.stderr.decode()

    def test_unknown_commands(self):
        for typed, meant in [("gte", "get"), ("Rage", "range"), ("colection", "collection")]:
            done = self.outcome(typed, "k", "--pretty", expect=ERROR)  # reads make no universe
            self.assertIn(b"[universe_missing]", done.stderr)
        self.luna("SET", "k", "v")
        for typed in ("gte", "Rage", "colection"):
            self.assertIn(f"ERR unknown command '{typed}'", self.refusal(typed, "k"))
        done = self.outcome("help", "gte", expect=NEGATIVE)
        self.assertIn(b"did you mean GET?", done.stdout)

    def test_unknown_arguments(self):
        self.assertIn("'--limt' is no argument of luna load; see luna load --help",
                      self.refused("load", "x", "--format", "tsv", "--limt", "3"))
        self.assertIn("'--limt' is no option; see luna --help", self.refused("--limt", "GET", "k"))

    def test_numbers_are_not_bent(self):
        for words in (["--memory", "-5", "GET", "k"], ["--timeout", "-1", "GET", "k"],
                      ["--timeout", "nan", "GET", "k"],
                      ["--memory", "99999999999999999999GiB", "GET", "k"]):
            self.refused(*words)
        self.assertFalse(self.universe.exists())
        self.assertEqual(self.luna("INCRBY", "n", str(-2**63)), b"%d\n" % -2**63)
        for amount in ("99999999999999999999", "0x10", "", "1e3"):
            self.assertIn("not an integer", self.refusal("INCRBY", "n", amount))

    def test_odd_names(self):
        self.luna("SET", "k", "v")
        for name in ("", "a\nb", os.fsdecode(b"\xff"), "x" * 256):
            for kind in ("DATABASE", "COLLECTION"):
                self.refusal(kind, "CREATE", name)
        line = self.write("line", "k\tv\n")
        # USE could not tell a database with a dot from its collection.
        for database, name in (("a", ".."), ("a", "../../x"), ("/", "/"), ("ü€", "ü€"),
                               ("x" * 255, "x" * 255)):
            place = ["--database", database, "--collection", name]
            self.luna("load", line, "--format", "tsv", *place)
            self.assertEqual(self.luna(*place, "GET", "k"), b"v\n")
        self.assertIn("could not be named", self.failure("load", line, "--format", "tsv",
                                                         "--database", ".."))
        self.assertEqual(sorted(p.name for p in self.directory.iterdir()), ["line", "universe"])


class Places(ProgramTest):
    """Universes that are not there, are somebody else's, or may not be written."""

    def at(self, universe, *words):
        done = self.run_program(LUNA, "--universe", universe, *words)
        self.assertEqual(done.returncode, ERROR, done.stderr)
        self.assert_one_error(done.stderr, b"luna")
        return done.stderr.decode()

    def test_a_file_where_a_directory_must_be(self):
        letter = self.write("letter", "dear")
        for words in (["GET", "k"], ["SET", "k", "v"]):
            message = self.at(letter, *words)
            self.assertIn("letter: is a file where a directory must be", message)
            self.assertIn("[foreign_directory]", message)
        self.at(letter / "below", "SET", "k", "v")
        self.luna("SET", "k", "v")
        for words in (["CHECKPOINT", letter], ["BACKUP", letter], ["RESTORE", letter, "x"]):
            self.assertIn("letter", self.refusal(*words))
        self.assertEqual(letter.read_text(), "dear")

    def test_a_path_that_is_too_long(self):
        self.assertIn("[bad_name]", self.at("x" * 5000, "SET", "k", "v"))

    def test_backups_leave_foreign_directories_alone(self):
        self.luna("SET", "k", "v")
        notes = self.directory / "mine" / "notes"
        notes.mkdir(parents=True)
        (notes / "draft.new").write_text("dear")
        for words in (["BACKUP", notes.parent], ["RESTORE", notes.parent, "x"]):
            self.assertIn("mine", self.refusal(*words))
        self.assertEqual((notes / "draft.new").read_text(), "dear")
        self.assertEqual([p.name for p in notes.parent.iterdir()], ["notes"])

    @unittest.skipIf(os.geteuid() == 0, "nothing is forbidden to root")
    def test_what_may_not_be_written(self):
        self.luna("SET", "k", "v")
        for path in sorted(self.universe.rglob("*")) + [self.universe]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        self.addCleanup(lambda: [path.chmod(0o755) for path in
                                 [self.universe] + sorted(self.universe.rglob("*"))])
        for words in (["GET", "k"], ["SET", "k", "w"]):
            self.assertIn("[read_only]", self.failure(*words))

    def test_a_closed_pipe_ends_it(self):
        lines = "".join(f"key-{i:07}\tvalue\n" for i in range(100_000))
        self.luna("load", "-", "--format", "tsv", stdin=lines.encode())
        for words in (["RANGE", "-", "+", "LIMIT", "1000000"], ["export", "-", "--format", "csv"]):
            with subprocess.Popen([LUNA, "--universe", str(self.universe), *words],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
                program.stdout.read(10)
                program.stdout.close()
                self.assertNotEqual(program.wait(timeout=60), OK, words)
        self.assertEqual(self.count(), 100_000)  # and nothing is locked or lost

    def test_killed_in_the_middle_of_a_load(self):
        done = 0
        for number in range(3):
            words = [LUNA, "load", "-", "--format", "tsv", "--universe", str(self.universe),
                     "--durability", "process"]
            with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
                program.stdin.write(b"".join(b"%d-%d\tv\n" % (number, i) for i in range(150_000)))
                program.stdin.flush()  # the pipe holds little: most of it was read
                program.kill()
                program.wait()
            count = self.count()
            self.assertGreaterEqual(count, done)
            self.assertEqual(self.luna_json("VERIFY")["damage"], [])
            self.luna("SET", f"acknowledged-{number}", "v")
            done = count + 1
        self.assertEqual(self.luna_json("RANGE", "PREFIX", "acknowledged", "COUNT")[1], 3)


class Decay(ProgramTest):
    """One flipped bit in a copy of a universe: found when it is opened, read or verified, and
    named; or in bytes that mean nothing, and then every answer is the same."""

    FLIPS = 45

    def setUp(self):
        super().setUp()
        lines = "".join(f"key-{i:05}\tvalue {i * 7919}\n" for i in range(5_000))
        self.luna("load", "-", "--format", "tsv", stdin=lines.encode())
        self.luna("-x", "SET", "large", stdin=random.Random(1).randbytes(100_000))
        self.luna("FLUSH")
        self.luna("load", self.write("one", "k\tv\n"), "--format", "tsv", "--database", "other")
        for number in range(10):
            self.luna("SET", f"late-{number}", "v" * number)
        self.copy = self.directory / "copy"

    def answers(self):
        verbs = (["export", "-", "--format", "tsv"],
                 ["export", "-", "--format", "tsv", "--database", "other"], ["VERIFY"])
        return [self.run_program(LUNA, "--universe", self.copy, *words) for words in verbs]

    def test_flipped_bits(self):
        truth = [self.luna("export", "-", "--format", "tsv"),
                 self.luna("export", "-", "--format", "tsv", "--database", "other")]
        files = [path.relative_to(self.universe) for path in sorted(self.universe.rglob("*"))
                 if path.is_file() and path.stat().st_size > 0]
        draw = random.Random(20)
        found = 0
        for number in range(self.FLIPS):
            path = files[number % len(files)]
            content = bytearray((self.universe / path).read_bytes())
            used = len(content.rstrip(b"\0"))
            offset = draw.randrange(4096 if path.suffix == ".segment" else 0, used)
            content[offset] ^= 1 << draw.randrange(8)
            shutil.rmtree(self.copy, ignore_errors=True)
            shutil.copytree(self.universe, self.copy)
            (self.copy / path).write_bytes(content)
            inspected = self.run_program(os.environ["LUNA_INSPECT"], "--verify", self.copy)
            answers = self.answers()
            errors = [done.stderr.decode() for done in answers if done.returncode != OK]
            where = f"{path} at {offset} of {used}"
            if errors:
                found += 1
                self.assertTrue(any(path.stem in error for error in errors), (where, errors))
                self.assertEqual(inspected.returncode, NEGATIVE, where)
                for done in answers:
                    self.assertIn(done.returncode, (OK, NEGATIVE, ERROR), where)
            else:
                # The seal at a journal's end, or the zeros that fill up a frame.
                self.assertEqual(path.suffix, ".segment", where)
                self.assertEqual([done.stdout for done in answers[:2]], truth, where)
        self.assertGreater(found, self.FLIPS * 3 // 4)

    def test_cut_short(self):
        for path in sorted(self.universe.rglob("*")):
            if not path.is_file() or path.stat().st_size == 0:
                continue
            name = path.relative_to(self.universe)
            size = 2000 if name.suffix == ".segment" else path.stat().st_size // 2
            shutil.rmtree(self.copy, ignore_errors=True)
            shutil.copytree(self.universe, self.copy)
            os.truncate(self.copy / name, size)
            errors = [done.stderr.decode() for done in self.answers() if done.returncode != OK]
            self.assertTrue(any(name.stem in error for error in errors), (name, errors))


if __name__ == "__main__":
    unittest.main()
