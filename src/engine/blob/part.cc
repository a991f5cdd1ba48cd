#include "engine/blob/part.h"

#include <algorithm>

#include "base/coding.h"
#include "engine/entry/entry.h"

namespace luna::blob {
namespace {

constexpr std::string_view kMagic = "LUNABLOB";
constexpr uint32_t kVersion = 1;
constexpr size_t kFieldBytes = 56;  // of the trailer: what stands before the checksum

std::string EncodeFields(const Trailer& trailer) {
  std::string out(kMagic);
  base::PutFixed32(out, kVersion);
  base::PutFixed32(out, trailer.part);
  base::PutFixed64(out, trailer.salt.high);
  base::PutFixed64(out, trailer.salt.low);
  base::PutFixed64(out, trailer.whole_bytes);
  base::PutFixed64(out, trailer.payload_bytes);
  base::PutFixed64(out, trailer.writer);
  return out;
}

}  // namespace

std::string EncodeTrailer(const Trailer& trailer, std::string_view payload) {
  std::string out = EncodeFields(trailer);
  const uint64_t checksum = base::Hash(payload, base::Hash(out));
  base::PutFixed64(out, checksum);
  return out;
}

Result<Trailer> CheckPart(std::string_view object, const std::string& where) {
  if (object.size() < kTrailerBytes) {
    return Error(Reason::kLostData,
                 where + " has " + std::to_string(object.size()) +
                     " bytes, too few for a blob part; restore it from a backup");
  }
  const uint64_t payload_bytes = object.size() - kTrailerBytes;
  const std::string_view bytes = object.substr(payload_bytes);
  const std::string place = where + " at offset " + std::to_string(payload_bytes);
  base::ByteReader reader(bytes);
  if (reader.Bytes(kMagic.size()) != kMagic) {
    return Error(Reason::kBadFormat,
                 place + ": no trailer of a blob part stands there; restore it from a backup");
  }
  const uint32_t version = reader.Fixed32();
  Trailer trailer;
  trailer.part = reader.Fixed32();
  trailer.salt.high = reader.Fixed64();
  trailer.salt.low = reader.Fixed64();
  trailer.whole_bytes = reader.Fixed64();
  trailer.payload_bytes = reader.Fixed64();
  trailer.writer = reader.Fixed64();
  const uint64_t checksum = reader.Fixed64();
  const uint64_t expected =
      base::Hash(object.substr(0, payload_bytes), base::Hash(bytes.substr(0, kFieldBytes)));
  if (checksum != expected) {
    return Error(Reason::kBadChecksum,
                 where + ": checksum of its " + std::to_string(payload_bytes) +
                     " bytes from offset 0 does not match; restore it from a backup");
  }
  if (version != kVersion) {
    return Error(Reason::kNewerFormat, place + ": format version " + std::to_string(version) +
                                           " is unknown to this build; open it with a newer one");
  }
  // No part is empty: of an empty one, `part` would lie behind the whole value's end.
  if (payload_bytes == 0 || trailer.payload_bytes != payload_bytes ||
      trailer.whole_bytes > entry::kMaxValueBytes ||
      PayloadBytes(trailer.whole_bytes, trailer.part) != payload_bytes) {
    return Error(Reason::kBadFormat, place + ": the trailer's sizes contradict the object's " +
                                         std::to_string(object.size()) + " bytes");
  }
  return trailer;
}

uint64_t PayloadBytes(uint64_t whole_bytes, uint64_t part) {
  const uint64_t before = part * entry::kBlobPartBytes;
  return before >= whole_bytes ? 0
                               : std::min<uint64_t>(whole_bytes - before, entry::kBlobPartBytes);
}

}  // namespace luna::blob
