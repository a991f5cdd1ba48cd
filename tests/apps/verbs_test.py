"""luna in full: commands on a directory, how replies look, load and export, wrong usage."""

import json
import os
import subprocess
import unittest

from program import ERROR, LUNA, NEGATIVE, OK, USAGE, ProgramTest


class Values(ProgramTest):
    def test_set_get_del(self):
        self.assertEqual(self.luna("SET", "k", "v"), b"OK\n")
        self.assertEqual(self.luna("get", "k"), b"v\n")
        self.assertEqual(self.luna("--raw", "GET", "k"), b"v")
        self.assertEqual(self.luna("DEL", "k"), b"1\n")
        self.assertEqual(self.luna("GET", "k", expect=NEGATIVE), b"")
        self.assertIsNone(self.luna_json("GET", "k", expect=NEGATIVE))

    def test_words_behind_a_command_are_its_own(self):
        for value in ["--json", "-5", "--", "--universe", "load", "", "[1,2]", "a b"]:
            self.luna("SET", value, value)
            self.assertEqual(self.luna("--raw", "GET", value).decode(), value)

    def test_universe_may_come_from_the_environment(self):
        done = subprocess.run([LUNA, "SET", "k", "v"], capture_output=True, check=False,
                              env={**os.environ, "LUNA_UNIVERSE": str(self.universe)})
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertEqual(self.luna("GET", "k"), b"v\n")

    def test_value_from_standard_input_keeps_every_byte(self):
        value = bytes(range(256)) * 300  # more than 64 KiB: a blob
        self.luna("-x", "SET", "k", stdin=value)
        self.assertEqual(self.luna("--raw", "GET", "k"), value)
        self.assertEqual(self.luna_json("GET", "k"), {"hex": value.hex()})

    def test_odd_bytes_steer_no_terminal(self):
        self.luna("-x", "SET", "k", stdin=b'a\x1b[31m\xff\\\nz"')
        self.assertEqual(self.luna("--pretty", "GET", "k"), b'"a\\x1b[31m\\xff\\\\\\nz\\""\n')
        self.assertEqual(self.luna("GET", "k"), b'a\x1b[31m\xff\\\nz"\n')

    def test_escaped_arguments(self):
        self.luna("--escaped", "SET", r"a\x00\xff\t\\", r"\x01")
        self.assertEqual(self.entries(), [(b"a\0\xff\t\\", b"\x01")])
        self.assertIn("no escape", self.failure("--escaped", "GET", r"a\q"))

    def test_errors_of_commands(self):
        self.luna("SET", "n", "no number")
        self.assertIn("not an integer", self.refusal("INCR", "n"))
        self.assertIn("wrong number of arguments", self.refusal("GET"))
        self.assertIn("TOOLARGE", self.refusal("SET", "k" * 70_000, "v"))

    def test_expiry(self):
        self.luna("SET", "k", "v", "EX", "3600")
        self.assertGreater(int(self.luna("TTL", "k")), 3000)
        self.luna("SET", "gone", "v", "PX", "1")
        self.assertEqual(self.luna("GET", "gone", expect=NEGATIVE), b"")


class Looks(ProgramTest):
    def setUp(self):
        super().setUp()
        self.luna("MSET", "a", "1", "b", 'x"y')

    def test_pretty(self):
        self.assertEqual(self.luna("--pretty", "MGET", "a", "b", "c"),
                         b'1) "1"\n2) "x\\"y"\n3) (nil)\n')
        self.assertEqual(self.luna("--pretty", "INCR", "n"), b"(integer) 1\n")
        self.assertEqual(self.luna("--pretty", "MGET", *["a"] * 10).splitlines()[0], b' 1) "1"')
        self.assertIn(b'1# "name" => "0"\n',
                      self.luna("--pretty", "COLLECTION", "INFO").replace(b" 1#", b"1#"))
        done = self.outcome("--pretty", "INCR", "b", expect=NEGATIVE)
        self.assertTrue(done.stderr.startswith(b"(error) ERR value is not an integer"))

    def test_lines_json_csv(self):
        self.assertEqual(self.luna("MGET", "a", "b"), b'1\nx"y\n')
        self.assertEqual(self.luna_json("MGET", "a", "b", "c"), ["1", 'x"y', None])
        self.assertEqual(self.luna("--csv", "MGET", "a", "b"), b'"1","x""y"\n')
        self.assertEqual(self.luna_json("COLLECTION", "INFO")["name"], "0")
        # A timestamp exceeds what a double holds.
        begin, _, commit = self.luna("--json", stdin=b"BEGIN\nSET a 2\nCOMMIT\n").splitlines()
        self.assertIsInstance(json.loads(commit), str)
        self.assertGreater(int(json.loads(commit)), 2**53)
        self.assertTrue(json.loads(begin))


