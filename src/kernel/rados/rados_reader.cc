#include "kernel/rados/rados_reader.h"

#include <algorithm>
#include <cerrno>

#include "base/try.h"

namespace luna::rados {

namespace {

constexpr uint64_t kReadBytes = uint64_t{1} << 20;

Error Corrupt(Reason reason, const std::string& where, const std::string& what) {
  return Error(reason, where + ": " + what + "; restore the universe from a checkpoint");
}

}  // namespace

Result<journal::StreamState> RadosFollower::Look() {
  const Segment end = TRY(chain_->FindEnd());
  journal::StreamState state = chain_->state();
  state.epoch = end.epoch;  // of one read, whatever readers found meanwhile
  state.tail = end.tail;
  return state;
}

Result<std::unique_ptr<journal::StreamReader>> RadosFollower::Read(Sequence after) {
  Spot spot = TRY(chain_->Locate(after));
  return std::unique_ptr<journal::StreamReader>(
      std::make_unique<RadosReader>(chain_, std::move(spot), after));
}

Result<std::optional<journal::Record>> RadosReader::Next() {
  while (true) {
    while (!batch_.empty()) {
      const journal::Record record = batch_.Next();
      if (record.sequence == next_) {
        ++next_;
        return std::optional(record);
      }
    }
    if (!TRY(NextBatch())) {
      return std::optional<journal::Record>();
    }
  }
}

Result<bool> RadosReader::NextBatch() {
  while (true) {
    const uint64_t skip = std::min<uint64_t>(spot_.offset - buffer_offset_, buffer_.size());
    const std::string where =
        chain_->Where(spot_.segment) + " at offset " + std::to_string(spot_.offset);
    uint64_t needed = 0;
    const std::optional<std::string_view> payload =
        TRY(DecodeFrame(std::string_view(buffer_).substr(skip), where, needed));
    if (!payload.has_value()) {
      if (!TRY(Fetch(needed))) {
        return false;
      }
      continue;
    }
    const std::optional<journal::BatchReader> batch = journal::BatchReader::Open(*payload);
    if (!batch.has_value()) {
      return Corrupt(Reason::kBadFormat, where, "the frame holds no batch of records");
    }
    if (batch->next_sequence() != spot_.sequence) {
      return Corrupt(Reason::kLostData, where,
                     "record " + std::to_string(batch->next_sequence()) + " where " +
                         std::to_string(spot_.sequence) + " must be");
    }
    batch_ = *batch;
    spot_.offset += needed;
    spot_.sequence = batch->end_sequence();
    chain_->Seen(spot_);
    return true;
  }
}

Result<bool> RadosReader::Fetch(uint64_t needed) {
  // What was taken apart already goes; a view into it is no longer used.
  buffer_.erase(0, std::min<uint64_t>(spot_.offset - buffer_offset_, buffer_.size()));
  buffer_offset_ = spot_.offset;
  const uint64_t from = buffer_offset_ + buffer_.size();
  Found found;
  const int code = chain_->space().Read(spot_.segment, from,
                                        std::max(kReadBytes, needed - buffer_.size()), found);
  if (code == -ENOENT) {
    TRY(FindAgain());
    return true;
  }
  const std::string where = chain_->Where(spot_.segment);
  if (code < 0) {
    return ToError(code, "reading " + where);
  }
  const Segment segment = TRY(DecodeSegment(spot_.segment, found.attributes, where));
  if (found.size != segment.length) {
    return Corrupt(
        Reason::kLostData, where,
        std::to_string(found.size) + " bytes where " + std::to_string(segment.length) + " must be");
  }
  buffer_ += found.bytes;
  return found.bytes.empty() ? GoOn(segment) : Result<bool>(true);
}

// At the end of the segment.
Result<bool> RadosReader::GoOn(const Segment& segment) {
  if (!buffer_.empty() || segment.tail + 1 != spot_.sequence) {
    return Corrupt(Reason::kLostData, chain_->Where(segment.name),
                   "the segment ends before record " + std::to_string(segment.tail));
  }
  if (!segment.sealed) {
    return false;
  }
  spot_ = {.segment = segment.next, .offset = 0, .sequence = segment.tail + 1};
  buffer_offset_ = 0;
  return true;
}

// The segment is gone. Its records are; what follows them may still be there.
Status RadosReader::FindAgain() {
  TRY(chain_->FindEnd(/*anew=*/true));
  spot_ = TRY(chain_->Locate(next_ - 1));
  buffer_.clear();
  buffer_offset_ = spot_.offset;
  return {};
}

}  // namespace luna::rados
