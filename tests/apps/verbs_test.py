"""Every verb of luna, on good and bad input."""

import json
import os
import subprocess
import unittest

from program import ERROR, LUNA, NEGATIVE, OK, USAGE, ProgramTest


class Values(ProgramTest):
    def test_put_get_delete(self):
        self.luna("put", "k", "v")
        self.assertEqual(self.luna("get", "k"), b"v\n")
        self.assertEqual(self.luna("get", "k", "--raw"), b"v")
        self.luna("put", "k", "w")
        self.assertEqual(self.luna("get", "k"), b"w\n")
        self.luna("delete", "k")
        self.assertEqual(self.luna("get", "k", expect=NEGATIVE), b"")

    def test_options_may_stand_before_or_after_the_verb(self):
        done = self.run_program(LUNA, "put", "k", "v", "--universe", self.universe)
        self.assertEqual(done.returncode, OK, done.stderr)
        done = self.run_program(LUNA, "--universe", self.universe, "get", "k")
        self.assertEqual(done.stdout, b"v\n")

    def test_universe_may_come_from_the_environment(self):
        done = subprocess.run([LUNA, "put", "k", "v"], capture_output=True, check=False,
                              env={**os.environ, "LUNA_UNIVERSE": str(self.universe)})
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertEqual(self.luna("get", "k"), b"v\n")

    def test_value_from_standard_input_keeps_every_byte(self):
        value = bytes(range(256)) * 300  # more than 64 KiB: a blob
        self.luna("put", "k", "-", stdin=value)
        self.assertEqual(self.luna("get", "k", "--raw"), value)
        self.assertEqual(self.luna_json("get", "k")["value"], {"hex": value.hex()})

    def test_odd_bytes_are_escaped_for_people(self):
        self.luna("put", "k", "-", stdin=b"a\x1b[31m\xff\\\nz")
        self.assertEqual(self.luna("get", "k"), b"a\\x1b[31m\\xff\\\\\nz\n")
        self.assertEqual(self.luna("scan"), b"k\ta\\x1b[31m\\xff\\\\\\nz\n")
        self.assertEqual(self.luna("scan", "--raw"), b"k\ta\x1b[31m\xff\\\nz\n")

    def test_odd_keys(self):
        keys = ["[a,b]", "{}", "", " ", "get", "a=b", "ü€😀", "'\"", "%%", "++", "#", "~/x", "/x"]
        for key in keys:
            self.luna("put", "--", key, "of " + key)
        self.luna("put", "--", "-dash", "of -dash")
        self.luna("put", "--", "--", "of --")
        for key in keys + ["-dash", "--"]:
            self.assertEqual(self.luna("get", "--", key).decode(), "of " + key + "\n", key)
        self.assertEqual(self.luna_json("count")["count"], len(keys) + 2)

    def test_odd_values(self):
        for value in ["[1,2]", "", "-5", "{}", "--json", "a b"]:
            self.luna("put", "k", "--", value)
            self.assertEqual(self.luna("get", "k", "--raw").decode(), value)

    def test_escaped_arguments(self):
        self.luna("put", r"a\x00\xff\t\\", r"\x01", "--escaped")
        self.assertEqual(self.luna("scan"), b"a\\x00\\xff\\t\\\\\t\\x01\n")
        entry = json.loads(self.luna("scan", "--json"))
        self.assertEqual(entry, {"key": {"hex": b"a\0\xff\t\\".hex()}, "value": "\x01"})
        self.assertEqual(self.luna("get", r"a\x00\xff\t\\", "--escaped"), b"\\x01\n")
        self.assertIn("no escape", self.failure("get", r"a\q", "--escaped"))

    def test_key_too_large(self):
        self.assertIn("[key_too_large]", self.failure("put", "k" * 70_000, "v"))

    def test_ttl(self):
        self.luna("put", "k", "v", "--ttl", "3600")
        self.assertGreater(self.luna_json("get", "k")["expiry_millis"], 10**12)
        self.luna("put", "gone", "v", "--ttl", "0.001")
        self.assertEqual(self.luna("get", "gone", expect=NEGATIVE), b"")
        self.luna("put", "k", "v", "--ttl", "-1", expect=USAGE)

    def test_increment(self):
        self.assertEqual(self.luna("increment", "n"), b"1\n")
        self.assertEqual(self.luna("increment", "n", "-5"), b"-4\n")
        self.assertEqual(self.luna_json("increment", "n", "10"), {"key": "n", "value": 6})
        self.luna("put", "n", "no number")
        self.assertIn("[bad_number]", self.failure("increment", "n"))
        self.assertEqual(self.luna("get", "n"), b"no number\n")

    def test_get_json_of_a_missing_key(self):
        self.luna("put", "k", "v")
        self.assertEqual(self.luna_json("get", "x", expect=NEGATIVE), {"key": "x", "value": None})

    def test_get_at_a_time_that_is_not_kept(self):
        self.luna("put", "k", "v")
        self.luna("put", "k", "w")
        self.luna("flush")
        self.luna("compact")
        self.assertIn("[snapshot_too_old]", self.failure("get", "k", "--at", "1"))
        self.assertIn("[bad_range]", self.failure("get", "k", "--at", str(2**62)))


