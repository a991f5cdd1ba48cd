#include "kernel/manifest/edit_format.h"

#include <algorithm>

#include "base/coding.h"

namespace luna::manifest {

std::string EncodeRecord(const base::Id128& nonce, RecordKind kind, std::string_view bytes) {
  std::string record;
  record.reserve(sizeof(uint64_t) * 2 + 1 + bytes.size());
  base::PutFixed64(record, nonce.high);
  base::PutFixed64(record, nonce.low);
  record += static_cast<char>(kind);
  record += bytes;
  return record;
}

Result<StoredRecord> DecodeRecord(std::string_view record, const std::string& where) {
  base::ByteReader reader(record);
  StoredRecord stored;
  stored.nonce.high = reader.Fixed64();
  stored.nonce.low = reader.Fixed64();
  const uint8_t kind = reader.Byte();
  if (!reader.ok() || kind == 0) {
    return Error(Reason::kBadFormat,
                 where + ": " + std::to_string(record.size()) +
                     " bytes that are no manifest record; restore the universe from a backup");
  }
  if (kind > static_cast<uint8_t>(RecordKind::kSnapshotMark)) {
    return Error(Reason::kNewerFormat, where + ": a record of kind " + std::to_string(kind) +
                                           ", which this version does not know; use a newer one");
  }
  stored.kind = static_cast<RecordKind>(kind);
  stored.bytes = reader.rest();
  return stored;
}

std::string EncodeMark(const SnapshotMark& mark) {
  std::string bytes;
  base::PutFixed64(bytes, mark.covered);
  base::PutFixed64(bytes, mark.salt.high);
  base::PutFixed64(bytes, mark.salt.low);
  base::PutFixed64(bytes, mark.checksum);
  base::PutFixed64(bytes, mark.object_bytes);
  base::PutString(bytes, mark.object);
  return bytes;
}

Result<SnapshotMark> DecodeMark(std::string_view bytes, const std::string& where) {
  base::ByteReader reader(bytes);
  SnapshotMark mark;
  mark.covered = reader.Fixed64();
  mark.salt.high = reader.Fixed64();
  mark.salt.low = reader.Fixed64();
  mark.checksum = reader.Fixed64();
  mark.object_bytes = reader.Fixed64();
  mark.object = reader.String();
  if (!reader.ok() || !reader.empty()) {
    return Error(Reason::kBadFormat,
                 where + ": " + std::to_string(bytes.size()) +
                     " bytes that are no snapshot mark; restore the universe from a backup");
  }
  return mark;
}

bool NonceWindow::Contains(const base::Id128& nonce) const {
  return std::find(nonces_.begin(), nonces_.end(), nonce) != nonces_.end();
}

void NonceWindow::Add(const base::Id128& nonce) {
  nonces_.push_back(nonce);
  if (nonces_.size() > kNonces) {
    nonces_.pop_front();
  }
}

}  // namespace luna::manifest
