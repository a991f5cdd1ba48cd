// AssignedIterator: the entries of an ingested table under the timestamp its commit assigned. Every
// key has one version there, whatever timestamp it was written with.
// Thread rule: owned by one thread.
#pragma once

#include <memory>

#include "engine/entry/entry_iterator.h"

namespace luna::table {

std::unique_ptr<entry::EntryIterator> NewAssignedIterator(
    std::unique_ptr<entry::EntryIterator> stored, Timestamp assigned);

}  // namespace luna::table
