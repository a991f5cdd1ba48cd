// LocalStreamReader: a stream's records in order, over its segments, while it is appended to.
// Keeps the segment it reads from being reused. Outlives the stream if need be.
// Thread rule: owned by one thread; appends to the stream may run at the same time.
#pragma once

#include <memory>
#include <optional>

#include "kernel/framing/framing.h"
#include "kernel/journal/batch.h"
#include "kernel/journal/journal.h"
#include "kernel/journal/published.h"

namespace luna::journal {

class LocalStreamReader final : public StreamReader {
 public:
  // As Stream::Read.
  static Result<std::unique_ptr<StreamReader>> Open(std::shared_ptr<const Published> stream,
                                                    Sequence after);
  // From the first record after `after`, which was not released.
  LocalStreamReader(std::shared_ptr<const Published> stream, Sequence after)
      : stream_(std::move(stream)), next_(after + 1) {}

  Result<std::optional<Record>> Next() override;

 private:
  Status Refresh();
  Status NextBatch();

  const std::shared_ptr<const Published> stream_;
  Sequence next_;           // the record to give next
  Published::Place place_;  // of the frame to read next
  std::optional<framing::FrameReader> frames_;
  Sequence frame_first_ = 0;  // the first record of the frame to read next
  BatchReader batch_;
};

}  // namespace luna::journal
