// entry: what is stored. An entry is one version of one key: (key, timestamp) and a value or a
// deletion. Internal order: key ascending (bytewise), timestamp descending, so the newest version
// of a key comes first. Key and timestamp are two fields, never concatenated.
// Thread rule: plain values and pure functions.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "luna/options.h"

namespace luna::entry {

inline constexpr size_t kMaxKeyBytes = size_t{64} << 10;
inline constexpr size_t kMaxValueBytes = size_t{512} << 20;
inline constexpr size_t kBlobBytes = size_t{64} << 10;  // values this large become blob objects
inline constexpr size_t kBlobPartBytes = size_t{16} << 20;
inline constexpr Timestamp kMaxTimestamp = (Timestamp{1} << 63) - 1;  // the top bit is never set
inline constexpr int kCounterBits = 18;  // of a timestamp, below the milliseconds

inline uint64_t MillisOf(Timestamp timestamp) {
  return timestamp >> kCounterBits;
}
inline Timestamp FirstAt(uint64_t millis) {
  return millis << kCounterBits;
}

// Stored in tables and journals; values do not change.
enum class Kind : uint8_t {
  kPut = 1,     // value is the value
  kDelete = 2,  // no value
  kBlob = 3,    // value is an encoded BlobReference
};

// How far a read may go: to the device, or no further than memory (else kNotInMemory).
enum class Reach : uint8_t { kStorage, kMemory };

// What a read looks for: the newest version ≤ `read` of `key`.
struct Lookup {
  std::string_view key;
  uint64_t key_hash = 0;
  Timestamp read = 0;
  Reach reach = Reach::kStorage;
};

// Views into memory owned by whoever hands the entry out.
struct Entry {
  std::string_view key = {};
  Timestamp timestamp = 0;
  Kind kind = Kind::kPut;
  uint8_t type = 0;            // 0 = string; containers later
  uint64_t expiry_millis = 0;  // absent at read timestamps whose milliseconds are ≥ this; 0 = never
  std::string_view value = {};
};

// True if the entry is a value a reader at `read` sees (given it is the newest version ≤ read).
inline bool IsLive(const Entry& entry, Timestamp read) {
  return entry.kind != Kind::kDelete &&
         (entry.expiry_millis == 0 || MillisOf(read) < entry.expiry_millis);
}

// Internal order of (key, timestamp).
inline std::strong_ordering Compare(std::string_view a, Timestamp a_ts, std::string_view b,
                                    Timestamp b_ts) {
  const int order = a.compare(b);
  if (order != 0) {
    return order <=> 0;
  }
  return b_ts <=> a_ts;
}

// All keys in [begin, end); an empty `end` means no upper bound.
struct KeyRange {
  std::string begin;
  std::string end;
  bool Contains(std::string_view key) const { return key >= begin && (end.empty() || key < end); }
  bool Overlaps(std::string_view first, std::string_view last) const {  // [first, last] inclusive
    return last >= begin && (end.empty() || first < end);
  }
  bool empty() const { return !end.empty() && begin >= end; }
  bool operator==(const KeyRange&) const = default;
};

// Deletes every version older than `timestamp` of every key in the range. A write of the same
// transaction (same timestamp) inside the range is newer than the deletion.
struct RangeTombstone {
  KeyRange range;
  Timestamp timestamp = 0;
  bool operator==(const RangeTombstone&) const = default;
};

// Where a large value lies: objects "<name>.0", "<name>.1", ... of ≤ kBlobPartBytes each in the
// database's bucket. `checksum` is XXH3-64 of the whole value.
struct BlobReference {
  std::string name;
  uint64_t size = 0;
  uint64_t checksum = 0;
};
std::string EncodeBlobReference(const BlobReference& reference);
Result<BlobReference> DecodeBlobReference(std::string_view bytes);
inline uint64_t BlobParts(uint64_t size) {
  return (size + kBlobPartBytes - 1) / kBlobPartBytes;
}
std::string BlobPartName(const BlobReference& reference, uint64_t part);

// The smallest string greater than every string with this prefix; empty if there is none.
std::string PrefixEnd(std::string_view prefix);

}  // namespace luna::entry
