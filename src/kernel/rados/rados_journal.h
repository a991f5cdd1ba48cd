// The journal of a Space: streams as stream_format.h has them. A stream may be open in any number
// of processes, in one journal once. Link takes a rados: location of the same cluster. Thread rule:
// safe.
#pragma once

#include <memory>

#include "kernel/journal/journal.h"
#include "kernel/rados/space.h"

namespace luna::rados {

std::unique_ptr<journal::Journal> NewRadosJournal(std::shared_ptr<Space> space);

// The space that a checkpoint's `directory` names: kBadOption unless it is a rados: location of
// the same cluster.
Result<std::shared_ptr<Space>> OpenTarget(Space& space, const std::string& directory);

}  // namespace luna::rados
