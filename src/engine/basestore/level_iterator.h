// LevelIterator: the entries of disjoint tables in key order, one after the other; a table is
// opened when the iterator gets to it.
// Thread rule: owned by one thread.
#pragma once

#include <memory>
#include <vector>

#include "engine/entry/entry_iterator.h"
#include "engine/table/table.h"

namespace luna::basestore {

// `tables` are disjoint and ascending and outlive the iterator.
std::unique_ptr<entry::EntryIterator> NewLevelIterator(std::vector<const table::Table*> tables,
                                                       bool fill_cache);

}  // namespace luna::basestore
