#include "engine/universe/values.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/try.h"
#include "engine/blob/blob.h"
#include "engine/universe/names.h"

namespace luna::universe {

namespace {
// A compaction can overtake an unregistered read between its steps; the next try reads newer
// versions.
constexpr int kTries = 100;
// Where it is followed, each try waits for a look.
constexpr int kFollowedTries = 4;

PinnedValue PinnedOf(tablet::Visible visible) {
  return {.bytes = visible.entry.value,
          .timestamp = visible.entry.timestamp,
          .type = visible.entry.type,
          .expiry_millis = visible.entry.expiry_millis,
          .pin = std::move(visible.pin)};
}

Result<std::optional<PinnedValue>> ReadValueOnce(DatabaseCore& database,
                                                 const CollectionCore& collection,
                                                 std::string_view key, const ReadAt& at) {
  TRY(database.CheckUsable());
  if (collection.dropped.load(std::memory_order_acquire)) {
    return Dropped(collection);
  }
  auto visible = TRY(collection.tablet->Get(key, at.timestamp, at.registered, at.reach));
  if (collection.dropped.load(std::memory_order_acquire)) {
    return Dropped(collection);  // while we looked: what was not found may have gone with it
  }
  if (!visible) {
    return std::optional<PinnedValue>();
  }
  if (visible->entry.kind != entry::Kind::kBlob) {
    return std::optional(PinnedOf(std::move(*visible)));
  }
  if (at.reach == entry::Reach::kMemory) {
    return table::NotInMemory("a blob");
  }
  const auto bytes = std::make_shared<const std::string>(TRY(BytesOf(database, visible->entry)));
  visible->entry.value = *bytes;
  visible->pin = bytes;
  return std::optional(PinnedOf(std::move(*visible)));
}
}  // namespace

Error Dropped(const CollectionCore& collection) {
  return {Reason::kCollectionMissing,
          "collection " + std::to_string(collection.id) + " was dropped; open another one"};
}

bool DefinitelyRefused(const Error& error) {
  return error.code() == ErrorCode::kConflict || error.code() == ErrorCode::kInvalidArgument ||
         error.code() == ErrorCode::kBusy || error.code() == ErrorCode::kNotFound ||
         error.reason() == Reason::kDiskFull;  // where a commit may be in the journal: kSyncFailed
}

void EndBlobs(DatabaseCore& database, const transaction::WriteSet& writes, bool refused,
              std::vector<std::string>& blobs) {
  if (blobs.empty()) {
    return;
  }
  std::set<std::string> named;
  if (!refused) {
    for (const auto& [tablet, part] : writes.parts()) {
      for (const auto& [key, pending] : part.writes) {
        // A changed one was evaluated: what came of it was stored anew.
        if (pending.base != transaction::Pending::Base::kBlob || !pending.changes.empty()) {
          continue;
        }
        if (const auto reference = entry::DecodeBlobReference(pending.value); reference.ok()) {
          named.insert(reference->name);
        }
      }
    }
  }
  for (const std::string& blob : blobs) {
    if (!named.contains(blob)) {
      (void)blob::Remove(database.engine().kernel->storage(), database.bucket(), blob);
    }
  }
  blobs.clear();
}

Result<std::string> BytesOf(DatabaseCore& database, const entry::Entry& entry) {
  if (entry.kind != entry::Kind::kBlob) {
    return std::string(entry.value);
  }
  const auto reference = TRY(entry::DecodeBlobReference(entry.value));
  return blob::Read(database.engine().kernel->storage(), database.bucket(), reference);
}

Value Copy(const PinnedValue& value) {
  return {.bytes = std::string(value.bytes),
          .timestamp = value.timestamp,
          .type = value.type,
          .expiry_millis = value.expiry_millis};
}

std::optional<Value> Copy(const std::optional<PinnedValue>& value) {
  return value ? std::optional(Copy(*value)) : std::nullopt;
}

void PeekValues(DatabaseCore& database, const CollectionCore& collection,
                std::span<const std::string_view> keys, Timestamp read, std::span<Peeked> answers) {
  constexpr size_t kAtOnce = 16;
  std::array<tablet::Peeked, kAtOnce> peeked;
  for (size_t begin = 0; begin < keys.size(); begin += kAtOnce) {
    const auto some = keys.subspan(begin, std::min(kAtOnce, keys.size() - begin));
    collection.tablet->Peek(some, read, std::span(peeked).first(some.size()));
    for (size_t i = 0; i < some.size(); ++i) {
      Peeked& answer = answers[begin + i] = Peeked();
      std::optional<tablet::Visible>& visible = peeked[i].visible;
      const bool blob = visible && visible->entry.kind == entry::Kind::kBlob;
      answer.known = peeked[i].known && !blob && CheckKey(some[i]).ok();
      if (answer.known && visible) {
        answer.value = PinnedOf(std::move(*visible));
      }
    }
  }
  if (!database.CheckUsable().ok() || collection.dropped.load(std::memory_order_acquire)) {
    std::ranges::fill(answers, Peeked());  // what was not found may have gone while we looked
  }
}

Result<std::optional<PinnedValue>> ReadValue(DatabaseCore& database,
                                             const CollectionCore& collection, std::string_view key,
                                             const ReadAt& at) {
  auto value = ReadValueOnce(database, collection, key, at);
  Following* const following = database.engine().following;
  if (value.ok() || following == nullptr || value.error().reason() != Reason::kObjectMissing ||
      at.reach == entry::Reach::kMemory) {
    return value;
  }
  following->Refresh();
  value = ReadValueOnce(database, collection, key, at);
  if (!value.ok()) {
    return AsTold(database, value.error());
  }
  return value;
}

bool AwaitNewer(DatabaseCore& database, const Error& error, int attempt) {
  Following* const following = database.engine().following;
  const bool overtaken =
      error.reason() == Reason::kSnapshotTooOld || error.reason() == Reason::kObjectMissing;
  if (following == nullptr || !overtaken || attempt >= kFollowedTries) {
    return false;
  }
  following->Refresh();
  return true;
}

Error AsToldAtOnce(DatabaseCore& database, const Error& error) {
  const bool overtaken =
      error.reason() == Reason::kSnapshotTooOld || error.reason() == Reason::kObjectMissing;
  return database.engine().following != nullptr && overtaken
             ? table::NotInMemory("a table that the leader replaced")
             : error;
}

Error AsTold(DatabaseCore& database, const Error& error) {
  if (database.engine().following == nullptr || error.reason() != Reason::kObjectMissing) {
    return error;
  }
  return {Reason::kSnapshotTooOld,
          "what was read is no longer kept by the leader (" + error.message() + "); read again"};
}

Result<std::optional<PinnedValue>> ReadNewest(DatabaseCore& database,
                                              const CollectionCore& collection,
                                              std::string_view key, entry::Reach reach) {
  for (int attempt = 1;; ++attempt) {
    const Timestamp read = database.engine().group->ReadTimestamp(database.id());
    auto value = ReadValue(database, collection, key,
                           {.timestamp = read, .registered = false, .reach = reach});
    const bool overtaken = !value.ok() && (value.error().reason() == Reason::kSnapshotTooOld ||
                                           value.error().reason() == Reason::kObjectMissing);
    if (!overtaken || attempt == kTries) {
      return value;
    }
    if (database.engine().following == nullptr) {
      continue;
    }
    if (reach == entry::Reach::kMemory) {
      return AsToldAtOnce(database, value.error());
    }
    if (!AwaitNewer(database, value.error(), attempt)) {
      return value;
    }
  }
}

}  // namespace luna::universe
