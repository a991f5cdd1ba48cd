#include "kernel/manifest/snapshot_format.h"

#include <algorithm>

#include "base/coding.h"
#include "base/try.h"

namespace luna::manifest {

namespace {

constexpr std::string_view kMagic = "LUNASNAP";
constexpr uint32_t kVersion = 1;
constexpr size_t kPositionDigits = 16;
constexpr size_t kChecksumBytes = sizeof(uint64_t);
constexpr size_t kHeadBytes = 8 + 4 + 8 + 16;  // up to the count of nonces
constexpr std::string_view kRestore = "; restore the universe from a backup";

void PutId(std::string& out, const base::Id128& id) {
  base::PutFixed64(out, id.high);
  base::PutFixed64(out, id.low);
}

base::Id128 TakeId(base::ByteReader& reader) {
  base::Id128 id;
  id.high = reader.Fixed64();
  id.low = reader.Fixed64();
  return id;
}

uint64_t Checksum(std::string_view bytes, const base::Id128& salt) {
  return base::Hash(bytes, base::Mix(salt, 0));
}

}  // namespace

std::string SnapshotName(const std::string& manifest, uint64_t position) {
  std::string digits = std::to_string(position);
  digits.insert(0, kPositionDigits - std::min(kPositionDigits, digits.size()), '0');
  return manifest + "." + digits;
}

std::optional<uint64_t> SnapshotPosition(const std::string& manifest, std::string_view object) {
  if (object.size() != manifest.size() + 1 + kPositionDigits || !object.starts_with(manifest) ||
      object[manifest.size()] != '.') {
    return std::nullopt;
  }
  uint64_t position = 0;
  for (const char digit : object.substr(manifest.size() + 1)) {
    if (digit < '0' || digit > '9') {
      return std::nullopt;
    }
    position = position * 10 + static_cast<uint64_t>(digit - '0');
  }
  return position;
}

std::string EncodeSnapshot(const Snapshot& snapshot) {
  std::string bytes(kMagic);
  base::PutFixed32(bytes, kVersion);
  base::PutFixed64(bytes, snapshot.position);
  PutId(bytes, snapshot.salt);
  base::PutFixed32(bytes, static_cast<uint32_t>(snapshot.nonces.nonces().size()));
  for (const base::Id128& nonce : snapshot.nonces.nonces()) {
    PutId(bytes, nonce);
  }
  base::PutFixed64(bytes, snapshot.state.size());
  bytes += snapshot.state;
  base::PutFixed64(bytes, Checksum(bytes, snapshot.salt));
  return bytes;
}

Result<Snapshot> DecodeSnapshot(std::string_view bytes, const std::string& where) {
  if (bytes.size() < kHeadBytes + kChecksumBytes || !bytes.starts_with(kMagic)) {
    return Error(Reason::kBadChecksum, where + ": no manifest snapshot" + std::string(kRestore));
  }
  const std::string_view body = bytes.substr(0, bytes.size() - kChecksumBytes);
  base::ByteReader reader(body.substr(kMagic.size()));
  const uint32_t version = reader.Fixed32();
  Snapshot snapshot;
  snapshot.position = reader.Fixed64();
  snapshot.salt = TakeId(reader);
  // All versions keep the head and the checksum at the end.
  if (base::LoadFixed64(bytes.data() + body.size()) != Checksum(body, snapshot.salt)) {
    return Error(
        Reason::kBadChecksum,
        where + ": the manifest snapshot does not match its checksum" + std::string(kRestore));
  }
  if (version > kVersion) {
    return Error(Reason::kNewerFormat, where + ": a manifest snapshot of format " +
                                           std::to_string(version) + ", this version knows " +
                                           std::to_string(kVersion) + "; use a newer one");
  }
  const uint32_t count = reader.Fixed32();
  const bool known = version == kVersion && count <= NonceWindow::kNonces;
  for (uint32_t i = 0; known && i < count && reader.ok(); ++i) {
    snapshot.nonces.Add(TakeId(reader));
  }
  const uint64_t state_bytes = reader.Fixed64();
  if (!known || !reader.ok() || state_bytes != reader.rest().size()) {
    return Error(Reason::kBadFormat,
                 where + ": the manifest snapshot is malformed" + std::string(kRestore));
  }
  snapshot.state = reader.rest();
  return snapshot;
}

SnapshotMark MarkOf(std::string_view bytes, const Snapshot& snapshot, std::string object) {
  return {.covered = snapshot.position,
          .salt = snapshot.salt,
          .checksum = base::LoadFixed64(bytes.data() + bytes.size() - kChecksumBytes),
          .object_bytes = bytes.size(),
          .object = std::move(object)};
}

Result<std::string> ReadObject(storage::Storage& storage, const std::string& bucket,
                               const std::string& object) {
  const auto reader = TRY(storage.Open(bucket, object));
  std::string bytes(reader->size(), '\0');
  TRY(reader->Read(0, bytes.size(), bytes.data()));
  return bytes;
}

Result<Snapshot> ReadSnapshot(storage::Storage& storage, const std::string& bucket,
                              const SnapshotMark& mark) {
  const std::string where = "object " + bucket + "/" + mark.object;
  const std::string bytes = TRY(ReadObject(storage, bucket, mark.object));
  Snapshot snapshot = TRY(DecodeSnapshot(bytes, where));
  const SnapshotMark found = MarkOf(bytes, snapshot, mark.object);
  if (found.covered != mark.covered || found.salt != mark.salt || found.checksum != mark.checksum ||
      found.object_bytes != mark.object_bytes) {
    return Error(Reason::kBadChecksum,
                 where + ": not the manifest snapshot that its mark names" + std::string(kRestore));
  }
  return snapshot;
}

}  // namespace luna::manifest
