// The bytes of a snapshot object (docs/formats/manifest.md):
//   "LUNASNAP" (8) | format version (4) | position (8) | salt (16) | count of nonces (4) |
//   nonces (16 each, oldest first) | state length (8) | state | checksum (8)
// checksum = XXH3-64 of all before it, seeded with the salt; the mark repeats salt and checksum, so
// that an object can neither be damaged nor stand in for another.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "kernel/manifest/edit_format.h"
#include "kernel/storage/storage.h"
#include "luna/status.h"

namespace luna::manifest {

struct Snapshot {
  uint64_t position = 0;  // of the last edit it covers
  base::Id128 salt;
  NonceWindow nonces;
  std::string state;
};

// "<manifest>.<16 decimal digits>", and the position of such a name; nothing for other names.
std::string SnapshotName(const std::string& manifest, uint64_t position);
std::optional<uint64_t> SnapshotPosition(const std::string& manifest, std::string_view object);

std::string EncodeSnapshot(const Snapshot& snapshot);
// kBadChecksum, kBadFormat, kNewerFormat naming `where`.
Result<Snapshot> DecodeSnapshot(std::string_view bytes, const std::string& where);
// The mark for an object of these bytes, which EncodeSnapshot made and DecodeSnapshot accepts.
SnapshotMark MarkOf(std::string_view bytes, const Snapshot& snapshot, std::string object);

// Reads all of an object.
Result<std::string> ReadObject(storage::Storage& storage, const std::string& bucket,
                               const std::string& object);
// The snapshot that `mark` names. kBadChecksum also when the object is intact but another one;
// kObjectMissing when it is gone.
Result<Snapshot> ReadSnapshot(storage::Storage& storage, const std::string& bucket,
                              const SnapshotMark& mark);

}  // namespace luna::manifest
