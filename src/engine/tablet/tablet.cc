#include "engine/tablet/tablet.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/try.h"
#include "engine/entry/merging_iterator.h"

namespace luna::tablet {

namespace {

// The newest version sought and covering tombstone of one memtable, merged into `found`.
void FindIn(const std::shared_ptr<memtable::Memtable>& table, const entry::Lookup& lookup,
            basestore::Found& found, std::shared_ptr<const void>& pin) {
  if (const auto sets = table->range_sets(); sets != nullptr) {
    for (const auto& ranges : *sets) {
      found.covering = std::max(found.covering, ranges->Covering(lookup.key, lookup.read));
    }
  }
  const auto entry = table->Get(lookup.key, lookup.key_hash, lookup.read);
  if (entry && (!found.entry || entry->timestamp > found.entry->entry.timestamp)) {
    found.entry = table::PinnedEntry{.entry = *entry, .pin = nullptr};
    pin = table;
  }
}

// What a reader at `read` sees of what was found.
std::optional<Visible> See(const basestore::Found& found, Timestamp read,
                           std::shared_ptr<const void> pin) {
  if (!found.entry || found.covering > found.entry->entry.timestamp ||
      !entry::IsLive(found.entry->entry, read)) {
    return std::nullopt;
  }
  return Visible{.entry = found.entry->entry, .pin = std::move(pin)};
}

Timestamp NewestIn(const memtable::Memtable& table, std::string_view key, uint64_t key_hash) {
  Timestamp newest = 0;
  if (const auto entry = table.Get(key, key_hash, entry::kMaxTimestamp); entry) {
    newest = entry->timestamp;
  }
  if (const auto sets = table.range_sets(); sets != nullptr) {
    for (const auto& ranges : *sets) {
      newest = std::max(newest, ranges->Covering(key, entry::kMaxTimestamp));
    }
  }
  return newest;
}

Timestamp NewestInRange(const memtable::Memtable& table, const entry::KeyRange& range,
                        Timestamp after) {
  Timestamp newest = 0;
  if (const auto sets = table.range_sets(); sets != nullptr) {
    for (const auto& ranges : *sets) {
      newest = std::max(newest, ranges->NewestIn(range, after));
    }
  }
  const auto iterator = table.NewIterator();
  for (iterator->Seek(range.begin, entry::kMaxTimestamp);
       iterator->Valid() && range.Contains(iterator->entry().key); iterator->Next()) {
    newest = std::max(newest, iterator->entry().timestamp);
  }
  return newest > after ? newest : 0;
}

// The blobs that entries of a memtable refer to.
void AddBlobs(const memtable::Memtable& table, std::vector<std::string>& names) {
  if (!table.has_blobs()) {
    return;
  }
  const auto iterator = table.NewIterator();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    if (iterator->entry().kind != entry::Kind::kBlob) {
      continue;
    }
    if (auto reference = entry::DecodeBlobReference(iterator->entry().value); reference.ok()) {
      names.push_back(std::move(reference->name));
    }
  }
}

// Keeps the memtables and tables under an iterator alive, behind the iterator's own interface.
class PinnedIterator final : public entry::EntryIterator {
 public:
  PinnedIterator(std::unique_ptr<entry::EntryIterator> source,
                 std::shared_ptr<const memstore::View> memory,
                 std::shared_ptr<const basestore::BaseView> base)
      : memory_(std::move(memory)), base_(std::move(base)), source_(std::move(source)) {}

  void SeekToFirst() override { Moved((source_->SeekToFirst(), 0)); }
  void SeekToLast() override { Moved((source_->SeekToLast(), 0)); }
  void Seek(std::string_view key, Timestamp timestamp) override {
    Moved((source_->Seek(key, timestamp), 0));
  }
  void SeekForPrev(std::string_view key, Timestamp timestamp) override {
    Moved((source_->SeekForPrev(key, timestamp), 0));
  }
  void Next() override { Moved((source_->Next(), 0)); }
  void Prev() override { Moved((source_->Prev(), 0)); }
  Status status() const override { return source_->status(); }

 private:
  void Moved(int) {
    valid_ = source_->Valid();
    if (valid_) {
      entry_ = source_->entry();
    }
  }
  const std::shared_ptr<const memstore::View> memory_;
  const std::shared_ptr<const basestore::BaseView> base_;
  const std::unique_ptr<entry::EntryIterator> source_;
};

}  // namespace

Tablet::Tablet(Context context)
    : context_(std::move(context)),
      memstore_(*context_.budget, context_.memtable_bytes),
      flushed_(context_.flushed),
      ingested_(context_.ingested),
      flush_turn_(*context_.runtime) {}

void Tablet::Apply(journal::Sequence sequence, const entry::Entry& entry) {
  if (sequence > flushed()) {
    memstore_.Add(sequence, entry);
  }
}

