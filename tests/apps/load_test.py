"""Loading: every format, every kind of error with its line."""

import json
import unittest

from program import ERROR, USAGE, ProgramTest


class Load(ProgramTest):
    def load(self, text, form, *words, **options):
        content = text if isinstance(text, bytes) else text.encode()
        return self.outcome("load", "-", "--format", form, *words, stdin=content, **options)

    def contents(self):
        """What is stored, as {key: value} of bytes."""
        return dict(self.entries())

    def bad(self, text, form, *words):
        """The message for input that does not parse."""
        done = self.load(text, form, *words, expect=ERROR)
        self.assertIn(b"[bad_input]", done.stderr)
        return done.stderr.decode()

    def test_tsv(self):
        self.load("a\t1\nb\\tc\t\\x00\\n\\\\\r\n\nlast\tline", "tsv")
        self.assertEqual(self.contents(), {b"a": b"1", b"b\tc": b"\0\n\\", b"last": b"line"})

    def test_tsv_raw(self):
        self.load(b"a\tC:\\new\xff\r\n", "tsv", "--raw")
        self.assertEqual(self.contents(), {b"a": b"C:\\new\xff\r"})

    def test_tsv_columns_by_number_and_name(self):
        self.load("x\tk\tv\n", "tsv", "--key", "2", "--value", "3")
        self.load("one\ttwo\nK\tV\n", "tsv", "--key", "two", "--value", "one")
        self.load("p\tq\tr\n", "tsv", "--key", "1")
        self.assertEqual(self.contents(), {b"k": b"v", b"V": b"K", b"p": b"p\tq\tr"})

    def test_tsv_errors(self):
        self.assertIn("line 2: 1 column(s)", self.bad("a\t1\nb\n", "tsv"))
        self.assertIn("line 1: column 2 has a backslash", self.bad("a\t\\q\n", "tsv"))
        self.assertIn("line 1: only 1 column(s)", self.bad("a\n", "tsv", "--key", "1",
                                                            "--value", "4"))
        missing = self.load("a\tb\n1\t2\n", "tsv", "--key", "nope", expect=USAGE).stderr
        self.assertIn(b"no column is named 'nope'", missing)

    def test_csv(self):
        self.load('a,1\r\n"b,""c","2\r\n3"\n,empty key\n"",""\nlast,', "csv")
        self.assertEqual(self.contents(),
                         {b"a": b"1", b'b,"c': b"2\r\n3", b"": b"", b"last": b""})

    def test_csv_by_name_and_whole(self):
        self.load('id,name\n7,"x,y"\n', "csv", "--key", "id", "--value", "name")
        self.load('id,name\n8,"x,\ny"\n', "csv", "--key", "id")
        self.assertEqual(self.contents(), {b"7": b"x,y", b"8": b'8,"x,\ny"'})

    def test_csv_errors(self):
        self.assertIn("line 2: a quote is opened", self.bad('a,1\n"b,2\n\n', "csv"))
        self.assertIn("line 1: column 1 has a quote", self.bad('a"b,1\n', "csv"))
        self.assertIn("line 1: 3 column(s)", self.bad("a,b,c\n", "csv"))

    def test_jsonl(self):
        self.load('{"key": "a\\u00fc\\ud83d\\ude00\\n", "value": 1.50}\n'
                  ' {"value" : {"hex":"00FF"}, "key":{"hex":"80"}, "more":[null,true,{"x":[]}]} \n'
                  '\n{"key": 7, "value": {"b":[1,2]}}', "jsonl")
        self.assertEqual(self.contents(), {"aü😀\n".encode(): b"1.50", b"\x80": b"\0\xff",
                                           b"7": b'{"b":[1,2]}'})

    def test_jsonl_fields(self):
        line = '{"id": "x", "n": 12345678901234567890.123}'
        self.load(line, "jsonl", "--key", "id", "--value", "n")
        self.load('{"id": "y", "n": 1}\n', "jsonl", "--key", "id")
        self.assertEqual(self.contents(),
                         {b"x": b"12345678901234567890.123", b"y": b'{"id": "y", "n": 1}'})

    def test_jsonl_errors_name_line_and_column(self):
        good = '{"key": "a", "value": "b"}\n'
        for text, message in [
                ('{"key": "a"', "column 12: a comma or the closing brace"),
                ('{"key": "a" "value": 1}', "column 13: a comma or the closing brace"),
                ('["key"]', "not a JSON object"),
                ('{"key": 01, "value": 1}', "not a JSON value"),
                ('{"key": "a\tb", "value": 1}', "control character"),
                ('{"key": "\\q", "value": 1}', "not a JSON escape"),
                ('{"key": "\\ud83d", "value": 1}', "not a JSON escape"),
                ('{"key": nul, "value": 1}', "not a JSON value"),
                ('{"key": 1., "value": 1}', "digits are missing"),
                ('{"key": "a", "value": 1} x', "text after the end"),
                ('{"key": "a", "value": 1,}', "a field name"),
                ('{"key": ' + "[" * 300 + "]" * 300 + "}", "nested too deeply"),
                ('{"key": "a"}', "no field 'value'"),
                ('{"value": "a"}', "no field 'key'"),
                ('{"key": {"hex": "abc"}, "value": 1}', "hexadecimal"),
                ("", None)]:
            if message is not None:
                self.assertIn("standard input line 2: ", self.bad(good + text, "jsonl"))
                self.assertIn(message, self.bad(good + text, "jsonl"))
        self.assertIn("not UTF-8", self.bad(b'{"key": "\xff", "value": 1}', "jsonl"))

    def test_deb822(self):
        text = ("# a comment\n\nPackage: a\nSection: x\nDescription: one\n two\n .\n\n\n"
                "package:  b \nSection: y\r\n\nPackage: a\nVersion: 2")
        self.load(text, "deb822")
        self.assertEqual(self.contents(), {b"a": b"Package: a\nVersion: 2",
                                           b"b ": b"package:  b \nSection: y"})
        self.load("Name: n\nText: one\n two\nLast: z\n", "deb822", "--key", "Name", "--value",
                  "Text")
        self.assertEqual(self.contents()[b"n"], b"one\n two")

    def test_deb822_errors(self):
        text = "Package: a\n\nnonsense\n"
        self.assertIn("line 3: neither 'Name: value'", self.bad(text, "deb822"))
        self.assertIn("line 2: a continuation line", self.bad("\n x\n", "deb822"))
        self.assertIn("line 1: the stanza has no field 'Package'", self.bad("Name: a\n", "deb822"))
        self.assertIn("no field 'Size'", self.bad("Package: a\n", "deb822", "--value", "Size"))

    def test_what_came_before_an_error_is_stored(self):
        lines = "".join(f"k{i:05}\tv\n" for i in range(10_000))
        message = self.bad(lines + "bad\n", "tsv")
        self.assertIn("line 10001", message)
        self.assertIn("10,000 records before are stored", message)
        self.assertEqual(self.count(), 10_000)

    def test_skip_bad(self):
        text = "a\t1\nbad\nb\t2\n" + "worse\n" * 20
        done = self.load(text, "tsv", "--skip-bad", "--json")
        summary = json.loads(done.stdout)
        self.assertEqual((summary["records"], summary["skipped"]), (2, 21))
        self.assertIn(b"line 2: ", done.stderr)
        self.assertLess(len(done.stderr.splitlines()), 10)
        self.assertEqual(self.contents(), {b"a": b"1", b"b": b"2"})
        for form, text in [("csv", 'a"b,1\nc,2\n'), ("jsonl", 'x\n{"key":"c","value":"2"}\n'),
                           ("deb822", "x\n\nPackage: d\n")]:
            done = self.load(text, form, "--skip-bad")
            self.assertIn(b"1 bad ones skipped", done.stdout, form)

    def test_key_too_large_names_its_line(self):
        message = self.bad("a\t1\n" + "k" * 70_000 + "\t1\n", "tsv")
        self.assertIn("line 2: the key has 70000 bytes", message)

    def test_large_values(self):
        value = "x" * 3_000_000
        self.load(f"a\t{value}\nb\t{value}\n", "tsv")
        self.assertEqual(self.luna("--raw", "GET", "b"), value.encode())

    def test_missing_file_makes_no_universe(self):
        self.assertIn("[file_missing]", self.failure("load", self.directory / "no", "--format",
                                                     "tsv"))
        self.assertFalse(self.universe.exists())

    def test_directory_is_no_file(self):
        self.assertIn("is a directory; name a file",
                      self.failure("load", self.directory, "--format", "tsv"))
        self.assertFalse(self.universe.exists())

    def test_summary(self):
        path = self.write("x.tsv", "a\t1\nb\t2\n")
        self.assertIn(b"2 records (8 B)", self.luna("load", path, "--format", "tsv"))

    def test_last_of_equal_keys_wins(self):
        self.load("a\t1\na\t2\n", "tsv")
        self.assertEqual(self.contents(), {b"a": b"2"})


if __name__ == "__main__":
    unittest.main()
