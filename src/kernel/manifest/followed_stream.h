// FollowedStream: a stream that is only read, as a Stream: whoever appends to it does not notice.
// Its state is that of the last Read, which looks anew. Everything that would change the stream is
// refused (kFenced).
// Thread rule: as Stream; Read is guarded by the caller as well.
#pragma once

#include <memory>
#include <string>

#include "base/mutex.h"
#include "kernel/journal/journal.h"

namespace luna::manifest {

// `name` is for messages. kStreamMissing, and the errors of Journal::Follow.
Result<std::unique_ptr<journal::Stream>> FollowStream(journal::Journal& journal,
                                                      const std::string& name);

}  // namespace luna::manifest
