#include "engine/basestore/base_view.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/coding.h"
#include "base/try.h"
#include "engine/basestore/level_iterator.h"

namespace luna::basestore {
namespace {

// What `table` knows of the key, merged into `found`. `expected`: null, or of some table.
Status FindIn(const table::Table& table, const entry::Lookup& lookup, table::Expected* expected,
              Found& found) {
  const table::TableRow& row = table.row();
  if (row.range_tombstones > 0) {
    if (lookup.reach == entry::Reach::kMemory && !table.loaded()) {
      return table::NotInMemory(row.object);
    }
    const auto ranges = TRY(table.range_tombstones());
    found.covering = std::max(found.covering, ranges->Covering(lookup.key, lookup.read));
  }
  if (row.entries == 0) {
    return {};
  }
  const bool begun = expected != nullptr && expected->table == &table;
  std::optional<table::PinnedEntry> entry = TRY(begun ? table.Get(*expected) : table.Get(lookup));
  if (entry && (!found.entry || entry->entry.timestamp > found.entry->entry.timestamp)) {
    found.entry = std::move(entry);
  }
  return {};
}

// Can a table with nothing newer than `newest` still change what was found?
bool Settled(const Found& found, Timestamp newest) {
  return found.covering > newest || (found.entry && found.entry->entry.timestamp >= newest);
}

bool Answers(const Found& found) {
  return found.entry.has_value() || found.covering != 0;
}

// The newest version or range tombstone in `range` of one table.
Result<Timestamp> NewestIn(const table::Table& table, const entry::KeyRange& range,
                           Timestamp after) {
  Timestamp newest = 0;
  if (table.row().range_tombstones > 0) {
    const auto ranges = TRY(table.range_tombstones());
    newest = ranges->NewestIn(range, after);
  }
  if (table.row().entries == 0) {
    return newest;
  }
  const auto entries = table.NewIterator(true);
  for (entries->Seek(range.begin, entry::kMaxTimestamp);
       entries->Valid() && range.Contains(entries->entry().key) &&
       newest < table.row().max_timestamp;
       entries->Next()) {
    newest = std::max(newest, entries->entry().timestamp);
  }
  TRY(entries->status());
  return newest > after ? newest : 0;
}

}  // namespace

BaseView::BaseView(std::shared_ptr<const levels::Levels> levels, Tables tables, Timestamp safe)
    : levels_(std::move(levels)), tables_(std::move(tables)), safe_(safe) {
  for (int n = 0; n < levels::kLevels; ++n) {
    LUNA_ASSERT(tables_[n].size() == levels_->level(n).size());
    for (const levels::Row& row : levels_->level(n)) {
      content_bytes_ += row->content_bytes;
    }
    if (n > 0) {
      heads_[n].reserve(tables_[n].size());
      for (const levels::Row& row : levels_->level(n)) {
        heads_[n].push_back(base::KeyHead(row->smallest));
      }
    }
  }
}

const table::Table* BaseView::Covering(int level, std::string_view key) const {
  const std::vector<uint64_t>& heads = heads_[level];
  if (heads.empty()) {
    return nullptr;
  }
  const std::vector<levels::Row>& rows = levels_->level(level);
  const auto equal = std::equal_range(heads.begin(), heads.end(), base::KeyHead(key));
  // Among equal heads the whole keys decide: the last that begins at or before `key`.
  const auto after = std::partition_point(
      rows.begin() + (equal.first - heads.begin()), rows.begin() + (equal.second - heads.begin()),
      [&](const levels::Row& row) { return row->smallest <= key; });
  if (after == rows.begin() || !levels::Covers(**std::prev(after), key)) {
    return nullptr;
  }
  return tables_[level][static_cast<size_t>(after - rows.begin()) - 1].get();
}

BaseView::CoveringTables BaseView::PrefetchFilters(const entry::Lookup& lookup) const {
  const std::vector<levels::Row>& level0 = levels_->level(0);
  for (size_t i = 0; i < level0.size(); ++i) {
    if (levels::Covers(*level0[i], lookup.key)) {
      tables_[0][i]->Prefetch(lookup.key_hash);
    }
  }
  CoveringTables covering{};
  for (int n = 1; n < levels::kLevels; ++n) {
    covering[n] = Covering(n, lookup.key);
    if (covering[n] != nullptr) {
      covering[n]->Prefetch(lookup.key_hash);
    }
  }
  return covering;
}

bool BaseView::BeginExpect(Expected& expected) const {
  table::Expected& first = expected.first;
  const auto begin = [&first](const table::Table& table) {
    first.table = &table;
    first.step = 0;
    return table.Expect(first);
  };
  for (size_t i = 0; i < tables_[0].size(); ++i) {
    if (levels::Covers(*levels_->level(0)[i], first.lookup.key) && begin(*tables_[0][i])) {
      return true;
    }
  }
  for (const table::Table* const table : expected.covering) {
    if (table != nullptr && begin(*table)) {
      return true;
    }
  }
  first.table = nullptr;
  return false;
}

void BaseView::Expect(std::span<const entry::Lookup> lookups, std::span<Expected> expected) const {
  LUNA_ASSERT(lookups.size() <= kExpected && expected.size() == lookups.size());
  for (size_t i = 0; i < lookups.size(); ++i) {
    expected[i].first.lookup = lookups[i];
    expected[i].covering = PrefetchFilters(lookups[i]);
  }
  std::array<table::Expected*, kExpected> going;
  size_t count = 0;
  for (Expected& one : expected) {
    if (BeginExpect(one)) {
      going[count++] = &one.first;
    }
  }
  while (count > 0) {
    size_t left = 0;
    for (size_t i = 0; i < count; ++i) {
      if (going[i]->table->Expect(*going[i])) {
        going[left++] = going[i];
      }
    }
    count = left;
  }
}

Result<Found> BaseView::Get(const entry::Lookup& lookup) const {
  // All filter lines are on their way before the first is needed.
  return Find(lookup, PrefetchFilters(lookup), nullptr);
}

Result<Found> BaseView::Get(Expected& expected) const {
  return Find(expected.first.lookup, expected.covering, &expected.first);
}

Result<Found> BaseView::Find(const entry::Lookup& lookup, const CoveringTables& covering,
                             table::Expected* expected) const {
  const std::string_view key = lookup.key;
  const std::vector<levels::Row>& level0 = levels_->level(0);
  Found found;
  for (size_t i = 0; i < level0.size() && !Settled(found, level0[i]->max_timestamp); ++i) {
    if (level0[i]->min_timestamp <= lookup.read && levels::Covers(*level0[i], key)) {
      TRY(FindIn(*tables_[0][i], lookup, expected, found));
    }
  }
  for (int n = 1; n < levels::kLevels && !Answers(found); ++n) {
    if (covering[n] != nullptr) {
      TRY(FindIn(*covering[n], lookup, expected, found));
    }
  }
  return found;
}

Status BaseView::AddSources(
    const entry::KeyRange& range, bool fill_cache,
    std::vector<std::unique_ptr<entry::EntryIterator>>& iterators,
    std::vector<std::shared_ptr<const entry::RangeTombstones>>& tombstones) const {
  for (int n = 0; n < levels::kLevels; ++n) {
    std::vector<const table::Table*> run;
    for (size_t i = 0; i < tables_[n].size(); ++i) {
      const table::TableRow& row = *levels_->level(n)[i];
      if (!levels::Touches(row, range)) {
        continue;
      }
      if (row.range_tombstones > 0) {
        tombstones.push_back(TRY(tables_[n][i]->range_tombstones()));
      }
      if (row.entries == 0) {
        continue;
      }
      if (n == 0) {
        iterators.push_back(tables_[n][i]->NewIterator(fill_cache));
      } else {
        run.push_back(tables_[n][i].get());
      }
    }
    if (run.size() == 1) {
      iterators.push_back(run.front()->NewIterator(fill_cache));
    } else if (!run.empty()) {
      iterators.push_back(NewLevelIterator(std::move(run), fill_cache));
    }
  }
  return {};
}

Result<Timestamp> BaseView::NewestChange(std::string_view key, uint64_t key_hash,
                                         Timestamp after) const {
  const entry::Lookup lookup = {.key = key, .key_hash = key_hash, .read = entry::kMaxTimestamp};
  Found found;
  const auto newest = [&] {
    return std::max(found.covering, found.entry ? found.entry->entry.timestamp : 0);
  };
  const std::vector<levels::Row>& level0 = levels_->level(0);
  for (size_t i = 0; i < level0.size() && level0[i]->max_timestamp > after; ++i) {
    if (!Settled(found, level0[i]->max_timestamp) && levels::Covers(*level0[i], key)) {
      TRY(FindIn(*tables_[0][i], lookup, nullptr, found));
    }
  }
  for (int n = 1; n < levels::kLevels && newest() <= after; ++n) {
    const table::Table* table = Covering(n, key);
    if (table != nullptr && table->row().max_timestamp > after) {
      TRY(FindIn(*table, lookup, nullptr, found));
    }
  }
  return newest() > after ? newest() : 0;
}

Result<Timestamp> BaseView::NewestChangeIn(const entry::KeyRange& range, Timestamp after) const {
  Timestamp newest = 0;
  for (int n = 0; n < levels::kLevels; ++n) {
    for (size_t i = 0; i < tables_[n].size(); ++i) {
      const table::TableRow& row = *levels_->level(n)[i];
      // Of different keys a deeper level may hold the newest: every table counts.
      if (row.max_timestamp > std::max(after, newest) && levels::Touches(row, range)) {
        const Timestamp one = TRY(NewestIn(*tables_[n][i], range, after));
        newest = std::max(newest, one);
      }
    }
  }
  return newest;
}

}  // namespace luna::basestore
