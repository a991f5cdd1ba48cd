// values: from a stored version to what the caller gets, large values included.
// Thread rule: functions are safe; they may read from storage.
#pragma once

#include <optional>
#include <string>

#include "engine/tablet/tablet.h"
#include "engine/universe/database_core.h"
#include "luna/collection.h"

namespace luna::universe {

// The bytes of a version; fetches a blob.
Result<std::string> BytesOf(DatabaseCore& database, const entry::Entry& entry);
// What a reader at `read` sees of the key. `registered`: `read` is held by a RegisteredRead.
Result<std::optional<Value>> ReadValue(DatabaseCore& database, const CollectionCore& collection,
                                       std::string_view key, Timestamp read, bool registered);
// At the newest moment, without registering: for single reads.
Result<std::optional<Value>> ReadNewest(DatabaseCore& database, const CollectionCore& collection,
                                        std::string_view key);
Error Dropped(const CollectionCore& collection);
// The commit that failed so is not in the journal and never will be: what was stored for it may go.
// After any other error it may be there.
bool DefinitelyRefused(const Error& error);

}  // namespace luna::universe
