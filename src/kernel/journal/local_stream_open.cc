// Opening and closing a stream, and copying it: the rare half of LocalStream.
#include <array>
#include <utility>

#include "base/assert.h"
#include "base/try.h"
#include "kernel/journal/batch.h"
#include "kernel/journal/local_reader.h"
#include "kernel/journal/local_stream.h"

namespace luna::journal {
namespace {

constexpr uint64_t kMinSegmentBytes = 2 * framing::kHeaderBytes;
constexpr uint64_t kMaxSegmentBytes = uint64_t{1} << 30;
constexpr size_t kCopyBytes = 256 << 10;
constexpr std::span<const std::string_view> kNoRecords;

// The frame that says: everything before it is on the device.
std::string SealFrame(framing::FrameEncoder encoder, Epoch epoch, Sequence next) {
  std::string frame;
  const uint64_t offset = encoder.offset();
  const size_t begin = framing::FrameEncoder::Begin(frame);
  AppendBatch(epoch, next, kNoRecords, frame);
  encoder.Finish(begin, offset, frame);
  return frame;
}

std::string Where(const Segment& segment, uint64_t offset) {
  return segment.path + " at offset " + std::to_string(offset);
}

}  // namespace

LocalStream::LocalStream(runtime::Runtime& runtime, std::string path, const StreamOptions& options,
                         std::function<void()> closed)
    : runtime_(runtime),
      path_(std::move(path)),
      options_(options),
      closed_(std::move(closed)),
      life_(static_cast<uint32_t>(runtime.random().Next())),
      names_turn_(runtime),
      directory_(runtime.files(), path_),
      published_(std::make_shared<Published>()),
      encoder_(base::Id128{}, life_) {}

LocalStream::~LocalStream() {
  if (!poison_.has_value() && current_ != nullptr) {
    // An orderly close hands over what kRelaxed left in memory; who must know asks Persist before.
    Seal();
  }
  closed_();
}

// The last frames look like a torn tail when they are damaged, because no later one says that they
// were on the device. After an orderly close they are, and a frame without records says so. Nothing
// is lost if it does not get there whole: then it is the torn tail.
void LocalStream::Seal() {
  if (!WritePending().ok() || sealed_ || encoder_.offset() == framing::kHeaderBytes ||
      (synced_offset_ < written_offset_ && !SyncFile().ok()) ||
      encoder_.offset() + framing::FrameBytes(BatchBytes(kNoRecords)) > options_.segment_bytes) {
    return;
  }
  static_cast<void>(current_->file->Write(written_offset_, SealFrame(encoder_, epoch_, tail_ + 1)));
}

Result<std::unique_ptr<LocalStream>> LocalStream::Open(runtime::Runtime& runtime, std::string path,
                                                       const StreamOptions& options,
                                                       std::function<void()> closed) {
  // First of all, so that `closed` is called on every way out.
  std::unique_ptr<LocalStream> stream(
      new LocalStream(runtime, std::move(path), options, std::move(closed)));
  if (options.segment_bytes < kMinSegmentBytes || options.segment_bytes > kMaxSegmentBytes ||
      options.segment_bytes % 8 != 0) {
    return Error(Reason::kBadOption, stream->path_ + ": segment_bytes is " +
                                         std::to_string(options.segment_bytes) +
                                         "; give a multiple of 8 from 8 KiB to 1 GiB");
  }
  const std::optional<EpochMark> mark = TRY(stream->directory_.ReadEpoch());
  if (mark.has_value() && !mark->removed) {
    TRY(stream->Recover(mark->epoch));
    return stream;
  }
  if (mark.has_value()) {
    TRY(stream->directory_.Erase());
  }
  TRY(stream->Create());
  return stream;
}

base::Id128 LocalStream::NewSalt() {
  const uint64_t high = runtime_.random().Next();
  return {.high = high, .low = runtime_.random().Next()};
}

// Makes the first segment, then the epoch file, which says that there is a stream.
Status LocalStream::Create() {
  const auto segments = TRY(directory_.Open());
  const Sequence first = options_.released + 1;
  if (segments.size() > 1 ||
      (segments.size() == 1 && segments[0]->header.first_sequence != first)) {
    return Error(Reason::kLostData,
                 runtime::JoinPath(path_, "epoch") + " is missing, but segments are there, " +
                     segments[0]->path + " the first; restore the epoch file from a backup");
  }
  if (segments.empty()) {
    const framing::SegmentHeader header{.salt = NewSalt(), .number = 1, .first_sequence = first};
    const std::string prepared = TRY(directory_.Prepare(header));
    TRY(directory_.Publish(prepared, header.number));
  } else {
    framing::FrameReader frames(*segments[0]->file, segments[0]->path, segments[0]->header);
    if (const auto frame = TRY(frames.Next()); frame.has_value()) {
      return Error(Reason::kLostData,
                   runtime::JoinPath(path_, "epoch") + " is missing, but there are records in " +
                       segments[0]->path + "; restore the epoch file from a backup");
    }
  }
  TRY(directory_.WriteEpoch({.epoch = options_.first_epoch}));
  return Recover(options_.first_epoch);
}

Status LocalStream::Recover(Epoch epoch) {
  const auto segments = TRY(directory_.Open());
  if (segments.empty()) {
    return Error(Reason::kLostData,
                 path_ + ": no segment is left of this stream; restore it from a backup");
  }
  TRY(FindTail(*segments.back(), epoch));
  current_ = segments.back();
  epoch_ = epoch;
  zeroed_offset_ = current_->size_bytes;
  Published& published = *published_;
  base::MutexLock lock(published.mutex);
  for (const auto& segment : segments) {
    published.segments.push_back({.segment = segment, .end_offset = segment->size_bytes});
  }
  published.segments.back().end_offset = encoder_.offset();
  published.pending_offset = written_offset_;
  published.state.epoch = epoch;
  published.state.tail = tail_;
  published.state.released = segments.front()->header.first_sequence - 1;
  return {};
}

// Reads the last segment to the end of what checks; what follows must be a torn tail.
Status LocalStream::FindTail(const Segment& segment, Epoch epoch) {
  framing::FrameReader frames(*segment.file, segment.path, segment.header);
  tail_ = segment.header.first_sequence - 1;
  for (;;) {
    const uint64_t offset = frames.offset();
    const auto payload = TRY(frames.Next());
    if (!payload.has_value()) {
      if (TRY(frames.ValidFrameBeyond())) {
        return Error(Reason::kBadChecksum,
                     Where(segment, offset) + ": the frame after record " + std::to_string(tail_) +
                         " does not check, though it was on the device when later ones were "
                         "written; restore the file from a backup");
      }
      break;
    }
    const std::optional<BatchReader> batch = BatchReader::Open(*payload);
    if (!batch.has_value() || batch->next_sequence() != tail_ + 1) {
      return Error(Reason::kBadFormat,
                   Where(segment, offset) + ": the frame does not hold the records after " +
                       std::to_string(tail_) + "; restore the file from a backup");
    }
    if (batch->epoch() > epoch) {
      return Error(Reason::kLostData, Where(segment, offset) + ": a record of epoch " +
                                          std::to_string(batch->epoch()) + ", but " +
                                          runtime::JoinPath(path_, "epoch") + " says " +
                                          std::to_string(epoch) + "; restore the epoch file");
    }
    tail_ = batch->end_sequence() - 1;
    sealed_ = batch->empty();
  }
  encoder_ = framing::FrameEncoder(segment.header.salt, life_, frames.offset(), frames.chain());
  written_offset_ = frames.offset();
  // What a killed process left in the page cache is read and acted upon from here on, so power must
  // not take it away any more.
  TRY(segment.file->Sync());
  synced_offset_ = written_offset_;
  return {};
}

Status LocalStream::LinkTo(const std::string& directory) {
  runtime::FileSystem& files = runtime_.files();
  const runtime::TurnHold hold(names_turn_);
  std::vector<RetainedSegment> segments;
  Epoch epoch = 0;
  {
    const Published& published = *published_;
    base::MutexLock lock(published.mutex);
    segments = published.segments;
    epoch = published.state.epoch;
  }
  TRY(files.CreateDirectories(directory));
  SegmentDirectory copy(files, directory);
  const RetainedSegment current = segments.back();
  segments.pop_back();
  for (const RetainedSegment& sealed : segments) {
    const uint64_t number = sealed.segment->header.number;
    // Neither side may reuse a file that the other one reads.
    TRY(directory_.MarkLinked(number));
    TRY(copy.MarkLinked(number));
    TRY(files.Link(sealed.segment->path, copy.SegmentPath(number)));
  }
  TRY(CopyCurrent(current, copy.SegmentPath(current.segment->header.number)));
  return copy.WriteEpoch({.epoch = epoch});
}

Status LocalStream::CopyCurrent(const RetainedSegment& current, const std::string& path) {
  const auto file = TRY(runtime_.files().Open(path, runtime::OpenMode::kCreateNew));
  std::string bytes;
  for (uint64_t offset = 0; offset < current.end_offset; offset += bytes.size()) {
    bytes.resize(std::min<uint64_t>(kCopyBytes, current.end_offset - offset));
    const size_t got = TRY(published_->Read(*current.segment, offset, bytes.size(), bytes.data()));
    if (got < bytes.size()) {
      return Error(Reason::kLostData, current.segment->path + " at offset " +
                                          std::to_string(offset + got) +
                                          ": the file was cut short while it was copied");
    }
    TRY(file->Write(offset, bytes));
  }
  TRY(file->Sync());
  return SealCopy(*file, path, current);
}

// Reads the copy, so that damage is not copied in silence, and vouches for it.
Status LocalStream::SealCopy(runtime::File& file, const std::string& path,
                             const RetainedSegment& current) const {
  framing::FrameReader frames(file, path, current.segment->header);
  Epoch epoch = 0;
  Sequence next = 0;
  while (const auto payload = TRY(frames.Next())) {
    if (const auto batch = BatchReader::Open(*payload)) {
      epoch = batch->epoch();
      next = batch->end_sequence();
    }
  }
  if (frames.offset() != current.end_offset) {
    return Error(Reason::kBadChecksum, Where(*current.segment, frames.offset()) +
                                           ": the frame that was copied does not check; restore "
                                           "the file from a backup");
  }
  const framing::FrameEncoder encoder(current.segment->header.salt, life_, frames.offset(),
                                      frames.chain());
  if (next == 0 ||
      frames.offset() + framing::FrameBytes(BatchBytes(kNoRecords)) > options_.segment_bytes) {
    return {};
  }
  TRY(file.Write(frames.offset(), SealFrame(encoder, epoch, next)));
  return file.Sync();
}

}  // namespace luna::journal