class Ranges(ProgramTest):
    def setUp(self):
        super().setUp()
        lines = "".join(f"{key}\tof {key}\n" for key in ["a1", "a2", "a3", "b1", "b2", "c"])
        self.luna("load", "-", "--format", "tsv", stdin=lines.encode())

    def keys(self, *words):
        return self.luna("scan", "--keys-only", *words).decode().split()

    def test_bounds_prefix_reverse_limit(self):
        self.assertEqual(self.keys(), ["a1", "a2", "a3", "b1", "b2", "c"])
        self.assertEqual(self.keys("--prefix", "a"), ["a1", "a2", "a3"])
        self.assertEqual(self.keys("--begin", "a3", "--end", "b2"), ["a3", "b1"])
        self.assertEqual(self.keys("--reverse", "--limit", "2"), ["c", "b2"])
        self.assertEqual(self.keys("--prefix", "a", "--reverse"), ["a3", "a2", "a1"])
        self.assertEqual(self.keys("--prefix", "x"), [])

    def test_json_lines(self):
        entries = [json.loads(line) for line in self.luna("scan", "--json").splitlines()]
        self.assertEqual(entries[0], {"key": "a1", "value": "of a1"})
        self.assertEqual(len(entries), 6)

    def test_count(self):
        self.assertEqual(self.luna("count"), b"6\n")
        self.assertEqual(self.luna("count", "--prefix", "b"), b"2\n")
        self.assertEqual(self.luna_json("count", "--begin", "b")["count"], 3)

    def test_delete_range(self):
        self.luna("delete", "--prefix", "a", "--begin", "a2")
        self.assertEqual(self.keys(), ["a1", "b1", "b2", "c"])
        self.luna("delete", "--begin", "b2")
        self.assertEqual(self.keys(), ["a1", "b1"])
        self.luna("delete", expect=USAGE)
        self.luna("delete", "a1", "--prefix", "a", expect=USAGE)
        self.assertEqual(self.keys(), ["a1", "b1"])

    def test_flush_compact_verify_stats(self):
        self.luna("flush")
        self.luna("compact")
        self.assertIn(b" 0 damaged", self.luna("verify"))
        report = self.luna_json("verify")
        self.assertEqual(report["damage"], [])
        self.assertGreaterEqual(report["objects"], 1)
        stats = self.luna_json("stats")
        collection = stats["databases"][0]["collections"][0]
        self.assertEqual(collection["name"], "0")
        self.assertEqual(sum(level["tables"] for level in collection["levels"]), 1)
        self.assertEqual(sum(stats["memory"]["by_use"].values()), stats["memory"]["used"])
        text = self.luna("stats").decode()
        for word in ("level", "space amplification", "memory", "journal"):
            self.assertIn(word, text)
        self.assertEqual(len(self.keys()), 6)

    def test_export_reads_back(self):
        self.luna("put", "--escaped", r'odd\x00\xff,"\n', "-", stdin=b'\xfe,"\r\n\t\\')
        before = self.luna("scan")
        for form in ("tsv", "csv", "jsonl"):
            path = self.directory / f"out.{form}"
            self.luna("export", path, "--format", form)
            self.luna("load", path, "--format", form, "--collection", form)
            self.assertEqual(self.luna("scan", "--collection", form), before, form)
            self.assertIn("[file_exists]", self.failure("export", path, "--format", form))
        self.assertEqual(self.luna("export", "-", "--format", "tsv", "--prefix", "b"),
                         b"b1\tof b1\nb2\tof b2\n")


