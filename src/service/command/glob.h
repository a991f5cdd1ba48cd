// Glob patterns as Redis matches them: * ? [abc] [^a-z] and \ before a character that means itself.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace luna::command {

bool GlobMatches(std::string_view pattern, std::string_view text, bool ignore_case = false);
// What every match starts with: the pattern up to its first special character.
std::string GlobPrefix(std::string_view pattern);
// No special characters: only GlobPrefix itself matches.
bool GlobIsLiteral(std::string_view pattern);

}  // namespace luna::command
