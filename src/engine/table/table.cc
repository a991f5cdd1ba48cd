#include "engine/table/table.h"

#include <algorithm>

#include "base/try.h"
#include "engine/table/assigned_iterator.h"
#include "engine/table/table_iterator.h"
#include "engine/table/table_reader.h"
#include "engine/table/table_verifier.h"

namespace luna::table {
namespace {

class SortedTable final : public Table {
 public:
  SortedTable(const TableContext& context, TableRow row) : reader_(context, std::move(row)) {}

  const TableRow& row() const override { return reader_.row(); }

  void Prefetch(uint64_t key_hash) const override {
    if (const LoadedTail* tail = reader_.tail_if_loaded()) {
      tail->view.filter.Prefetch(key_hash);
    }
  }

  bool Expect(Expected& expected) const override {
    cache::BlockCache* const cache = reader_.context().cache;
    switch (expected.step++) {
      case 0:
        return cache != nullptr && ExpectBlock(expected);
      case 1:
        cache->PrefetchBlock(expected.block_key, sizeof(Block));
        return true;
      case kPeek:
        expected.block = cache->Peek(expected.block_key);
        if (expected.block == nullptr) {
          return false;
        }
        static_cast<const Block&>(*expected.block).PrefetchTags();
        return true;
      default:
        static_cast<const Block&>(*expected.block).PrefetchRows(expected.lookup.key_hash);
        return false;
    }
  }

  bool loaded() const override { return reader_.tail_if_loaded() != nullptr; }

  Result<std::optional<PinnedEntry>> Get(const entry::Lookup& lookup) const override {
    if (lookup.reach == entry::Reach::kMemory && !loaded()) {
      return NotInMemory(row().object);
    }
    const Timestamp assigned = row().assigned_timestamp;
    if (assigned == 0) {
      return GetStored(lookup);
    }
    if (lookup.read < assigned) {
      return std::optional<PinnedEntry>();
    }
    entry::Lookup newest = lookup;
    newest.read = entry::kMaxTimestamp;
    auto found = TRY(GetStored(newest));
    if (found) {
      found->entry.timestamp = assigned;
    }
    return found;
  }

  Result<std::optional<PinnedEntry>> Get(Expected& expected) const override {
    const entry::Lookup& lookup = expected.lookup;
    if (expected.block == nullptr && expected.step > kPeek &&
        lookup.reach == entry::Reach::kMemory) {
      return NotInMemory(row().object);
    }
    if (expected.block == nullptr || row().assigned_timestamp != 0) {
      return Get(lookup);
    }
    const Block& block = static_cast<const Block&>(*expected.block);
    const auto row = expected.begins ? std::optional<size_t>(0)
                                     : block.Find(lookup.key, lookup.key_hash, lookup.read);
    if (row) {
      return Pin(std::move(expected.block), *row, lookup.key);
    }
    return expected.continues ? Get(lookup) : std::optional<PinnedEntry>();
  }

  std::unique_ptr<entry::EntryIterator> NewIterator(bool fill_cache) const override {
    auto stored = NewTableIterator(reader_, fill_cache);
    return row().assigned_timestamp == 0
               ? std::move(stored)
               : NewAssignedIterator(std::move(stored), row().assigned_timestamp);
  }

  Result<bool> Warm(size_t& block, const std::function<bool()>& stopping) const override {
    const LoadedTail* tail = TRY(reader_.tail());
    ReadAhead read_ahead(reader_.context().budget);
    for (; block < tail->view.index.blocks(); ++block) {
      if (stopping() || !TRY(reader_.Warm(*tail, block, read_ahead))) {
        return false;
      }
    }
    return true;
  }

  Result<std::shared_ptr<const entry::RangeTombstones>> range_tombstones() const override {
    const LoadedTail* tail = TRY(reader_.tail());
    return tail->tombstones;
  }

  Status Verify() const override { return VerifyTable(reader_.context(), reader_.row()); }

  Result<std::vector<std::string>> SplitKeys(size_t parts) const override {
    const LoadedTail* tail = TRY(reader_.tail());
    const Index& index = tail->view.index;
    std::vector<std::string> keys;
    size_t block = 0;
    for (size_t part = 1; part < parts; ++part) {
      const uint64_t wanted = index.data_bytes() / parts * part;
      while (block < index.blocks() && (index.offset(block) < wanted || index.Continues(block))) {
        ++block;
      }
      if (block == index.blocks()) {
        break;
      }
      std::string key = index.first_key(block);
      if (block != 0 && (keys.empty() || keys.back() < key)) {
        keys.push_back(std::move(key));
      }
    }
    return keys;
  }

 private:
  static constexpr int kPeek = 2;  // the step of Expect that takes the block

  // By the timestamps in the table.
  Result<std::optional<PinnedEntry>> GetStored(const entry::Lookup& lookup) const {
    const LoadedTail* tail = TRY(reader_.tail());
    if (!tail->view.filter.MayContain(lookup.key_hash)) {
      return std::optional<PinnedEntry>();
    }
    const Index& index = tail->view.index;
    const Index::Place place = index.Find(lookup.key, lookup.read);
    // The newest version ≤ read is in the block before the place, or it begins the block behind it:
    // the latter for certain if that block also begins the key.
    const bool begins = place.after_has_key && !index.Continues(place.after);
    if (!begins && place.after != 0) {
      cache::BlockHandle handle = TRY(reader_.Fetch(*tail, place.after - 1, lookup.reach));
      const Block& block = static_cast<const Block&>(*handle);
      const auto row = block.Find(lookup.key, lookup.key_hash, lookup.read);
      if (row) {
        return Pin(std::move(handle), *row, lookup.key);
      }
    }
    if (!place.after_has_key) {
      return std::optional<PinnedEntry>();
    }
    return Pin(TRY(reader_.Fetch(*tail, place.after, lookup.reach)), 0, lookup.key);
  }

  // False: the key is not here, or nothing is known of it yet.
  bool ExpectBlock(Expected& expected) const {
    const entry::Lookup& lookup = expected.lookup;
    const LoadedTail* const tail = reader_.tail_if_loaded();
    if (tail == nullptr || !tail->view.filter.MayContain(lookup.key_hash)) {
      return false;
    }
    const Index& index = tail->view.index;
    const Index::Place place = index.Find(lookup.key, lookup.read);
    const bool begins = place.after_has_key && !index.Continues(place.after);
    if (!begins && place.after == 0) {
      return false;
    }
    expected.begins = begins;
    expected.continues = place.after_has_key;
    expected.block_key = reader_.KeyOf(*tail, begins ? place.after : place.after - 1);
    reader_.context().cache->PrefetchPlace(expected.block_key);
    return true;
  }

  static Result<std::optional<PinnedEntry>> Pin(cache::BlockHandle handle, size_t row,
                                                std::string_view key) {
    std::optional<PinnedEntry> found(std::in_place);
    found->entry.key = key;
    static_cast<const Block&>(*handle).Fill(row, found->entry);
    found->pin = std::move(handle);
    return found;
  }

  const TableReader reader_;
};

}  // namespace

std::shared_ptr<Table> Table::Open(const TableContext& context, TableRow row) {
  return std::make_shared<SortedTable>(context, std::move(row));
}

Result<TableRow> ReadTableRow(const TableContext& context, const std::string& object) {
  Properties properties = TRY(ReadProperties(context, object));
  return std::move(properties.row);
}

}  // namespace luna::table
