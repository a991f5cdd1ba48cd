// BaseView: the tables of a collection at one moment and reads across them. As long as a view lives
// nothing of what it names is removed from storage; what Get returned pins a block, not the view,
// so a blob must be read while the view is held, or its absence (kObjectMissing) be answered by a
// new Get.
// Thread rule: immutable.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/entry/entry_iterator.h"
#include "engine/entry/range_tombstones.h"
#include "engine/levels/levels.h"
#include "engine/table/table.h"

namespace luna::basestore {

// The newest version found and the newest range tombstone that covers the key; whichever is newer
// wins.
struct Found {
  std::optional<table::PinnedEntry> entry;
  Timestamp covering = 0;
};

class BaseView {
 public:
  using Tables = std::array<std::vector<std::shared_ptr<table::Table>>, levels::kLevels>;
  // `tables` in the order of `levels`. `safe`: readers not registered as snapshots read at ≥ this.
  BaseView(std::shared_ptr<const levels::Levels> levels, Tables tables, Timestamp safe);

  // Newest version ≤ `read` of `key`, stopping at the first level that answers.
  Result<Found> Get(std::string_view key, uint64_t key_hash, Timestamp read) const {
    return Get({.key = key, .key_hash = key_hash, .read = read});
  }
  Result<Found> Get(const entry::Lookup& lookup) const;
  using CoveringTables = std::array<const table::Table*, levels::kLevels>;
  // A lookup that is about to be made, as far as Expect has come with it.
  struct Expected {
    CoveringTables covering{};
    table::Expected first;  // in the first table that may hold the key; `table` null: none does
  };
  // Brings closer to the processor what Get will look at and is in memory, for all lookups at once,
  // at most kExpected. The view outlives `expected`, of which there are as many.
  static constexpr size_t kExpected = 16;
  void Expect(std::span<const entry::Lookup> lookups, std::span<Expected> expected) const;
  // Get(expected.first.lookup), from there on. Once.
  Result<Found> Get(Expected& expected) const;
  // Adds one iterator a run (level-0 table, level) that touches `range`, and every range tombstone
  // set. The view outlives the iterators.
  Status AddSources(const entry::KeyRange& range, bool fill_cache,
                    std::vector<std::unique_ptr<entry::EntryIterator>>& iterators,
                    std::vector<std::shared_ptr<const entry::RangeTombstones>>& tombstones) const;
  // The newest timestamp > `after` of any version or range tombstone of the key / in the range; 0
  // if none. Looks only into tables whose max_timestamp > after.
  Result<Timestamp> NewestChange(std::string_view key, uint64_t key_hash, Timestamp after) const;
  Result<Timestamp> NewestChangeIn(const entry::KeyRange& range, Timestamp after) const;
  uint64_t content_bytes() const { return content_bytes_; }  // keys and values, uncompressed
  const levels::Levels& levels() const { return *levels_; }
  const std::shared_ptr<const levels::Levels>& shared_levels() const { return levels_; }
  const std::vector<std::shared_ptr<table::Table>>& tables(int level) const {
    return tables_[level];
  }
  // Readers not registered as snapshots may only read at ≥ this.
  Timestamp safe() const { return safe_; }

 private:
  // Asks for the filter lines of all tables that may hold the key; of the levels ≥ 1 these are
  // returned.
  CoveringTables PrefetchFilters(const entry::Lookup& lookup) const;
  // Takes the first step at the first table that may hold the key; false: none does.
  bool BeginExpect(Expected& expected) const;
  // `expected`: null, or what is known of the first table that may hold the key.
  Result<Found> Find(const entry::Lookup& lookup, const CoveringTables& covering,
                     table::Expected* expected) const;
  // The one table of level ≥ 1 that covers `key`; null if none does.
  const table::Table* Covering(int level, std::string_view key) const;

  const std::shared_ptr<const levels::Levels> levels_;
  const Tables tables_;
  const Timestamp safe_;
  uint64_t content_bytes_ = 0;
  std::array<std::vector<uint64_t>, levels::kLevels> heads_;  // KeyHead of each smallest
};

}  // namespace luna::basestore
