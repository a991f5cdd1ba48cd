#include "model/model_script.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace luna::test {

Tokens SplitTokens(std::string_view text) {
  Tokens tokens;
  for (std::string& token : SplitAt(text, ' ')) {
    if (!token.empty()) {
      tokens.push_back(std::move(token));
    }
  }
  return tokens;
}

std::vector<std::string> SplitAt(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  while (true) {
    const size_t end = std::min(text.find(separator), text.size());
    std::string_view piece = text.substr(0, end);
    while (piece.starts_with(' ')) {
      piece.remove_prefix(1);
    }
    while (piece.ends_with(' ')) {
      piece.remove_suffix(1);
    }
    pieces.emplace_back(piece);
    if (end == text.size()) {
      return pieces;
    }
    text.remove_prefix(end + 1);
  }
}

std::string OptionOf(const Tokens& tokens, std::string_view name) {
  for (const std::string& token : tokens) {
    if (token.size() > name.size() && token.starts_with(name) && token[name.size()] == '=') {
      return token.substr(name.size() + 1);
    }
  }
  return "";
}

bool HasToken(const Tokens& tokens, std::string_view token) {
  return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
}

uint64_t NumberOf(const std::string& text, uint64_t otherwise) {
  return text.empty() ? otherwise : std::strtoull(text.c_str(), nullptr, 10);
}

std::string ValueOf(const std::string& token) {
  const size_t star = token.rfind('*');
  if (star == std::string::npos || star == 0) {
    return token;
  }
  const std::string unit = token.substr(0, star);
  const size_t bytes = NumberOf(token.substr(star + 1));
  std::string value;
  value.reserve(bytes + unit.size());
  // Counted, so that no two pieces of a long value look the same.
  for (uint64_t i = 0; value.size() < bytes; ++i) {
    value += unit + std::to_string(i);
  }
  value.resize(bytes);
  return value;
}

uint64_t TakeFiber(std::string& line) {
  const size_t colon = line.find(": ");
  if (colon == std::string::npos || colon == 0 ||
      line.find_first_not_of("0123456789") != colon) {
    return 0;
  }
  const uint64_t fiber = NumberOf(line.substr(0, colon));
  line = line.substr(colon + 2);
  return fiber;
}

ModelScript ParseScript(std::string_view text) {
  ModelScript script;
  for (const std::string& line : SplitAt(text, '\n')) {
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    const Tokens tokens = SplitTokens(line);
    if (tokens.size() == 2 && tokens[0] == "seed") {
      script.seed = NumberOf(tokens[1]);
    } else if (tokens.size() == 2 && tokens[0] == "file_max_nanos") {
      script.file_max_nanos = NumberOf(tokens[1]);
    } else {
      script.lines.push_back(line);
    }
  }
  return script;
}

ModelScript ReadScript(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return ParseScript(text.str());
}

std::string PrintScript(const ModelScript& script) {
  std::string text = "seed " + std::to_string(script.seed) + "\n";
  if (script.file_max_nanos != 0) {
    text += "file_max_nanos " + std::to_string(script.file_max_nanos) + "\n";
  }
  for (const std::string& line : script.lines) {
    text += line + "\n";
  }
  return text;
}

}  // namespace luna::test