class StandardInput(ProgramTest):
    def test_a_transaction_a_line_each(self):
        out = self.luna(stdin=b"BEGIN\nSET a 1\nGET a\nROLLBACK\nEXISTS a\n"
                              b"# nothing\n\nquit\nPING\n")
        self.assertEqual(out.splitlines()[1:], [b"OK", b"1", b"OK", b"0"])

    def test_quotes(self):
        self.luna(stdin=b'SET "a b\\x00" \'it\\\'s\'\n')
        self.assertEqual(self.entries(), [(b"a b\0", b"it's")])

    def test_failures(self):
        done = self.outcome(stdin=b"GET\nSET a \"1\nSET a 2\n", expect=NEGATIVE)
        self.assertEqual(len(done.stderr.splitlines()), 2, done.stderr)
        self.assertIn(b"line 2: the quotes do not fit", done.stderr)
        self.assertEqual(self.luna("GET", "a"), b"2\n")
        self.outcome("-e", stdin=b"GET\nSET a 3\n", expect=NEGATIVE)
        self.assertEqual(self.luna("GET", "a"), b"2\n")


class Ranges(ProgramTest):
    def setUp(self):
        super().setUp()
        lines = "".join(f"{key}\tof {key}\n" for key in ["a1", "a2", "a3", "b1", "b2", "c"])
        self.luna("load", "-", "--format", "tsv", stdin=lines.encode())

    def keys(self, *words):
        return self.luna_json("RANGE", *words, "KEYS")[1]

    def test_bounds_prefix_reverse_limit(self):
        self.assertEqual(self.keys("-", "+"), ["a1", "a2", "a3", "b1", "b2", "c"])
        self.assertEqual(self.keys("PREFIX", "a"), ["a1", "a2", "a3"])
        self.assertEqual(self.keys("[a3", "(b2"), ["a3", "b1"])
        self.assertEqual(self.keys("-", "+", "REV", "LIMIT", "2"), ["c", "b2"])
        self.assertEqual(self.keys("PREFIX", "x"), [])

    def test_delete_range(self):
        self.luna("DELRANGE", "[a2", "(b")
        self.assertEqual(self.keys("-", "+"), ["a1", "b1", "b2", "c"])

    def test_flush_compact_verify(self):
        self.luna("FLUSH")
        self.luna("COMPACT")
        report = self.luna_json("VERIFY")
        self.assertEqual(report["damage"], [])
        self.assertGreaterEqual(report["objects"], 1)
        self.assertEqual(self.count(), 6)

    def test_export_reads_back(self):
        self.luna("--escaped", "-x", "SET", r'odd\x00\xff,"\n', stdin=b'\xfe,"\r\n\t\\')
        before = self.entries()
        for form in ("tsv", "csv", "jsonl"):
            path = self.directory / f"out.{form}"
            self.luna("export", path, "--format", form)
            self.luna("load", path, "--format", form, "--collection", form)
            self.assertEqual(self.entries("--collection", form), before, form)
            self.assertIn("[file_exists]", self.failure("export", path, "--format", form))
        for bounds in (["--prefix", "b"], ["--begin", "b", "--end", "c"],
                       ["--prefix", "b", "--begin", "a"]):
            self.assertEqual(self.luna("export", "-", "--format", "tsv", *bounds),
                             b"b1\tof b1\nb2\tof b2\n")

    def test_export_of_many_pages(self):
        lines = b"".join(b"k%06d\tv\n" % i for i in range(20_000))
        self.luna("load", "-", "--format", "tsv", "--collection", "many", stdin=lines)
        self.assertEqual(self.luna("--collection", "many", "export", "-", "--format", "tsv"), lines)


