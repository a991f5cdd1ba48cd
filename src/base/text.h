// Bytes for people: keys in messages, hexadecimal dumps, sizes.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace luna::base {

// Printable ASCII as it is, other bytes and the backslash as \xNN (so that no two keys look the
// same), cut after `max_bytes` with "…(+N bytes)".
std::string Printable(std::string_view bytes, size_t max_bytes = 64);
std::string Hex(std::string_view bytes);
// Either case; nullopt for an odd length or another character.
std::optional<std::string> FromHex(std::string_view text);
// "0 B", "1.5 KiB", "64 MiB": rounded to a tenth of the largest unit that fits.
std::string FormatBytes(uint64_t bytes);
// "64MiB", "1.5 GiB", "4096", "10k": what FormatBytes prints and what people type; nullopt if
// neither, or past 64 bits. Units are powers of 1024 however spelled (k, KB, KiB; either case).
std::optional<uint64_t> ParseBytes(std::string_view text);

}  // namespace luna::base
