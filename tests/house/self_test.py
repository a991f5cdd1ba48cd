#!/usr/bin/env python3
"""The house checks catch what they are for: each test plants one violation in a small tree."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

import check_docs  # noqa: E402
import check_layers  # noqa: E402
import check_mirrors  # noqa: E402
import check_sizes  # noqa: E402
import check_symbols  # noqa: E402
import check_words  # noqa: E402

OPENING = "// What it is.\n// Thread rule: immutable.\n#pragma once\n"
STATUS_H = OPENING + "enum class Reason : uint16_t {\n  kBadName,\n  kFenced,\n};\n"
STATUS_CC = """ErrorCode CodeOf(Reason reason) {
  switch (reason) {
    case Reason::kBadName:
      return ErrorCode::kInvalidArgument;
    case Reason::kFenced:
      return ErrorCode::kNotLeader;
  }
}
"""
CLEAN = {
    "src/base/CMakeLists.txt": "luna_module(NAME base)\n",
    "src/base/hash.h": "// hash.h: hashing.\n#pragma once\n",
    "src/base/status.cc": STATUS_CC,
    "src/kernel/journal/CMakeLists.txt": "luna_module(NAME journal DEPENDS base)\n",
    "src/kernel/journal/journal.h":
        '// A journal.\n// Thread rule: safe.\n#pragma once\n#include "base/hash.h"\n'
        "class Journal {\n  void Append();\n};\n",
    "src/engine/table/CMakeLists.txt": "luna_module(NAME table DEPENDS journal LIBRARIES lz4)\n",
    "src/engine/table/table.cc": '#include <lz4.h>\n#include "kernel/journal/journal.h"\n',
    "tests/unit/base/status_test.cc": "TEST(A, B) { EXPECT_TRUE(true); }\n",
    "tests/unit/engine/table/table_test.cc": "TEST(A, B) { EXPECT_TRUE(true); }\n",
    "include/luna/options.h": OPENING + "struct Options {\n  // Where.\n  std::string location;\n"
                              "  uint64_t budget_bytes = uint64_t{1} << 20;\n"
                              "  std::chrono::seconds pause{5};\n  Status Validate() const;\n};\n",
    "include/luna/status.h": STATUS_H,
    "docs/guide/options.md": "| `location` | x |\n| `budget_bytes` | x |\n| `pause` | x |\n",
    "docs/errors.md": "| `bad_name` | `invalid_argument` |\n| `fenced` | `not_leader` |\n",
    "docs/formats/README.md": "[journal](journal.md)\n",
    "docs/formats/journal.md": "bytes\n",
    "docs/glossary.md": "**journal**: a stream.\n**table**: sorted.\n",
    "STYLE.md": "short\n",
    "ARCHITECTURE.md": "`base` `kernel/journal` `engine/table`\n## One write\n`Journal::Append`\n"
                       "## One read\n`Journal::Append`\n## Next\n",
}


class Tree(unittest.TestCase):
    """A clean small tree; a test changes one file and looks for one finding."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self._folder.name)
        for name, text in CLEAN.items():
            self.write(name, text)

    def tearDown(self):
        self._folder.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def expect(self, check, part):
        findings = check(self.root)
        self.assertTrue(any(part in f for f in findings), f"no '{part}' in {findings}")
        self.assertEqual(len(findings), 1, findings)


class Clean(Tree):
    def test_the_clean_tree_is_clean(self):
        for module in (check_layers, check_sizes, check_words, check_mirrors, check_docs):
            self.assertEqual(module.check(self.root), [], module.__name__)


