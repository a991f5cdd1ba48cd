#include "simulation/sim_kernel/stored_stream.h"

namespace luna::sim_kernel {

namespace {

constexpr uint64_t kFrameBytes = 24;
constexpr uint64_t kRecordBytes = 4;
constexpr uint64_t kReadBytes = 64 << 10;

}  // namespace

uint64_t BatchBytes(const std::vector<std::string>& records) {
  uint64_t bytes = kFrameBytes;
  for (const std::string& record : records) {
    bytes += kRecordBytes + record.size();
  }
  return bytes;
}

Verdict StoredStream::Judge(const AppendRequest& request) const {
  if (guards_->append_compares_epoch && request.epoch != epoch_) {
    return Verdict::kFenced;
  }
  if (guards_->append_compares_tail && request.expected_tail != tail()) {
    return Verdict::kMoved;
  }
  if (guards_->append_compares_turn && request.turn != turn_) {
    return Verdict::kTurn;
  }
  return Verdict::kDone;
}

Verdict StoredStream::Append(const AppendRequest& request, bool late) {
  if (!late || guards_->late_appends_are_compared) {
    if (const Verdict verdict = Judge(request); verdict != Verdict::kDone) {
      return verdict;
    }
  }
  if (!request.records.empty()) {
    Add(request.epoch, request.records, request.segment_bytes);
  }
  return Verdict::kDone;
}

void StoredStream::Add(Epoch epoch, const std::vector<std::string>& records,
                       uint64_t segment_bytes) {
  const uint64_t bytes = BatchBytes(records);
  if (segments_.back().bytes > 0 && segments_.back().bytes + bytes > segment_bytes) {
    Roll();
  }
  segments_.back().bytes += bytes;
  for (const std::string& record : records) {
    const Sequence sequence = tail() + 1;
    records_.push_back({.sequence = sequence, .epoch = epoch, .payload = record});
  }
  ++change_;
}

Verdict StoredStream::Fence(const FenceRequest& request, Sequence& tail_found) {
  if (request.id == fence_id_) {
    tail_found = fence_tail_;
    return Verdict::kDone;
  }
  if (guards_->fence_compares_epoch && request.expected_epoch != epoch_) {
    return Verdict::kFenced;
  }
  if (guards_->fence_compares_tail && request.expected_tail.has_value() &&
      *request.expected_tail != tail()) {
    return Verdict::kMoved;
  }
  epoch_ = request.new_epoch;
  if (!request.records.empty()) {
    Add(request.new_epoch, request.records, request.segment_bytes);
  }
  fence_id_ = request.id;
  fence_tail_ = tail();
  ++change_;
  tail_found = fence_tail_;
  return Verdict::kDone;
}

Verdict StoredStream::TakeTurn(uint64_t expected_turn, uint64_t turn) {
  if (turn_ == turn) {
    return Verdict::kDone;
  }
  if (turn_ != expected_turn) {
    return Verdict::kTurn;
  }
  turn_ = turn;
  ++change_;
  return Verdict::kDone;
}

void StoredStream::Release(Sequence upto) {
  while (segments_.size() > 1 && segments_[1].before <= upto) {
    const uint64_t records = segments_[1].before - segments_[0].before;
    records_.erase(records_.begin(), records_.begin() + static_cast<int64_t>(records));
    segments_.pop_front();
    ++change_;
  }
}

void StoredStream::Roll() {
  if (segments_.back().bytes > 0) {
    segments_.push_back({.before = tail()});
    ++change_;
  }
}

Verdict StoredStream::Read(Sequence after, std::vector<StoredRecord>& records) const {
  if (after < released()) {
    return Verdict::kReleased;
  }
  uint64_t bytes = 0;
  for (uint64_t i = after - released(); i < records_.size() && bytes < kReadBytes; ++i) {
    records.push_back(records_[i]);
    bytes += records_[i].payload.size();
  }
  return Verdict::kDone;
}

StreamView StoredStream::view() const {
  uint64_t bytes = 0;
  for (const Segment& segment : segments_) {
    bytes += segment.bytes;
  }
  return {
      .state = {.epoch = epoch_, .released = released(), .tail = tail(), .retained_bytes = bytes},
      .turn = turn_,
      .change = change_};
}

StoredStream StoredStream::CopyAs(uint64_t id) const {
  StoredStream copy = *this;
  copy.id_ = copy.turn_ = id;
  return copy;
}

}  // namespace luna::sim_kernel
