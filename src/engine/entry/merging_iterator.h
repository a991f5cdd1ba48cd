// MergingIterator: several sources as one, in internal order, by a loser tree (tournament tree)
// with cached 8-byte key heads: log2(k) comparisons a step, most of them on integers; a source that
// stays the winner costs one comparison against the runner-up. Equal (key, timestamp) pairs come in
// the order of the sources given.
// Thread rule: owned by one thread.
#pragma once

#include <memory>
#include <vector>

#include "engine/entry/entry_iterator.h"

namespace luna::entry {

// An iterator over nothing for no sources, the source itself for one.
std::unique_ptr<EntryIterator> NewMergingIterator(
    std::vector<std::unique_ptr<EntryIterator>> sources);

}  // namespace luna::entry
