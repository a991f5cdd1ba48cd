#include "kernel/journal/published.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/try.h"

namespace luna::journal {

Result<Published::Place> Published::Locate(Sequence sequence) const {
  base::MutexLock lock(mutex);
  LUNA_ASSERT(sequence <= state.tail);
  auto after = std::find_if(segments.begin(), segments.end(), [&](const RetainedSegment& retained) {
    return retained.segment->header.first_sequence > sequence;
  });
  if (after == segments.begin()) {
    return Error(Reason::kLostData, segments.front().segment->path + ": record " +
                                        std::to_string(sequence) +
                                        " was released; the first one kept is " +
                                        std::to_string(state.released + 1));
  }
  const bool sealed = after != segments.end();
  return Place{.retained = *(after - 1),
               .last = sealed ? after->segment->header.first_sequence - 1 : state.tail,
               .sealed = sealed};
}

Result<size_t> Published::Read(const Segment& segment, uint64_t offset, size_t length,
                               char* to) const {
  size_t in_file = length;
  {
    base::MutexLock lock(mutex);
    if (segments.back().segment.get() == &segment && offset + length > pending_offset) {
      in_file = pending_offset > offset ? pending_offset - offset : 0;
      const uint64_t from = offset + in_file - pending_offset;
      LUNA_ASSERT(from + (length - in_file) <= pending.size());
      std::memcpy(to + in_file, pending.data() + from, length - in_file);
    }
  }
  if (in_file > 0) {
    const size_t got = TRY(segment.file->Read(offset, in_file, to));
    if (got < in_file) {
      return got;
    }
  }
  return length;
}

Sequence Published::tail() const {
  base::MutexLock lock(mutex);
  return state.tail;
}

}  // namespace luna::journal
