// Verifying a table: everything is read from storage, past all caches, and held against what is
// said of it: checksums, order, tags, bitmaps, index, filter, properties and the manifest's row.
// Thread rule: safe.
#pragma once

#include "engine/table/table.h"

namespace luna::table {

// The first error found; kBadChecksum, kBadFormat, kLostData or what Storage says.
Status VerifyTable(const TableContext& context, const TableRow& row);

}  // namespace luna::table
