// ingest: sorted entries from outside become tables, without memtable and journal.
// Thread rule: functions are safe.
#pragma once

#include <memory>
#include <vector>

#include "engine/universe/database_core.h"
#include "luna/database.h"

namespace luna::universe {

// Writes the entries of `next` as tables; on an error nothing remains. kNotSorted, kKeyTooLarge, …
Result<std::vector<levels::Row>> WriteSorted(DatabaseCore& database, const IngestSource& next);

}  // namespace luna::universe