class Names(ProgramTest):
    def test_collections(self):
        self.luna("COLLECTION", "CREATE", "ü b/c")
        self.luna("COLLECTION", "CREATE", "a")
        self.assertEqual(self.luna_json("COLLECTION", "LIST"), ["0", "a", "ü b/c"])
        self.luna("--collection", "a", "SET", "k", "v")
        self.luna("COLLECTION", "RENAME", "a", "z")
        self.assertEqual(self.luna("--collection", "z", "GET", "k"), b"v\n")
        self.assertIn("[collection_missing]", self.failure("--collection", "a", "GET", "k"))
        self.assertIn("[database_missing]", self.failure("--database", "a", "GET", "k"))

    def test_checkpoint_backup_restore(self):
        self.luna("SET", "k", "v")
        copy = self.directory / "copy"
        self.luna("CHECKPOINT", copy)
        backup = self.directory / "backup"
        self.assertGreaterEqual(self.luna_json("BACKUP", backup)["objects_copied"], 0)
        self.luna("SET", "k", "later")
        self.assertEqual(self.run_program(LUNA, "--universe", copy, "GET", "k").stdout, b"v\n")
        self.luna("RESTORE", backup, "old")
        self.assertEqual(self.luna("--database", "old", "GET", "k"), b"v\n")
        self.assertIn("EXISTS", self.refusal("RESTORE", backup, "old"))


class Failures(ProgramTest):
    def test_reading_makes_no_universe(self):
        for words in (["GET", "k"], ["RANGE", "-", "+"], ["STATS"], ["VERIFY"],
                      ["DATABASE", "LIST"], ["export", "-", "--format", "tsv"], ["help"]):
            self.assertIn("[universe_missing]", self.failure(*words))
        self.assertFalse(self.universe.exists())

    def test_nobody_listens(self):
        done = self.run_program(LUNA, "--server", "127.0.0.1:1", "PING")
        self.assertEqual(done.returncode, ERROR)
        self.assertIn(b"nobody listens on 127.0.0.1:1; start lunad, or give --universe PATH",
                      done.stderr)

    def test_usage(self):
        for words in (["--nonsense", "GET", "k"], ["--durability", "perhaps", "GET", "k"],
                      ["--memory", "lots", "GET", "k"], ["--memory", "1MiB", "SET", "k", "v"],
                      ["load", "x"], ["load", "x", "--format", "xml"], ["-x"],
                      ["--server", "127.0.0.1:1", "PING"]):
            done = self.outcome(*words, expect=USAGE)
            self.assertTrue(done.stderr.startswith(b"luna: "), (words, done.stderr))
            self.assertEqual(len(done.stderr.splitlines()), 1, (words, done.stderr))
        self.assertFalse(self.universe.exists())

    def test_help(self):
        text = self.luna("--help").decode()
        for verb in "load export demo bench top help".split():
            self.assertRegex(text, rf"\n  {verb} ")
        self.assertNotIn("demo-load", text)
        self.luna("SET", "k", "v")
        self.assertIn(b"BEGIN", self.luna("help"))
        self.assertIn(b"key [NX", self.luna("help", "set").replace(b"value ", b""))
        self.assertIn(b"DATABASE DROP name CONFIRM name", self.luna("help", "database"))

    def test_foreign_directory(self):
        self.universe.mkdir()
        (self.universe / "letter.txt").write_text("dear")
        self.assertIn("[foreign_directory]", self.failure("SET", "k", "v"))
        self.assertEqual([p.name for p in self.universe.iterdir()], ["letter.txt"])

    def test_second_process_is_refused(self):
        self.luna("SET", "k", "v")
        words = [LUNA, "load", "-", "--format", "tsv", "--universe", str(self.universe)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            # More than a batch: once the pipe takes it all, the universe is open.
            holder.stdin.write(b"".join(b"k%d\tv\n" % i for i in range(300_000)))
            holder.stdin.flush()
            self.assertIn("[universe_locked]", self.failure("GET", "k"))
            holder.stdin.close()
            holder.wait()
        self.assertEqual(self.count(), 300_001)

    def test_lost_output_is_an_error(self):
        self.luna("SET", "k", "v" * 10_000)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([LUNA, "--universe", str(self.universe), "GET", "k"], stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, ERROR)
        self.assert_one_error(done.stderr, b"luna")


if __name__ == "__main__":
    unittest.main()