void Tablet::ApplyRange(journal::Sequence sequence, const entry::RangeTombstone& tombstone) {
  if (sequence > flushed()) {
    memstore_.AddRange(sequence, tombstone);
  }
}

bool Tablet::WantsRotation() const {
  return memstore_.Full();
}

void Tablet::Rotate(journal::Sequence upto) {
  if (upto > flushed()) {
    memstore_.Rotate(upto);
  }
}

Result<basestore::Found> Tablet::Find(const entry::Lookup& lookup, const memstore::View& memory,
                                      const basestore::BaseView& base,
                                      basestore::BaseView::Expected* expected,
                                      std::shared_ptr<const void>& pin) const {
  basestore::Found found;
  FindIn(memory.active, lookup, found, pin);
  for (const auto& frozen : memory.frozen) {
    // A younger memtable holds younger versions only: the first that answers is right.
    if (found.entry || found.covering != 0) {
      return found;
    }
    FindIn(frozen, lookup, found, pin);
  }
  if (found.entry || found.covering != 0) {
    return found;
  }
  found = TRY(expected != nullptr ? base.Get(*expected) : base.Get(lookup));
  if (found.entry) {
    pin = std::move(found.entry->pin);
  }
  return found;
}

Status Tablet::CheckKept(Timestamp read, bool registered, const basestore::BaseView& base) const {
  if (read >= base.safe() || (registered && !context_.followed)) {
    return {};
  }
  return Error(Reason::kSnapshotTooOld,
               "a read at " + std::to_string(read) + " is older than what is kept (" +
                   std::to_string(base.safe()) + "); read at a newer time, or hold a snapshot" +
                   (context_.followed ? " at the leader" : ""));
}

Result<std::optional<Visible>> Tablet::Get(std::string_view key, Timestamp read, bool registered,
                                           entry::Reach reach) const {
  const auto memory = memstore_.view();  // before the tables: nothing falls between the two
  const auto base = context_.base->view();
  if (read < base->safe()) [[unlikely]] {
    TRY(CheckKept(read, registered, *base));
  }
  std::shared_ptr<const void> pin;
  const basestore::Found found =
      TRY(Find({.key = key, .key_hash = base::Hash(key), .read = read, .reach = reach}, *memory,
               *base, nullptr, pin));
  return See(found, read, std::move(pin));
}

void Tablet::Peek(std::span<const std::string_view> keys, Timestamp read,
                  std::span<Peeked> answers) const {
  LUNA_ASSERT(keys.size() == answers.size());
  std::ranges::fill(answers, Peeked());
  const auto memory = memstore_.view();  // before the tables: nothing falls between the two
  const auto base = context_.base->view();
  if (read < base->safe()) [[unlikely]] {
    return;
  }
  // Less lies in the processor's caches by itself.
  constexpr uint64_t kFar = uint64_t{1} << 20;
  const bool near =
      memory->frozen.empty() && memory->active->content_bytes() + base->content_bytes() < kFar;
  for (size_t i = 0; i < keys.size(); i += kExpected) {
    const size_t count = std::min(kExpected, keys.size() - i);
    PeekSome(keys.subspan(i, count), read, near, *memory, *base, answers.subspan(i, count));
  }
}

void Tablet::PeekSome(std::span<const std::string_view> keys, Timestamp read, bool near,
                      const memstore::View& memory, const basestore::BaseView& base,
                      std::span<Peeked> answers) const {
  std::array<entry::Lookup, kExpected> lookups;
  for (size_t i = 0; i < keys.size(); ++i) {
    lookups[i] = {.key = keys[i],
                  .key_hash = base::Hash(keys[i]),
                  .read = read,
                  .reach = entry::Reach::kMemory};
  }
  std::array<basestore::BaseView::Expected, kExpected> expected;
  std::array<basestore::BaseView::Expected*, kExpected> expected_of{};
  if (!near) {
    Expect(std::span(lookups).first(keys.size()), memory, base, expected, expected_of);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    std::shared_ptr<const void> pin;
    const auto found = Find(lookups[i], memory, base, expected_of[i], pin);
    if (found.ok()) {
      answers[i].known = true;
      answers[i].visible = See(*found, read, std::move(pin));
    }
  }
}

