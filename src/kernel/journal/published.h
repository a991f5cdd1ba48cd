// published: what an open stream shows to its readers, and to Link: the state, the segments and the
// bytes that wait in memory. The appender changes it; it outlives the stream while readers do.
// Thread rule: safe; every field is guarded by the mutex.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "kernel/journal/journal.h"
#include "kernel/journal/segments.h"
#include "luna/status.h"

namespace luna::journal {

// A retained segment and where its frames end.
struct RetainedSegment {
  std::shared_ptr<const Segment> segment;
  uint64_t end_offset = 0;  // of the last one: of the tail; else nothing valid lies at or beyond it
};

struct Published {
  mutable base::Mutex mutex;
  StreamState state GUARDED_BY(mutex);
  std::vector<RetainedSegment> segments GUARDED_BY(mutex);  // in order; the last one is written
  // The frames from `pending_offset` of the last segment on that were not handed to its file yet;
  // what lies beyond the tail's end offset is not accepted yet.
  std::string pending GUARDED_BY(mutex);
  uint64_t pending_offset GUARDED_BY(mutex) = 0;

  // Which part of the stream holds a record, and up to where it may be read now.
  struct Place {
    RetainedSegment retained;
    Sequence last = 0;       // the last record in the segment, as of now
    bool sealed = false;
  };
  // Of `sequence`, released < sequence ≤ tail; kLostData when it was released.
  Result<Place> Locate(Sequence sequence) const;
  // Reads bytes below the segment's end offset, from its file or from `pending`.
  Result<size_t> Read(const Segment& segment, uint64_t offset, size_t length, char* to) const;
  Sequence tail() const;
};

}  // namespace luna::journal
