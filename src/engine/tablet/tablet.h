// Tablet: one key range of a collection: its memstore and its view of the collection's basestore.
// Read order: active memtable, immutable memtables newest first, tables level by level.
// Thread rule: writes (Apply…, Rotate) are guarded by the caller, the group's commit pipeline; the
// rest is safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/basestore/basestore.h"
#include "engine/catalog/edits.h"
#include "engine/entry/visible_iterator.h"
#include "engine/memstore/memstore.h"
#include "runtime/turn.h"

namespace luna::tablet {

// A visible version and what keeps its views alive.
struct Visible {
  entry::Entry entry;
  std::shared_ptr<const void> pin;
};

// What is in memory of a key.
struct Peeked {
  bool known = false;  // false: nothing of this is known without storage
  std::optional<Visible> visible;
};

class Tablet {
 public:
  struct Context {
    catalog::TabletId id = 0;
    catalog::DatabaseId database = 0;
    catalog::CollectionId collection = 0;
    uint64_t tenure = 1;
    journal::Sequence flushed = 0;
    journal::Sequence ingested = 0;
    manifest::Manifest* manifest = nullptr;  // of the database
    std::shared_ptr<basestore::Basestore> base;
    runtime::Runtime* runtime = nullptr;
    base::MemoryBudget* budget = nullptr;
    uint64_t memtable_bytes = 0;
    // Another process leads and keeps nothing for readers here: every read below the safe point is
    // refused, whoever registered it.
    bool followed = false;
  };
  explicit Tablet(Context context);

  catalog::TabletId id() const { return context_.id; }
  catalog::DatabaseId database() const { return context_.database; }
  basestore::Basestore& base() { return *context_.base; }

  // Applies one operation of the record at `sequence`. Records at or before flushed() are ignored.
  void Apply(journal::Sequence sequence, const entry::Entry& entry);
  // As Memtable::Prepare, for the operations applied next.
  static constexpr size_t kPrepared = memstore::Memstore::kPrepared;
  void Prepare(std::span<const uint64_t> key_hashes) const { memstore_.Prepare(key_hashes); }
  void ApplyRange(journal::Sequence sequence, const entry::RangeTombstone& tombstone);
  bool WantsRotation() const;
  void Rotate(journal::Sequence upto);

  // The version a reader at `read` sees: newest ≤ read, if it is live and not covered; else
  // nothing. Blobs come as references. kSnapshotTooOld if `read` is below what compaction kept for
  // unregistered readers and `registered` is false.
  Result<std::optional<Visible>> Get(std::string_view key, Timestamp read, bool registered,
                                     entry::Reach reach = entry::Reach::kStorage) const;
  // What a reader at `read` sees of these keys, as far as it is in memory; waits for nothing.
  // Memory far from the processor is fetched for several keys at once. One of `answers` a key, in
  // order.
  void Peek(std::span<const std::string_view> keys, Timestamp read,
            std::span<Peeked> answers) const;
  // The newest version of any kind and the newest covering tombstone, for evaluation at commit.
  Result<std::optional<Visible>> GetNewest(std::string_view key) const;
  // `read` must be registered. Keeps its memtables and tables alive. kSnapshotTooOld where the
  // tablet is followed.
  Result<std::unique_ptr<entry::VisibleIterator>> NewIterator(const entry::KeyRange& range,
                                                              Timestamp read,
                                                              bool fill_cache = true) const;
  // The newest timestamp > `after` of any version or range tombstone of the key / in the range; 0
  // if none.
  Result<Timestamp> NewestChange(std::string_view key, uint64_t key_hash, Timestamp after) const;
  Result<Timestamp> NewestChangeIn(const entry::KeyRange& range, Timestamp after) const;

  // Writes the oldest immutable memtable to level 0 and commits its Flush edit; false if there was
  // none, or it holds records after `durable`: a Flush edit must never be durable before the
  // records it covers, or tables ahead of the journal look like a journal that lost data. One at a
  // time per tablet (guarded by a Turn inside). `retention`: asked once. Blobs whose entries it
  // dropped are garbage as soon as no reader holds the memtable.
  Result<bool> FlushOldest(const std::function<compaction::Retention()>& retention,
                           journal::Sequence durable);
  // Adds tables (of an Ingest record at `sequence`, not durable in the manifest yet) by a manifest
  // edit.
  Status Ingest(journal::Sequence sequence, std::vector<levels::Row> rows);

  // After the collection was dropped and Rotate was called for the last time: lets the memtables
  // go, and with them, once no reader holds them, the blobs that only they name.
  void Drop();

  // --- For who follows ---
  // The manifest says so, and Basestore::Refresh published its tables: what is in them is let go. A
  // write, as Rotate; `applied` is the last record applied.
  void Settle(journal::Sequence flushed, journal::Sequence ingested, journal::Sequence applied);
  // The same, and everything in memory goes: records after `flushed` are applied once more.
  void Restart(journal::Sequence flushed, journal::Sequence ingested);
  // Whether memory holds what tables do as well.
  bool HoldsFlushed() const;
  // What is in memory: every record after flushed() that was applied.
  memstore::Memstore::Contents Share() const { return memstore_.Share(); }
  // Takes what a follower had, before anything was applied here; memtables that are in tables by
  // now are left. Only if it can: none is in tables in part.
  bool CanInherit(const memstore::Memstore::Contents& contents) const;
  void Inherit(memstore::Memstore::Contents contents);
  journal::Sequence ingested() const { return ingested_.load(std::memory_order_acquire); }

  journal::Sequence flushed() const { return flushed_.load(std::memory_order_acquire); }
  // Every record of this tablet at or before this is in tables or never was; `tail` if nothing is
  // in memory.
  journal::Sequence ReleasableUpto(journal::Sequence tail) const;
  const memstore::Memstore& memstore() const { return memstore_; }
  // Names of the blobs that memtables refer to: alive though no table names them yet.
  std::vector<std::string> UnflushedBlobs() const;

 private:
  // At most kExpected keys. `near`: all is near the processor already.
  static constexpr size_t kExpected = basestore::BaseView::kExpected;
  void PeekSome(std::span<const std::string_view> keys, Timestamp read, bool near,
                const memstore::View& memory, const basestore::BaseView& base,
                std::span<Peeked> answers) const;
  // Of those that no memtable seems to hold `base` expects the lookups: one of `expected` each,
  // to which `expected_of` then points.
  static void Expect(std::span<const entry::Lookup> lookups, const memstore::View& memory,
                     const basestore::BaseView& base,
                     std::span<basestore::BaseView::Expected> expected,
                     std::span<basestore::BaseView::Expected*> expected_of);
  // Its blobs that are not in `tables` go with the memtable.
  void EndBlobs(memtable::Memtable& table, const std::vector<levels::Row>& tables);
  Status CheckKept(Timestamp read, bool registered, const basestore::BaseView& base) const;
  // The newest version ≤ `read` and the newest covering tombstone, wherever they lie. `expected`:
  // null, or what `base` expects of this lookup.
  Result<basestore::Found> Find(const entry::Lookup& lookup, const memstore::View& memory,
                                const basestore::BaseView& base,
                                basestore::BaseView::Expected* expected,
                                std::shared_ptr<const void>& pin) const;

  const Context context_;
  memstore::Memstore memstore_;
  std::atomic<journal::Sequence> flushed_;
  std::atomic<journal::Sequence> ingested_;
  runtime::Turn flush_turn_;
};

}  // namespace luna::tablet