void Tablet::Expect(std::span<const entry::Lookup> lookups, const memstore::View& memory,
                    const basestore::BaseView& base,
                    std::span<basestore::BaseView::Expected> expected,
                    std::span<basestore::BaseView::Expected*> expected_of) {
  std::array<entry::Lookup, kExpected> wanted;
  std::array<uint64_t, kExpected> hashes;
  std::array<uint8_t, kExpected> indexes;
  size_t left = lookups.size();
  for (size_t i = 0; i < left; ++i) {
    hashes[i] = lookups[i].key_hash;
    indexes[i] = static_cast<uint8_t>(i);
  }
  const auto look = [&](const memtable::Memtable& table) {
    if (table.count() == 0) {
      return;
    }
    const uint32_t here = table.Expect(std::span(hashes).first(left));
    size_t kept = 0;
    for (size_t i = 0; i < left; ++i) {
      indexes[kept] = indexes[i];
      hashes[kept] = hashes[i];
      kept += (here >> i & 1) == 0 ? 1 : 0;
    }
    left = kept;
  };
  look(*memory.active);
  for (const auto& frozen : memory.frozen) {
    look(*frozen);
  }
  for (size_t i = 0; i < left; ++i) {
    wanted[i] = lookups[indexes[i]];
    expected_of[indexes[i]] = &expected[i];
  }
  base.Expect(std::span(wanted).first(left), expected.first(left));
}

Result<std::optional<Visible>> Tablet::GetNewest(std::string_view key) const {
  const auto memory = memstore_.view();
  const auto base = context_.base->view();
  std::shared_ptr<const void> pin;
  const basestore::Found found =
      TRY(Find({.key = key, .key_hash = base::Hash(key), .read = entry::kMaxTimestamp}, *memory,
               *base, nullptr, pin));
  if (!found.entry || found.covering > found.entry->entry.timestamp) {
    return std::optional<Visible>();
  }
  return std::optional<Visible>(Visible{.entry = found.entry->entry, .pin = std::move(pin)});
}

Result<std::unique_ptr<entry::VisibleIterator>> Tablet::NewIterator(const entry::KeyRange& range,
                                                                    Timestamp read,
                                                                    bool fill_cache) const {
  auto memory = memstore_.view();
  auto base = context_.base->view();
  TRY(CheckKept(read, true, *base));
  std::vector<std::unique_ptr<entry::EntryIterator>> sources;
  std::vector<std::shared_ptr<const entry::RangeTombstones>> tombstones;
  const auto add = [&](const memtable::Memtable& table) {
    if (table.count() > 0) {
      sources.push_back(table.NewIterator());
    }
    if (const auto sets = table.range_sets(); sets != nullptr) {
      tombstones.insert(tombstones.end(), sets->begin(), sets->end());
    }
  };
  add(*memory->active);
  for (const auto& frozen : memory->frozen) {
    add(*frozen);
  }
  TRY(base->AddSources(range, fill_cache, sources, tombstones));
  auto merged = std::make_unique<PinnedIterator>(entry::NewMergingIterator(std::move(sources)),
                                                 std::move(memory), std::move(base));
  return std::make_unique<entry::VisibleIterator>(std::move(merged), std::move(tombstones), read,
                                                  range);
}

Result<Timestamp> Tablet::NewestChange(std::string_view key, uint64_t key_hash,
                                       Timestamp after) const {
  const auto memory = memstore_.view();
  const auto base = context_.base->view();
  Timestamp newest = NewestIn(*memory->active, key, key_hash);
  for (const auto& frozen : memory->frozen) {
    newest = std::max(newest, NewestIn(*frozen, key, key_hash));
  }
  if (newest > after) {
    return newest;
  }
  return base->NewestChange(key, key_hash, after);
}

Result<Timestamp> Tablet::NewestChangeIn(const entry::KeyRange& range, Timestamp after) const {
  const auto memory = memstore_.view();
  const auto base = context_.base->view();
  Timestamp newest = 0;
  const auto look = [&](const memtable::Memtable& table) {
    if (table.max_timestamp() > after) {
      newest = std::max(newest, NewestInRange(table, range, after));
    }
  };
  look(*memory->active);
  for (const auto& frozen : memory->frozen) {
    look(*frozen);
  }
  if (newest > after) {
    return newest;
  }
  return base->NewestChangeIn(range, after);
}

