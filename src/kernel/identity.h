// The identity file PATH/LUNA: that a directory is a universe, of which format, and which one.
//   "LUNAUNIV" (8) | format version (4) | zeros (4) | universe id (16) | created, wall ms (8) |
//   zeros (20) | crc32c of the 60 bytes before (4)
// All format versions keep these 64 bytes; later ones may append.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "luna/status.h"

namespace luna::kernel {

inline constexpr std::string_view kIdentityName = "LUNA";
inline constexpr uint32_t kUniverseFormat = 1;

struct Identity {
  base::Id128 universe;
  uint64_t created_wall_millis = 0;
};

std::string EncodeIdentity(const Identity& identity);
// kBadFormat, kBadChecksum, kNewerFormat naming `path`.
Result<Identity> DecodeIdentity(std::string_view bytes, const std::string& path);

}  // namespace luna::kernel