class Layers(Tree):
    def test_undeclared_include(self):
        self.write("src/engine/levels/CMakeLists.txt", "luna_module(NAME levels DEPENDS base)\n")
        self.write("src/engine/levels/levels.h", '#include "engine/table/table.h"\n')
        self.expect(check_layers.check, "levels does not declare table")

    def test_upward_dependency(self):
        self.write("src/kernel/journal/CMakeLists.txt", "luna_module(NAME journal DEPENDS tall)")
        self.write("src/engine/tall/CMakeLists.txt", "luna_module(NAME tall DEPENDS base)\n")
        self.expect(check_layers.check, "depends upward on engine/tall")

    def test_simulation_below_others(self):
        self.write("src/simulation/CMakeLists.txt", "luna_module(NAME simulation DEPENDS base)")
        self.write("src/simulation/sim/CMakeLists.txt", "luna_module(NAME sim DEPENDS simulation)")
        self.assertEqual(check_layers.check(self.root), [])
        self.write("src/kernel/journal/CMakeLists.txt", "luna_module(NAME journal DEPENDS sim)")
        self.expect(check_layers.check, "depends upward on simulation/sim")

    def test_mutual_dependency(self):
        self.write("src/kernel/storage/CMakeLists.txt", "luna_module(NAME storage DEPENDS journal)")
        self.write("src/kernel/journal/CMakeLists.txt", "luna_module(NAME journal DEPENDS storage)")
        self.expect(check_layers.check, "journal -> storage -> journal")

    def test_third_party_header_outside_its_room(self):
        self.write("src/kernel/journal/journal.cc", "#include <lz4.h>\n")
        self.expect(check_layers.check, "belongs in src/engine/table/")

    def test_operating_system_header_outside_posix(self):
        self.write("src/kernel/journal/journal.cc", "#include <unistd.h>\n")
        self.expect(check_layers.check, "leads to the world")

    def test_public_header_that_includes_src(self):
        self.write("include/luna/luna.h", '#include "base/hash.h"\n')
        self.expect(check_layers.check, "public header includes")

    def test_formatting_library_without_listing_it(self):
        self.write("src/kernel/journal/journal.cc", "#include <fmt/format.h>\n")
        self.expect(check_layers.check, "does not list fmt")


class Sizes(Tree):
    def test_long_file(self):
        self.write("src/base/long.cc", "int x;\n" * 701)
        self.expect(check_sizes.check, "701 lines")

    def test_long_line(self):
        self.write("src/base/wide.cc", "//" + "é" * 98 + "\n" + "//" + "é" * 99 + "\n")
        self.expect(check_sizes.check, "wide.cc:2: 101 columns")

    def test_long_function(self):
        self.write("src/base/long.cc", "int F() {\n" + "  g();\n" * 69 + "}\n")
        self.expect(check_sizes.check, "F has 71 lines")

    def test_long_annotated_method(self):
        body = "  g();\n" * 69
        self.write("src/base/long.cc", "void A::F() REQUIRES(mutex_) {\n" + body + "}\n")
        self.expect(check_sizes.check, "F has 71 lines")

    def test_public_face_over_its_budget(self):
        self.write("include/luna/a.h", "//\n" * 600)
        self.write("include/luna/b.h", "//\n" * 600)
        self.expect(check_sizes.check, "include/luna: 12")


class Words(Tree):
    def test_banned_word_in_a_file_name(self):
        self.write("src/base/string_util.h", "")
        self.expect(check_words.check, "'util'")

    def test_banned_word_in_a_type_name(self):
        self.write("src/base/block.h", "class BlockManager {};\n")
        self.expect(check_words.check, "BlockManager")

    def test_database_is_no_banned_word(self):
        self.write("src/base/database.h", "class MetadataDatabase {};\n")
        self.assertEqual(check_words.check(self.root), [])

    def test_to_do_without_issue(self):
        self.write("src/base/a.cc", "// TODO: later\n// TODO(#12): known\n")
        self.expect(check_words.check, "a.cc:1")

    def test_path_of_one_machine(self):
        self.write("docs/a.md", "see /home/someone/luna\n")
        self.expect(check_words.check, "absolute path")

    def test_registry_host(self):
        self.write("scripts/run", "pip install --index https://pypi.org/simple\n")
        self.expect(check_words.check, "registry")


