// Bytes as text that a terminal, a TSV file or a JSON string can hold.
// Escapes: \\ \t \n \r and \xNN; everything else is printable text in UTF-8, as it is. Unless a
// Keep is given, two byte strings never have the same escaped form, and Unescape gives the bytes
// back.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace luna::output {

// True if `bytes` is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool IsUtf8(std::string_view bytes);
// Length of the well-formed sequence at the front of `bytes`, 0 if there is none.
size_t Utf8Length(std::string_view bytes);

enum class Keep : uint8_t {
  kNothing,      // one line whatever comes: for keys and columns
  kLines,        // newlines and tabs stay: for a value shown alone
  kBackslashes,  // one line, for messages, which have escapes already
};
std::string Escape(std::string_view bytes, Keep keep = Keep::kNothing);
// Nothing if there is a backslash that starts no escape.
std::optional<std::string> Unescape(std::string_view text);

}  // namespace luna::output
