// values: from a stored version to what the caller gets, large values included, and what becomes of
// large values stored for a commit.
// Thread rule: functions are safe; they may read from storage.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/tablet/tablet.h"
#include "engine/transaction/write_set.h"
#include "engine/universe/database_core.h"
#include "luna/collection.h"

namespace luna::universe {

struct ReadAt {
  Timestamp timestamp = 0;
  bool registered = true;  // held by a RegisteredRead
  entry::Reach reach = entry::Reach::kStorage;
};

// The bytes of a version; fetches a blob.
Result<std::string> BytesOf(DatabaseCore& database, const entry::Entry& entry);
// The same with bytes of its own.
Value Copy(const PinnedValue& value);
std::optional<Value> Copy(const std::optional<PinnedValue>& value);
// What a reader sees of the key at that time.
Result<std::optional<PinnedValue>> ReadValue(DatabaseCore& database,
                                             const CollectionCore& collection, std::string_view key,
                                             const ReadAt& at);
// At the newest moment, without registering: for single reads.
Result<std::optional<PinnedValue>> ReadNewest(DatabaseCore& database,
                                              const CollectionCore& collection,
                                              std::string_view key,
                                              entry::Reach reach = entry::Reach::kStorage);
// What readers see of the keys at that time, as far as memory tells; one of `answers` a key.
void PeekValues(DatabaseCore& database, const CollectionCore& collection,
                std::span<const std::string_view> keys, Timestamp read, std::span<Peeked> answers);
// Where the universe is followed, its leader may have removed what is read here.
// After an error of a read of now, which is to be made again at a newer time: waits for the next
// look. False: it was another error, or `attempt` (from 1 on) was the last.
bool AwaitNewer(DatabaseCore& database, const Error& error, int attempt);
// The error as a reader should have it: kSnapshotTooOld; who must not wait: kNotInMemory.
Error AsTold(DatabaseCore& database, const Error& error);
Error AsToldAtOnce(DatabaseCore& database, const Error& error);
Error Dropped(const CollectionCore& collection);
// The commit that failed so is not in the journal and never will be: what was stored for it may go.
// After any other error it may be there.
bool DefinitelyRefused(const Error& error);
// A commit of `writes` ended, or will never be: of the blobs stored for it those go at once that no
// record names: all if it was `refused`, else (committed, or nobody knows) those that `writes`
// wrote over, changed or took back. `blobs` is empty afterwards. What cannot be removed now is an
// orphan, swept when the universe is opened next.
void EndBlobs(DatabaseCore& database, const transaction::WriteSet& writes, bool refused,
              std::vector<std::string>& blobs);

}  // namespace luna::universe
