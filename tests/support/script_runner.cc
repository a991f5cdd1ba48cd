#include "support/script_runner.h"

#include <fstream>
#include <sstream>

namespace luna::test {

namespace {

struct Block {
  size_t line = 0;
  std::string comments;
  std::string input;
  std::string expected;
  bool has_output = false;
};

ScriptResult Broken(size_t line, const std::string& why) {
  return {.text = "", .mismatch = "line " + std::to_string(line) + ": " + why};
}

}  // namespace

ScriptResult RunScriptText(const std::string& text, const ScriptHandler& handler) {
  ScriptResult result;
  std::istringstream lines(text);
  Block block;
  size_t number = 0;
  const auto finish = [&] {
    result.text += block.comments + block.input;
    if (block.has_output) {
      const std::string output = handler(block.input);
      result.text += "----\n" + output;
      if (output != block.expected && result.mismatch.empty()) {
        result.mismatch = "line " + std::to_string(block.line) + ":\n" + block.input +
                          "expected:\n" + block.expected + "got:\n" + output;
      }
    }
    block = {};
  };
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty()) {
      if (!block.input.empty() && !block.has_output) {
        return Broken(number, "a block without ----");
      }
      finish();
      result.text += "\n";
    } else if (block.has_output) {
      block.expected += line + "\n";
    } else if (line == "----") {
      block.has_output = true;
    } else if (line.starts_with('#')) {
      block.comments += line + "\n";
    } else {
      block.line = block.line == 0 ? number : block.line;
      block.input += line + "\n";
    }
  }
  if (!block.input.empty() && !block.has_output) {
    return Broken(number, "a block without ----");
  }
  finish();
  return result;
}

std::string RunScriptFile(const std::string& path, const ScriptHandler& handler, bool rewrite) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  if (!in || text.str().empty()) {
    return path + ": cannot be read, or is empty";
  }
  const ScriptResult result = RunScriptText(text.str(), handler);
  if (rewrite && !result.text.empty()) {
    std::ofstream(path) << result.text;
    return "";
  }
  return result.mismatch.empty() ? "" : path + ", " + result.mismatch;
}

}  // namespace luna::test
