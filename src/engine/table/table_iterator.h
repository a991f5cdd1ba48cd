// TableIterator: a table's entries in both directions. It finds the block by the index and moves in
// the block by row number; a step touches the block's arrays and nothing else.
// Thread rule: owned by one thread.
#pragma once

#include <memory>

#include "engine/entry/entry_iterator.h"

namespace luna::table {

class TableReader;

// `reader` must outlive the iterator.
std::unique_ptr<entry::EntryIterator> NewTableIterator(const TableReader& reader, bool fill_cache);

}  // namespace luna::table
