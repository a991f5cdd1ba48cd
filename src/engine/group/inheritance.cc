#include "engine/group/inheritance.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/coding.h"
#include "base/hash.h"

namespace luna::group {

namespace {

// In the order of ids: who began in the middle of the stream has the older ones from a checkpoint,
// behind the newer ones.
void Put(const OutcomeTable& outcomes, std::string& out) {
  base::PutVarint(out, outcomes.floor());
  std::vector<std::array<uint64_t, 4>> known;
  for (const TransactionId& id : outcomes.order()) {
    const auto outcome = outcomes.Find(id);
    known.push_back({id.high, id.low, outcome->timestamp, uint64_t{outcome->committed}});
  }
  std::ranges::sort(known);
  for (const auto& numbers : known) {
    for (const uint64_t number : numbers) {
      base::PutFixed64(out, number);
    }
  }
}

uint64_t Hash(const memtable::Memtable& table) {
  uint64_t hash = 0;
  std::string bytes;
  const auto iterator = table.NewIterator();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    const entry::Entry& entry = iterator->entry();
    bytes.clear();
    base::PutString(bytes, entry.key);
    base::PutString(bytes, entry.value);
    for (uint64_t number : {entry.timestamp, entry.expiry_millis, static_cast<uint64_t>(entry.kind),
                            uint64_t{entry.type}}) {
      base::PutFixed64(bytes, number);
    }
    hash = base::Hash(bytes, hash);
  }
  if (const auto ranges = table.range_tombstones(); ranges != nullptr) {
    for (const auto& fragment : ranges->fragments()) {
      bytes.clear();
      base::PutString(bytes, fragment.range.begin);
      base::PutString(bytes, fragment.range.end);
      for (const Timestamp timestamp : fragment.timestamps) {
        base::PutFixed64(bytes, timestamp);
      }
      hash = base::Hash(bytes, hash);
    }
  }
  return hash;
}

}  // namespace

uint64_t Digest(const Inheritance& inheritance) {
  std::string out;
  base::PutFixed64(out, inheritance.applied);
  for (const auto& [id, home] : inheritance.databases) {
    base::PutFixed64(out, id);
    base::PutFixed64(out, home.limit);
    Put(home.outcomes, out);
  }
  for (const auto& [qualified, contents] : inheritance.tablets) {
    base::PutFixed64(out, qualified);
    base::PutFixed64(out, Hash(*contents.active));
  }
  for (const std::string& server : inheritance.removed) {
    base::PutString(out, server);
  }
  return base::Hash(out);
}

}  // namespace luna::group