class Names(ProgramTest):
    def test_collections(self):
        self.luna("create", "collection", "ü b/c")
        self.luna("create", "collection", "a")
        self.assertEqual(self.luna("collections").decode(), "a\nü b/c\n")
        self.assertEqual(self.luna_json("collections"), ["a", "ü b/c"])
        self.assertIn("[collection_exists]", self.failure("create", "collection", "a"))
        self.luna("put", "k", "v", "--collection", "a")
        self.luna("rename", "a", "z")
        self.assertEqual(self.luna("get", "k", "--collection", "z"), b"v\n")
        self.assertIn("[collection_missing]", self.failure("get", "k", "--collection", "a"))
        self.assertIn("[collection_missing]", self.failure("rename", "a", "y"))
        self.luna("drop", "collection", "z")
        self.assertIn("[collection_missing]", self.failure("drop", "collection", "z"))
        self.assertIn("[bad_name]", self.failure("create", "collection", "a\nb"))

    def test_databases(self):
        self.luna("create", "database", "shop")
        self.luna("put", "k", "v", "--database", "shop")
        self.luna("put", "k", "w")
        self.assertEqual(self.luna("databases"), b"default\nshop\n")
        self.assertEqual(self.luna("get", "k", "--database", "shop"), b"v\n")
        self.assertIn("[database_exists]", self.failure("create", "database", "shop"))
        self.luna("drop", "database", "shop")
        self.assertEqual(self.luna_json("databases"), ["default"])
        self.assertIn("[database_missing]", self.failure("get", "k", "--database", "shop"))

    def test_kind_must_be_known(self):
        self.luna("create", "table", "x", expect=USAGE)


class Copies(ProgramTest):
    def test_checkpoint_is_a_universe(self):
        self.luna("put", "k", "v")
        copy = self.directory / "copy"
        self.luna("checkpoint", copy)
        self.luna("put", "k", "later")
        self.assertEqual(self.run_program(LUNA, "get", "k", "--universe", copy).stdout, b"v\n")
        self.failure("checkpoint", copy)

    def test_backup_and_restore(self):
        self.luna("put", "k", "v")
        backup = self.directory / "backup"
        self.luna("backup", backup)
        self.luna("put", "k", "later")
        report = self.luna_json("backup", backup)
        self.assertGreaterEqual(report["objects_copied"], 1)
        self.luna("restore", backup, "old")
        self.assertEqual(self.luna("get", "k", "--database", "old"), b"later\n")
        self.assertIn("[database_exists]", self.failure("restore", backup, "old"))
        self.failure("restore", self.directory / "nothing", "x")


class Failures(ProgramTest):
    def test_reading_makes_no_universe(self):
        for words in (["get", "k"], ["scan"], ["count"], ["stats"], ["delete", "k"], ["databases"],
                      ["collections"], ["flush"], ["compact"], ["verify"]):
            self.assertIn("[universe_missing]", self.failure(*words))
        self.assertFalse(self.universe.exists())

    def test_usage(self):
        for words in ([], ["bogus"], ["get"], ["put", "k"], ["scan", "--nonsense"],
                      ["get", "k", "--durability", "perhaps"], ["get", "k", "--memory", "lots"],
                      ["put", "k", "v", "--memory", "1MiB"], ["load", "x"],
                      ["load", "x", "--format", "xml"], ["scan", "--limit", "many"]):
            done = self.outcome(*words, expect=USAGE)
            self.assertTrue(done.stderr.startswith(b"luna: "), (words, done.stderr))
            self.assertEqual(len(done.stderr.splitlines()), 1, (words, done.stderr))
        self.assertFalse(self.universe.exists())

    def test_help(self):
        text = self.luna("--help").decode()
        for verb in ("get put delete increment scan count stats databases collections create drop "
                     "rename load export flush compact verify checkpoint backup restore "
                     "demo").split():
            self.assertRegex(text, rf"\n  {verb} ")
            self.assertIn("Usage: luna " + verb, self.luna(verb, "--help").decode())
        self.assertNotIn("demo-load", text)

    def test_foreign_directory(self):
        self.universe.mkdir()
        (self.universe / "letter.txt").write_text("dear")
        self.assertIn("[foreign_directory]", self.failure("put", "k", "v"))
        self.assertEqual([p.name for p in self.universe.iterdir()], ["letter.txt"])

    def test_second_process_is_refused(self):
        self.luna("put", "k", "v")
        words = [LUNA, "load", "-", "--format", "tsv", "--universe", str(self.universe)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            # More than a batch: once the pipe takes it all, the universe is open.
            holder.stdin.write(b"".join(b"k%d\tv\n" % i for i in range(300_000)))
            holder.stdin.flush()
            self.assertIn("[universe_locked]", self.failure("get", "k"))
            holder.stdin.close()
            holder.wait()
        self.assertEqual(self.luna("count"), b"300001\n")

    def test_lost_output_is_an_error(self):
        self.luna("put", "k", "v" * 10_000)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([LUNA, "get", "k", "--universe", str(self.universe)], stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, ERROR)
        self.assert_one_error(done.stderr, b"luna")


if __name__ == "__main__":
    unittest.main()
