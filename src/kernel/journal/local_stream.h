// LocalStream: one stream in a directory of segments: recovery, append, fence, roll, release, link.
//
// Where bytes are: an append encodes its frame behind the published `pending`; kRelaxed leaves it
// there, the others write all of it at the end of what the segment's file has. The file is kept
// zeroed some way ahead, so that a later sync has no change of size to record, and what is not
// synced is sent to the device a MiB at a time, so that the sync at its end is short.
// After a failed sync nothing is known of the bytes before it: the stream is *poisoned*, refuses
// everything but reading until it is opened anew.
// Thread rule: as Stream; LinkTo may run at the same time as everything else (a Turn keeps the
// names still).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "kernel/framing/framing.h"
#include "kernel/journal/journal.h"
#include "kernel/journal/published.h"
#include "kernel/journal/segments.h"
#include "runtime/runtime.h"
#include "runtime/turn.h"

namespace luna::journal {

class LocalStream final : public Stream {
 public:
  // Recovers or makes the stream in `path`, a directory that exists. `closed` is called once, when
  // the stream is destroyed.
  static Result<std::unique_ptr<LocalStream>> Open(runtime::Runtime& runtime, std::string path,
                                                   const StreamOptions& options,
                                                   std::function<void()> closed);
  ~LocalStream() override;

  AppendResult Append(Epoch epoch, Sequence expected_tail,
                      std::span<const std::string_view> records, Durability durability) override;
  Status Persist(Durability durability) override;
  Result<Sequence> Fence(Epoch expected_epoch, std::optional<Sequence> expected_tail,
                         Epoch new_epoch) override;
  Result<std::unique_ptr<StreamReader>> Read(Sequence after) override;
  Status Release(Sequence upto) override;
  StreamState state() const override;
  Status Roll() override;

  // What readers see; outlives the stream.
  std::shared_ptr<const Published> published() const { return published_; }

  // See Journal::Link; `directory` is the copy's own, which is made.
  Status LinkTo(const std::string& directory);

 private:
  LocalStream(runtime::Runtime& runtime, std::string path, const StreamOptions& options,
              std::function<void()> closed);

  // Recovery.
  Status Create();
  Status Recover(Epoch epoch);
  Status FindTail(const Segment& segment, Epoch epoch);
  void Seal();
  base::Id128 NewSalt();

  // Append.
  std::optional<Error> CheckSize(std::span<const std::string_view> records, uint64_t batch) const;
  AppendResult Refused(Error error);
  AppendResult WriteRefused(const framing::FrameEncoder& before, size_t pending_before,
                            Error error);
  Status WritePending();
  void ZeroAhead(uint64_t offset);
  void WriteBack();
  Status SyncFile();
  void Publish(Sequence tail);
  Status Poison(const Error& cause);

  Status CopyCurrent(const RetainedSegment& current, const std::string& path);
  Status SealCopy(runtime::File& file, const std::string& path,
                  const RetainedSegment& current) const;

  runtime::Runtime& runtime_;
  const std::string path_;
  const StreamOptions options_;
  const std::function<void()> closed_;
  const uint32_t life_;
  runtime::Turn names_turn_;    // held while names in the directory change or must not
  SegmentDirectory directory_;  // under names_turn_
  // Released, their names still to go; likewise.
  std::deque<std::shared_ptr<const Segment>> dropping_;
  const std::shared_ptr<Published> published_;

  // The appender's own.
  std::shared_ptr<const Segment> current_;
  framing::FrameEncoder encoder_;  // at the end of everything encoded
  Epoch epoch_ = 0;
  Sequence tail_ = 0;
  uint64_t written_offset_ = 0;  // end of what the file was given
  uint64_t synced_offset_ = 0;   // end of what is on the device
  uint64_t zeroed_offset_ = 0;   // the file reaches to here
  uint64_t started_offset_ = 0;  // what is on its way to the device
  bool sealed_ = false;          // the last frame is a seal
  std::optional<Error> poison_;
};

}  // namespace luna::journal
