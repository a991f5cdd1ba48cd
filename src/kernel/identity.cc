#include "kernel/identity.h"

#include "base/coding.h"
#include "base/crc32c.h"

namespace luna::kernel {

namespace {

constexpr std::string_view kMagic = "LUNAUNIV";
constexpr size_t kBytes = 64;
constexpr size_t kCheckedBytes = kBytes - sizeof(uint32_t);
constexpr std::string_view kRestore =
    "; restore this file, or the universe, from a backup or checkpoint";

}  // namespace

std::string EncodeIdentity(const Identity& identity) {
  std::string bytes(kMagic);
  base::PutFixed32(bytes, kUniverseFormat);
  base::PutFixed32(bytes, 0);
  base::PutFixed64(bytes, identity.universe.high);
  base::PutFixed64(bytes, identity.universe.low);
  base::PutFixed64(bytes, identity.created_wall_millis);
  bytes.resize(kCheckedBytes, '\0');
  base::PutFixed32(bytes, base::Crc32c(bytes));
  return bytes;
}

Result<Identity> DecodeIdentity(std::string_view bytes, const std::string& path) {
  if (bytes.size() < kBytes || !bytes.starts_with(kMagic)) {
    return Error(Reason::kBadFormat, path + ": " + std::to_string(bytes.size()) +
                                         " bytes at offset 0 that are no identity of a universe" +
                                         std::string(kRestore));
  }
  if (base::LoadFixed32(bytes.data() + kCheckedBytes) !=
      base::Crc32c(bytes.substr(0, kCheckedBytes))) {
    return Error(
        Reason::kBadChecksum,
        path + ": the identity at offset 0 does not match its checksum" + std::string(kRestore));
  }
  base::ByteReader reader(bytes.substr(kMagic.size()));
  const uint32_t version = reader.Fixed32();
  reader.Fixed32();
  if (version > kUniverseFormat) {
    return Error(Reason::kNewerFormat, path + ": a universe of format " + std::to_string(version) +
                                           ", this version knows up to " +
                                           std::to_string(kUniverseFormat) + "; use a newer one");
  }
  if (version == 0 || bytes.size() != kBytes) {
    return Error(Reason::kBadFormat, path + ": format " + std::to_string(version) + " with " +
                                         std::to_string(bytes.size()) + " bytes" +
                                         std::string(kRestore));
  }
  Identity identity;
  identity.universe.high = reader.Fixed64();
  identity.universe.low = reader.Fixed64();
  identity.created_wall_millis = reader.Fixed64();
  return identity;
}

}  // namespace luna::kernel
