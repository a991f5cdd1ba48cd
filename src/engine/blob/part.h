// part: one object of a blob: payload bytes, then the trailer (64 bytes, little-endian):
//   0 magic "LUNABLOB" | 8 version u32 = 1 | 12 part u32 | 16 salt high u64 | 24 salt low u64
//   32 bytes of the whole value u64 | 40 payload bytes u64 | 48 writer u64 | 56 checksum u64
// checksum = XXH3-64(payload, seed = XXH3-64(trailer[0, 56))), so a wrong field is a wrong
// checksum. writer: the build that wrote it (base/writer.h).
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/writer.h"
#include "luna/status.h"

namespace luna::blob {

inline constexpr size_t kTrailerBytes = 64;

struct Trailer {
  uint32_t part = 0;
  base::Id128 salt;
  uint64_t whole_bytes = 0;
  uint64_t payload_bytes = 0;
  uint64_t writer = base::kWriter;
};

std::string EncodeTrailer(const Trailer& trailer, std::string_view payload);
// Of all bytes of a part object; `where` names it in messages.
// kLostData (too short), kBadFormat, kNewerFormat, kBadChecksum.
Result<Trailer> CheckPart(std::string_view object, const std::string& where);
// Payload bytes of part `part` of a value of `whole_bytes`.
uint64_t PayloadBytes(uint64_t whole_bytes, uint64_t part);

}  // namespace luna::blob
