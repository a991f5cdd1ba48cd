// The bytes of a record in a manifest's stream (docs/formats/manifest.md):
//   nonce (16) | kind (1) | bytes
// kind 1: an edit, whose bytes are the State's. kind 2: a snapshot mark:
//   covered position (8) | salt (16) | checksum (8) | object bytes (8) | object name (varint,
//   bytes)
// Thread rule: pure functions; a NonceWindow is guarded by the caller.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "luna/status.h"

namespace luna::manifest {

enum class RecordKind : uint8_t { kEdit = 1, kSnapshotMark = 2 };

struct StoredRecord {
  base::Id128 nonce;
  RecordKind kind = RecordKind::kEdit;
  std::string_view bytes;  // a view into the record
};

// Says that an object holds the state after all edits up to `covered`.
struct SnapshotMark {
  uint64_t covered = 0;
  base::Id128 salt;
  uint64_t checksum = 0;
  uint64_t object_bytes = 0;
  std::string object;
};

std::string EncodeRecord(const base::Id128& nonce, RecordKind kind, std::string_view bytes);
// kBadFormat, kNewerFormat naming `where`.
Result<StoredRecord> DecodeRecord(std::string_view record, const std::string& where);

std::string EncodeMark(const SnapshotMark& mark);
Result<SnapshotMark> DecodeMark(std::string_view bytes, const std::string& where);

// The nonces of the last kNonces records that were no repeats: part of the replicated state, so
// that everybody finds the same record void.
class NonceWindow {
 public:
  static constexpr size_t kNonces = 1024;

  bool Contains(const base::Id128& nonce) const;
  void Add(const base::Id128& nonce);  // the oldest goes when there are more than kNonces
  const std::deque<base::Id128>& nonces() const { return nonces_; }  // oldest first

 private:
  std::deque<base::Id128> nonces_;
};

}  // namespace luna::manifest
