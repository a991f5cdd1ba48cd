// Lines of commands as people type them, with the quotes and escapes of redis-cli: "a\x00\n" and
// 'it''s'; a word in quotes ends with them.
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace luna::cli {

// The words of a line; nothing if its quotes do not fit.
std::optional<std::vector<std::string>> SplitWords(std::string_view line);

}  // namespace luna::cli
