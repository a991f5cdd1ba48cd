#include "kernel/journal/local_reader.h"

#include <utility>

#include "base/try.h"

namespace luna::journal {
namespace {

Error Corrupt(Reason reason, const framing::FrameReader& frames, uint64_t offset,
              const std::string& what) {
  return Error(reason, frames.path() + " at offset " + std::to_string(offset) + ": " + what +
                           "; restore the file from a backup");
}

}  // namespace

Result<std::unique_ptr<StreamReader>> LocalStreamReader::Open(
    std::shared_ptr<const Published> stream, Sequence after) {
  {
    base::MutexLock lock(stream->mutex);
    if (after < stream->state.released) {
      return Error(Reason::kLostData, stream->segments.front().segment->path + ": records up to " +
                                          std::to_string(stream->state.released) +
                                          " were released; record " + std::to_string(after + 1) +
                                          " cannot be read");
    }
  }
  return std::unique_ptr<StreamReader>(
      std::make_unique<LocalStreamReader>(std::move(stream), after));
}

Result<std::optional<Record>> LocalStreamReader::Next() {
  for (;;) {
    while (!batch_.empty()) {
      const Record record = batch_.Next();
      if (record.sequence == next_) {
        ++next_;
        return std::optional<Record>(record);
      }
    }
    if (next_ > place_.last) {
      if (next_ > stream_->tail()) {
        return std::optional<Record>();
      }
      TRY(Refresh());
    }
    TRY(NextBatch());
  }
}

// Learns where next_ lies; begins its segment unless it is the one at hand.
Status LocalStreamReader::Refresh() {
  const std::shared_ptr<const Segment> before = place_.retained.segment;
  place_ = TRY(stream_->Locate(next_));
  const RetainedSegment& retained = place_.retained;
  if (retained.segment == before) {
    frames_->RaiseLimit(retained.end_offset);
    return {};
  }
  // The segment is held by place_ for as long as frames_ is of it.
  frames_.emplace(
      [this](uint64_t offset, size_t length, char* to) {
        return stream_->Read(*place_.retained.segment, offset, length, to);
      },
      retained.end_offset, retained.segment->path, retained.segment->header);
  frame_first_ = retained.segment->header.first_sequence;
  return {};
}

Status LocalStreamReader::NextBatch() {
  const uint64_t offset = frames_->offset();
  const std::optional<std::string_view> payload = TRY(frames_->Next());
  if (!payload.has_value()) {
    return Corrupt(Reason::kBadChecksum, *frames_, offset,
                   "no valid frame where record " + std::to_string(frame_first_) +
                       " must be (records up to " + std::to_string(place_.last) +
                       " are in this segment)");
  }
  const std::optional<BatchReader> batch = BatchReader::Open(*payload);
  if (!batch.has_value()) {
    return Corrupt(Reason::kBadFormat, *frames_, offset, "the frame holds no batch of records");
  }
  if (batch->next_sequence() != frame_first_ || batch->end_sequence() > place_.last + 1) {
    return Corrupt(Reason::kLostData, *frames_, offset,
                   "records " + std::to_string(batch->next_sequence()) + " to " +
                       std::to_string(batch->end_sequence() - 1) + " where " +
                       std::to_string(frame_first_) + " to at most " + std::to_string(place_.last) +
                       " must be");
  }
  batch_ = *batch;
  frame_first_ = batch->end_sequence();
  return {};
}

}  // namespace luna::journal