Result<bool> Tablet::FlushOldest(const std::function<compaction::Retention()>& retention,
                                 journal::Sequence durable) {
  runtime::TurnHold hold(flush_turn_);
  const auto frozen = memstore_.Oldest();
  if (!frozen || frozen->upto > durable) {
    return false;
  }
  compaction::MergeInput input;
  input.entries = frozen->table->NewIterator();
  if (auto ranges = frozen->table->range_tombstones(); ranges != nullptr) {
    input.tombstones.push_back(std::move(ranges));
  }
  input.retention = retention();
  const Timestamp safe = input.retention.safe;
  const compaction::Written written = TRY(context_.base->WriteTables(std::move(input)));
  const catalog::Edit edit = catalog::Flush{.tablet = context_.id,
                                            .tenure = context_.tenure,
                                            .from = flushed(),
                                            .upto = frozen->upto,
                                            .tables = written.tables,
                                            .safe_timestamp = safe};
  const auto publish = [&](manifest::Position) {
    context_.base->Refresh();
    flushed_.store(frozen->upto, std::memory_order_release);
  };
  const Result<bool> valid = context_.manifest->Commit(catalog::Encode(edit), publish);
  if (!valid.ok()) {
    if (valid.error().reason() == Reason::kFenced) {
      context_.base->Discard(written);  // another leads: the edit is void, or was not stored
    }
    return valid.error();
  }
  if (!*valid) {
    context_.base->Discard(written);
    return Error(Reason::kCollectionMissing, "tablet " + std::to_string(context_.id) +
                                                 " was dropped or moved while it was flushed");
  }
  EndBlobs(*frozen->table, written.tables);
  memstore_.Forget(frozen->upto);
  return true;
}

Status Tablet::Ingest(journal::Sequence sequence, std::vector<levels::Row> rows) {
  if (sequence <= ingested_.load(std::memory_order_acquire)) {
    return {};  // replayed, and in the manifest already
  }
  const catalog::Edit edit = catalog::Ingest{.tablet = context_.id,
                                             .tenure = context_.tenure,
                                             .sequence = sequence,
                                             .tables = std::move(rows)};
  const auto publish = [&](manifest::Position) { context_.base->Refresh(); };
  const bool valid = TRY(context_.manifest->Commit(catalog::Encode(edit), publish));
  if (!valid) {
    return Error(Reason::kCollectionMissing, "tablet " + std::to_string(context_.id) +
                                                 " was dropped while tables were added to it");
  }
  ingested_.store(sequence, std::memory_order_release);
  return {};
}

void Tablet::Settle(journal::Sequence flushed, journal::Sequence ingested,
                    journal::Sequence applied) {
  flushed_.store(flushed, std::memory_order_release);
  ingested_.store(ingested, std::memory_order_release);
  // Before tables are ingested everything in memory is flushed.
  const journal::Sequence upto = std::max(flushed, ingested == 0 ? 0 : ingested - 1);
  const journal::Sequence first = memstore_.FirstUnflushed();
  if (first == 0 || first > upto) {
    return;
  }
  if (!memstore_.ActiveEmpty() && memstore_.active_first() <= upto) {
    memstore_.Rotate(applied);
  }
  memstore_.Forget(upto);
}

void Tablet::Restart(journal::Sequence flushed, journal::Sequence ingested) {
  flushed_.store(flushed, std::memory_order_release);
  ingested_.store(ingested, std::memory_order_release);
  memstore_.Clear();
}

bool Tablet::HoldsFlushed() const {
  const journal::Sequence first = memstore_.FirstUnflushed();
  return first != 0 && first <= flushed();
}

bool Tablet::CanInherit(const memstore::Memstore::Contents& contents) const {
  const journal::Sequence upto = flushed();
  for (const memstore::Frozen& frozen : contents.frozen) {
    if (frozen.first <= upto && frozen.upto > upto) {
      return false;
    }
  }
  return contents.active_first == 0 || contents.active_first > upto;
}

void Tablet::Inherit(memstore::Memstore::Contents contents) {
  std::erase_if(contents.frozen, [&](const auto& frozen) { return frozen.upto <= flushed(); });
  memstore_.Take(std::move(contents));
}

journal::Sequence Tablet::ReleasableUpto(journal::Sequence tail) const {
  const journal::Sequence first = memstore_.FirstUnflushed();
  return first == 0 ? tail : first - 1;
}

void Tablet::EndBlobs(memtable::Memtable& table, const std::vector<levels::Row>& tables) {
  std::vector<std::string> ended;
  AddBlobs(table, ended);
  if (ended.empty()) {
    return;
  }
  std::set<std::string_view> named;
  for (const levels::Row& row : tables) {
    named.insert(row->blobs.begin(), row->blobs.end());
  }
  std::erase_if(ended, [&](const std::string& name) { return named.contains(name); });
  if (!ended.empty()) {
    table.KeepUntilEnd(context_.base->HoldBlobs(std::move(ended)));
  }
}

void Tablet::Drop() {
  runtime::TurnHold hold(flush_turn_);  // a flush under way either takes its memtable or leaves it
  while (const auto frozen = memstore_.Oldest()) {
    EndBlobs(*frozen->table, {});
    memstore_.Forget(frozen->upto);
  }
}

std::vector<std::string> Tablet::UnflushedBlobs() const {
  std::vector<std::string> names;
  const auto memory = memstore_.view();
  AddBlobs(*memory->active, names);
  for (const auto& frozen : memory->frozen) {
    AddBlobs(*frozen, names);
  }
  return names;
}

}  // namespace luna::tablet
