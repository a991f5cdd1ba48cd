// script_runner: data-driven tests. A file holds blocks, separated by empty lines:
//
//   # comment lines
//   command argument argument
//   more lines of the same input
//   ----
//   expected output
//
// The runner gives each block's input to a handler and compares the output; with `rewrite` the file
// gets the output instead. A block without ---- is a comment block and must start with #.
// Thread rule: pure functions, except for the file.
#pragma once

#include <functional>
#include <string>

namespace luna::test {

// Gets the input lines of one block (without comments); returns the output, lines ended by '\n'.
using ScriptHandler = std::function<std::string(const std::string& input)>;

struct ScriptResult {
  std::string text;      // the file with the outputs that were produced
  std::string mismatch;  // the first difference, with its line; empty: none
};
ScriptResult RunScriptText(const std::string& text, const ScriptHandler& handler);
// Of a file; the mismatch names it. A file that cannot be read is a mismatch.
std::string RunScriptFile(const std::string& path, const ScriptHandler& handler, bool rewrite);

}  // namespace luna::test