class Mirrors(Tree):
    def test_source_without_test(self):
        self.write("src/base/coding.cc", "")
        self.expect(check_mirrors.check, "write tests/unit/base/coding_test.cc")

    def test_test_without_source(self):
        self.write("tests/unit/base/gone_test.cc", "EXPECT_TRUE(x);\n")
        self.expect(check_mirrors.check, "mirrors no source")

    def test_test_that_asserts_nothing(self):
        self.write("tests/unit/base/status_test.cc", "TEST(A, B) { Run(); }\n")
        self.expect(check_mirrors.check, "asserts nothing")

    def test_header_without_opening_comment(self):
        self.write("src/base/a.h", "#pragma once\n")
        self.expect(check_mirrors.check, "opens without a comment")

    def test_source_that_includes_another_header_before_its_own(self):
        self.write("src/base/a.h", "// a.h: an A.\n#pragma once\n")
        self.write("src/base/a.cc", '#include <string>\n#include "base/a.h"\n')
        self.write("tests/unit/base/a_test.cc", "TEST(A, B) { EXPECT_TRUE(true); }\n")
        self.expect(check_mirrors.check, 'include "base/a.h" first')

    def test_type_without_thread_rule(self):
        self.write("src/base/a.h", "// a.h: an A.\n#pragma once\nclass A final : public B {\n};\n")
        self.expect(check_mirrors.check, "no thread rule")

    def test_source_in_no_room(self):
        self.write("src/attic/a.h", "// a.h: old.\n#pragma once\n")
        self.expect(check_mirrors.check, "compiled by no room")


class Docs(Tree):
    def test_room_missing_from_the_architecture(self):
        self.write("src/engine/new/CMakeLists.txt", "luna_module(NAME new DEPENDS base)\n")
        self.expect(check_docs.check, "`engine/new`")

    def test_symbol_of_a_walk_that_is_gone(self):
        text = CLEAN["ARCHITECTURE.md"].replace("## Next", "`Journal::Vanish`\n## Next")
        self.write("ARCHITECTURE.md", text)
        self.expect(check_docs.check, "Journal::Vanish")

    def test_setting_without_row(self):
        self.write("docs/guide/options.md", "| `location` | x |\n| `pause` | x |\n")
        self.expect(check_docs.check, "budget_bytes has no row")

    def test_reason_with_the_wrong_code(self):
        self.write("docs/errors.md", "| `bad_name` | `not_leader` |\n| `fenced` | `not_leader` |\n")
        self.expect(check_docs.check, "bad_name belongs to invalid_argument")

    def test_reason_without_row(self):
        self.write("docs/errors.md", "| `bad_name` | `invalid_argument` |\n")
        self.expect(check_docs.check, "fenced has no row")

    def test_format_page_missing_from_the_index(self):
        self.write("docs/formats/table.md", "bytes\n")
        self.expect(check_docs.check, "does not list table.md")

    def test_term_defined_twice(self):
        self.write("docs/glossary.md", "**journal**: a.\n**Journal**: b.\n")
        self.expect(check_docs.check, "defined twice")

    def test_broken_link(self):
        self.write("STYLE.md", "[gone](docs/gone.md)\n")
        self.expect(check_docs.check, "leads nowhere")


class Symbols(Tree):
    def archive(self, room, body):
        source, compiled = self.root / "a.cc", self.root / "a.o"
        source.write_text(body)
        subprocess.run([os.environ.get("CXX", "c++"), "-c", source, "-o", compiled], check=True)
        archive = self.root / f"libluna_{room}.a"
        subprocess.run(["ar", "rcs", archive, compiled], check=True)
        return archive

    CLOCK = "#include <chrono>\nlong F() {\n" \
            "return std::chrono::steady_clock::now().time_since_epoch().count(); }\n"

    def test_clock_outside_the_door(self):
        findings = check_symbols.check_archive(self.archive("table", self.CLOCK))
        self.assertIn("steady_clock", findings[0])

    def test_clock_inside_the_door(self):
        self.assertEqual(check_symbols.check_archive(self.archive("posix", self.CLOCK)), [])

    def test_file_and_thread_calls(self):
        body = "#include <fcntl.h>\n#include <thread>\nint F() {\n" \
               "std::thread([] {}).detach(); return open(\"x\", 0); }\n"
        findings = check_symbols.check_archive(self.archive("journal", body))
        self.assertTrue(any("uses open" in f for f in findings), findings)
        self.assertTrue(any("thread" in f for f in findings), findings)

    def test_a_call_allowed_to_one_room_only(self):
        body = "#include <sys/mman.h>\nint F() { return munmap(nullptr, 1); }\n"
        self.assertEqual(check_symbols.check_archive(self.archive("simulation", body)), [])
        self.assertEqual(len(check_symbols.check_archive(self.archive("arena", body))), 1)


if __name__ == "__main__":
    unittest.main()
