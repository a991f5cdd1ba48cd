#include "kernel/journal/local_stream.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/try.h"
#include "kernel/journal/batch.h"
#include "kernel/journal/local_reader.h"

namespace luna::journal {
namespace {

using Outcome = AppendResult::Outcome;

constexpr size_t kMaxPendingBytes = 1 << 20;  // kRelaxed writes when more would wait
constexpr size_t kKeptBufferBytes = 4 << 20;  // a buffer grown larger is given back
constexpr uint64_t kMinZeroStepBytes = 64 << 10;
constexpr uint64_t kMaxZeroStepBytes = 1 << 20;
constexpr uint64_t kWritebackBytes = 1 << 20;  // unsynced ones, at a time
constexpr uint64_t kPageBytes = 4096;

}  // namespace

// --- Append ---

AppendResult LocalStream::Append(Epoch epoch, Sequence expected_tail,
                                 std::span<const std::string_view> records, Durability durability) {
  if (poison_.has_value()) {
    return Refused(*poison_);
  }
  if (epoch != epoch_) {
    return {.outcome = Outcome::kFenced, .tail = tail_, .epoch = epoch_, .error = {}};
  }
  if (expected_tail != tail_) {
    return {.outcome = Outcome::kMoved, .tail = tail_, .epoch = epoch_, .error = {}};
  }
  if (records.empty()) {
    const Status persisted = Persist(durability);
    return persisted.ok() ? AppendResult{.tail = tail_, .epoch = epoch_, .error = {}}
                          : Refused(persisted.error());
  }
  const uint64_t batch_bytes = BatchBytes(records);
  if (std::optional<Error> error = CheckSize(records, batch_bytes)) {
    return Refused(*std::move(error));
  }
  if (encoder_.offset() + framing::FrameBytes(batch_bytes) > options_.segment_bytes) {
    if (const Status rolled = Roll(); !rolled.ok()) {
      return Refused(rolled.error());
    }
  }

  sealed_ = false;
  const framing::FrameEncoder encoder_before = encoder_;
  const Sequence new_tail = tail_ + records.size();
  size_t pending_before = 0;
  bool write = durability != Durability::kRelaxed;
  {
    Published& published = *published_;
    base::MutexLock lock(published.mutex);
    std::string& pending = published.pending;
    pending_before = pending.size();
    const size_t begin = framing::FrameEncoder::Begin(pending);
    AppendBatch(epoch, tail_ + 1, records, pending);
    encoder_.Finish(begin, synced_offset_, pending);
    write |= pending.size() > kMaxPendingBytes;
  }
  if (write) {
    if (const Status written = WritePending(); !written.ok()) {
      return WriteRefused(encoder_before, pending_before, written.error());
    }
  }
  if (durability == Durability::kDevice) {
    if (const Status synced = SyncFile(); !synced.ok()) {
      return {.outcome = Outcome::kUnknown, .tail = tail_, .epoch = epoch_, .error = *poison_};
    }
  } else {
    WriteBack();
  }
  Publish(new_tail);
  return {.tail = tail_, .epoch = epoch_, .error = {}};
}

std::optional<Error> LocalStream::CheckSize(std::span<const std::string_view> records,
                                            uint64_t batch_bytes) const {
  for (const std::string_view record : records) {
    if (record.size() > kMaxRecordBytes) {
      return Error(Reason::kTransactionTooLarge,
                   path_ + ": a record of " + std::to_string(record.size()) +
                       " bytes; records have at most " + std::to_string(kMaxRecordBytes) +
                       ", write less at once");
    }
  }
  if (framing::kHeaderBytes + framing::FrameBytes(batch_bytes) > options_.segment_bytes) {
    return Error(Reason::kTransactionTooLarge,
                 path_ + ": " + std::to_string(records.size()) + " records of " +
                     std::to_string(batch_bytes) + " bytes in all do not fit into a segment of " +
                     std::to_string(options_.segment_bytes) + " bytes; write less at once");
  }
  return std::nullopt;
}

AppendResult LocalStream::Refused(Error error) {
  return {.outcome = Outcome::kFailed, .tail = tail_, .epoch = epoch_, .error = std::move(error)};
}

// The frame that did not get into the file whole must not be found there later: not even behind the
// same earlier frames, written again. So its head is wiped, on the device too.
AppendResult LocalStream::WriteRefused(const framing::FrameEncoder& before, size_t pending_before,
                                       Error error) {
  encoder_ = before;
  {
    Published& published = *published_;
    base::MutexLock lock(published.mutex);
    published.pending.resize(pending_before);
  }
  const uint64_t offset = before.offset();
  const Result<uint64_t> size = current_->file->Size();
  Status wiped = size.ok() ? Status() : Status(size.error());
  if (size.ok() && *size > offset) {
    char zeros[framing::kFrameOverheadBytes] = {};
    const uint64_t length = std::min<uint64_t>(sizeof(zeros), *size - offset);
    wiped = current_->file->Write(offset, {zeros, length});
    if (wiped.ok()) {
      wiped = current_->file->Sync();
    }
  }
  if (!wiped.ok()) {
    static_cast<void>(Poison(wiped.error()));
    return {
        .outcome = Outcome::kUnknown, .tail = tail_, .epoch = epoch_, .error = std::move(error)};
  }
  return Refused(std::move(error));
}

Status LocalStream::WritePending() {
  Published& published = *published_;
  std::string_view bytes;
  {
    base::MutexLock lock(published.mutex);
    // Only the appender changes `pending`, so the view stays good without the mutex.
    bytes = published.pending;
  }
  if (bytes.empty()) {
    return {};
  }
  TRY(current_->file->Write(written_offset_, bytes));
  written_offset_ += bytes.size();
  {
    base::MutexLock lock(published.mutex);
    published.pending_offset = written_offset_;
    published.pending.clear();
    if (published.pending.capacity() > kKeptBufferBytes) {
      published.pending.shrink_to_fit();
    }
  }
  if (written_offset_ > zeroed_offset_) {
    ZeroAhead(written_offset_);
  }
  return {};
}

// Where appends are not synced one by one, the end of the segment is, and everybody waits for it:
// most of it should be on the device by then. The page that is written next stays as it is.
void LocalStream::WriteBack() {
  const uint64_t from = std::max(started_offset_, synced_offset_ / kPageBytes * kPageBytes);
  const uint64_t whole = written_offset_ / kPageBytes * kPageBytes;
  if (whole >= from + kWritebackBytes) {
    current_->file->StartWriteback(from, whole - from);
    started_offset_ = whole;
  }
}

void LocalStream::ZeroAhead(uint64_t offset) {
  const uint64_t step = std::clamp(offset, kMinZeroStepBytes, kMaxZeroStepBytes);
  const uint64_t end = std::min(options_.segment_bytes, (offset / step + 1) * step);
  zeroed_offset_ = offset;
  if (end <= offset) {
    return;
  }
  const std::string zeros(end - offset, '\0');
  // On a full disk the frames still fit one by one, or the append says so.
  if (current_->file->Write(offset, zeros).ok()) {
    zeroed_offset_ = end;
  }
}

Status LocalStream::SyncFile() {
  if (const Status synced = current_->file->Sync(); !synced.ok()) {
    return Poison(synced.error());
  }
  synced_offset_ = written_offset_;
  return {};
}

void LocalStream::Publish(Sequence tail) {
  tail_ = tail;
  Published& published = *published_;
  base::MutexLock lock(published.mutex);
  published.state.tail = tail;
  published.segments.back().end_offset = encoder_.offset();
}

Status LocalStream::Poison(const Error& cause) {
  poison_ = Error(Reason::kSyncFailed,
                  path_ +
                      ": the stream takes no more appends, as it is unknown what reached the "
                      "device (" +
                      cause.message() + "); check the disk and open the universe again");
  return *poison_;
}

Status LocalStream::Persist(Durability durability) {
  if (poison_.has_value()) {
    return *poison_;
  }
  if (durability == Durability::kRelaxed) {
    return {};
  }
  TRY(WritePending());
  if (durability == Durability::kDevice && synced_offset_ < written_offset_) {
    return SyncFile();
  }
  return {};
}

// --- Fence, read, release, roll ---

Result<Sequence> LocalStream::Fence(Epoch expected_epoch, std::optional<Sequence> expected_tail,
                                    Epoch new_epoch) {
  if (poison_.has_value()) {
    return *poison_;
  }
  if (expected_epoch != epoch_) {
    return Error(Reason::kFenced, path_ + ": the epoch is " + std::to_string(epoch_) + ", not " +
                                      std::to_string(expected_epoch) + "; read the tail anew");
  }
  if (expected_tail.has_value() && *expected_tail != tail_) {
    return Error(Reason::kFenced, path_ + ": the tail is " + std::to_string(tail_) + ", not " +
                                      std::to_string(*expected_tail) + "; read the tail anew");
  }
  if (new_epoch <= epoch_) {
    return Error(Reason::kBadOption,
                 path_ + ": a fence raises the epoch: " + std::to_string(new_epoch) +
                     " is not above " + std::to_string(epoch_));
  }
  {
    const runtime::TurnHold hold(names_turn_);
    TRY(directory_.WriteEpoch({.epoch = new_epoch}));
  }
  epoch_ = new_epoch;
  Published& published = *published_;
  base::MutexLock lock(published.mutex);
  published.state.epoch = new_epoch;
  return tail_;
}

Result<std::unique_ptr<StreamReader>> LocalStream::Read(Sequence after) {
  return LocalStreamReader::Open(published_, after);
}

Status LocalStream::Release(Sequence upto) {
  if (poison_.has_value()) {
    return *poison_;
  }
  const runtime::TurnHold hold(names_turn_);
  {
    Published& published = *published_;
    base::MutexLock lock(published.mutex);
    auto& segments = published.segments;
    size_t count = 0;
    while (count + 1 < segments.size() &&
           segments[count + 1].segment->header.first_sequence - 1 <= upto) {
      dropping_.push_back(std::move(segments[count].segment));
      ++count;
    }
    segments.erase(segments.begin(), segments.begin() + static_cast<ptrdiff_t>(count));
    published.state.released = segments.front().segment->header.first_sequence - 1;
  }
  // Strictly the oldest first, also over errors, so that the names never have a gap.
  while (!dropping_.empty()) {
    // A segment that a reader still has open must keep its bytes.
    const bool unread = dropping_.front().use_count() == 1;
    TRY(directory_.Drop(*dropping_.front(), unread, options_.segment_bytes));
    dropping_.pop_front();
  }
  return {};
}

StreamState LocalStream::state() const {
  const Published& published = *published_;
  base::MutexLock lock(published.mutex);
  StreamState state = published.state;
  state.retained_bytes = 0;
  for (const RetainedSegment& retained : published.segments) {
    state.retained_bytes += retained.end_offset;
  }
  return state;
}

Status LocalStream::Roll() {
  if (poison_.has_value()) {
    return *poison_;
  }
  if (encoder_.offset() == framing::kHeaderBytes) {
    return {};
  }
  // The next segment says that everything before it is there, so first it must be.
  TRY(Persist(Durability::kDevice));
  const runtime::TurnHold hold(names_turn_);
  const framing::SegmentHeader header{
      .salt = NewSalt(), .number = current_->header.number + 1, .first_sequence = tail_ + 1};
  const std::string prepared = TRY(directory_.Prepare(header));
  Result<std::shared_ptr<const Segment>> next = directory_.Publish(prepared, header.number);
  if (!next.ok()) {
    // The new segment may come to light after a crash; nothing may follow in the old one.
    return Poison(next.error());
  }
  current_ = *std::move(next);
  encoder_ = framing::FrameEncoder(header.salt, life_);
  written_offset_ = synced_offset_ = framing::kHeaderBytes;
  started_offset_ = 0;
  zeroed_offset_ = current_->size_bytes;
  Published& published = *published_;
  base::MutexLock lock(published.mutex);
  published.segments.push_back({.segment = current_, .end_offset = framing::kHeaderBytes});
  published.pending_offset = framing::kHeaderBytes;
  return {};
}

}  // namespace luna::journal
