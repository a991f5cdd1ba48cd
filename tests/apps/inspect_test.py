"""luna-inspect on healthy and damaged universes."""

import json
import os
import shutil
import subprocess
import unittest

from program import ERROR, LUNA, NEGATIVE, USAGE, ProgramTest


class Inspect(ProgramTest):
    def setUp(self):
        super().setUp()
        lines = "".join(f"key-{i:06}\tvalue {i * 7919}\n" for i in range(20_000))
        self.luna("load", "-", "--format", "tsv", stdin=lines.encode())
        self.luna("-x", "set", "large", stdin=os.urandom(100_000))
        self.luna("flush")
        for number in range(10):
            self.luna("set", "later", str(number))

    def reports(self, *words, expect=0):
        lines = [json.loads(line) for line in
                 self.inspect(*words, "--json", expect=expect).stdout.splitlines()]
        return lines[:-1], lines[-1]

    def files(self, pattern):
        found = sorted(self.universe.rglob(pattern))
        self.assertTrue(found, pattern)
        return found

    def damage(self, path, offset):
        with open(path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)
            file.seek(offset)
            file.write(bytes([byte[0] ^ 0x20]))

    def one_damage(self, path):
        """The damage found in the universe; there must be one, in `path`."""
        reports, summary = self.reports("--verify", self.universe, expect=NEGATIVE)
        damaged = [report for report in reports if report["damage"]]
        self.assertEqual([report["path"] for report in damaged], [str(path)])
        self.assertEqual(summary["damaged"], 1)
        return damaged[0]["damage"]

    def snapshot(self):
        return {path: (path.stat().st_mtime_ns, path.read_bytes())
                for path in self.universe.rglob("*") if path.is_file()}

    def test_healthy(self):
        before = self.snapshot()
        for words in ([], ["--verify"], ["--entries"]):
            reports, summary = self.reports(self.universe, *words)
            self.assertEqual(summary["damaged"], 0)
            kinds = {report["kind"] for report in reports if "kind" in report}
            self.assertLessEqual({"identity", "epoch", "segment", "table", "blob part"}, kinds)
        self.assertEqual(self.snapshot(), before)
        text = self.inspect("--verify", self.universe).stdout.decode()
        self.assertIn("first sequence 1", text)
        self.assertRegex(text, r"\d+ files, .* 0 damaged")

    def test_a_single_file(self):
        for pattern in ("t-*", "b-*", "*.segment", "LUNA", "epoch"):
            for path in self.files(pattern):
                reports, summary = self.reports("--verify", path)
                self.assertEqual((len(reports), summary["files"]), (1, 1), path)
        # By its magic, whatever it is called.
        other = self.directory / "something"
        shutil.copy(self.files("t-*")[0], other)
        self.assertEqual(self.reports("--verify", other)[0][0]["kind"], "table")

    def test_entries(self):
        table = self.files("t-*")[0]
        text = self.inspect(table, "--entries").stdout.decode()
        self.assertIn("key-000007 @", text)
        text = self.inspect(self.universe, "--entries").stdout.decode()
        self.assertIn("CreateCollection", text)
        self.assertRegex(text, r"record \d+ epoch \d+ .*Commit at \d+; put \d+:later")

    def test_damaged_table(self):
        table = self.files("t-*")[0]
        size = table.stat().st_size
        for offset in (10, size // 2, size - 200, size - 50, size - 1):
            self.damage(table, offset)
            found = self.one_damage(table)
            self.assertLessEqual(found["offset"], offset)
            self.assertGreater(found["offset"] + found["length"], offset)
            self.assertIn(found["reason"], ("bad_checksum", "bad_format", "newer_format"))
            self.damage(table, offset)
        self.reports("--verify", self.universe)

    def test_truncated_table(self):
        table = self.files("t-*")[0]
        os.truncate(table, table.stat().st_size - 1000)
        self.one_damage(table)

    def test_missing_table(self):
        table = self.files("t-*")[0]
        table.unlink()
        found = self.one_damage(table)
        self.assertEqual(found["reason"], "lost_data")

    def test_damaged_blob(self):
        part = self.files("b-*")[0]
        self.damage(part, 50_000)
        self.one_damage(part)
        self.damage(part, 50_000)
        part.unlink()
        reports, _ = self.reports("--verify", self.universe, expect=NEGATIVE)
        self.assertEqual([r["damage"]["reason"] for r in reports if r["damage"]], ["lost_data"])

    def test_damaged_small_files(self):
        for path in [self.universe / "LUNA"] + self.files("epoch"):
            self.damage(path, 20)
            self.one_damage(path)
            self.damage(path, 20)

    def test_damaged_segment_header(self):
        segment = self.files("group-1/*.segment")[0]
        self.damage(segment, 20)
        found = self.one_damage(segment)
        self.assertEqual((found["offset"], found["length"]), (0, 4096))

    def test_damaged_record_is_told_from_a_torn_tail(self):
        # Synced records after it say that it was on the device.
        for number in range(5):
            done = self.run_program(LUNA, "--universe", self.universe, "set", "synced", number)
            self.assertEqual(done.returncode, 0)
        segment = self.files("group-1/*.segment")[-1]
        end = self.reports(segment)[0][0]["end_offset"]
        self.damage(segment, 4096 + 40)
        found = self.one_damage(segment)
        self.assertEqual(found["offset"], 4096)
        self.damage(segment, 4096 + 40)
        # The last frame alone is a tail that was never acknowledged.
        self.damage(segment, end - 12)
        report = self.reports("--verify", segment)[0][0]
        self.assertLess(report["end_offset"], end)

    def test_universe_in_use(self):
        words = [LUNA, "load", "-", "--format", "tsv", "--universe", str(self.universe)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            holder.stdin.write(b"".join(b"k%d\tv\n" % i for i in range(300_000)))
            holder.stdin.flush()
            self.inspect("--verify", self.universe)
            holder.stdin.close()
            holder.wait()

    def test_checkpoint_and_backup(self):
        for verb in ("checkpoint", "backup"):
            self.luna(verb, self.directory / verb)
            reports, _ = self.reports("--verify", self.directory / verb)
            self.assertIn("table", [report["kind"] for report in reports])
        backup = sorted((self.directory / "backup").rglob("backup-*"))[0]
        self.damage(backup, 30)
        self.inspect("--verify", backup, expect=NEGATIVE)

    def test_bad_arguments(self):
        self.inspect(expect=USAGE)
        self.inspect("--nonsense", "x", expect=USAGE)
        empty = self.directory / "empty"
        empty.mkdir()
        letter = self.write("letter", "dear")
        for path in (self.directory / "missing", empty, letter):
            done = self.inspect(path, expect=ERROR)
            self.assert_one_error(done.stderr, b"luna-inspect")


if __name__ == "__main__":
    unittest.main()
