// segments: the names in a stream's directory, and the order in which they become durable.
//   <16 hex digits>.segment   segment of that number; its header is durable before the name is
//   <16 hex digits>.spare     a file to be reused, or left by an interrupted roll; its content
//                             means nothing
//   <16 hex digits>.linked    empty: the segment of that number has a second name in a checkpoint
//                             and is never written again
//   epoch                     the fence; written last when a stream is made, removed last
// Thread rule: SegmentDirectory is guarded by the caller; a Segment is immutable (its file is not).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernel/framing/framing.h"
#include "kernel/journal/journal.h"
#include "luna/status.h"
#include "runtime/file_system.h"

namespace luna::journal {

struct Segment {
  std::unique_ptr<runtime::File> file;
  std::string path;
  framing::SegmentHeader header;
  uint64_t size_bytes = 0;  // of the file when it was opened
};

// What the epoch file says.
struct EpochMark {
  Epoch epoch = 0;
  bool removed = false;  // the stream is being removed
};

class SegmentDirectory {
 public:
  // `files` outlives this.
  SegmentDirectory(runtime::FileSystem& files, std::string path)
      : files_(files), path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  // Nothing when there is no epoch file. kBadFormat, kBadChecksum, kNewerFormat naming it.
  Result<std::optional<EpochMark>> ReadEpoch() const;
  // Durable on return.
  Status WriteEpoch(const EpochMark& mark);

  // Reads the names, opens the segments (checking headers, numbers and first sequences; kLostData
  // for a gap) and drops what interrupted work left behind. Empty when there is no segment.
  Result<std::vector<std::shared_ptr<const Segment>>> Open();

  // Makes a segment's file under a name that means nothing, from a spare where there is one, with
  // its header on the device; returns that name's path.
  Result<std::string> Prepare(const framing::SegmentHeader& header);
  // Gives a prepared file the segment's name, durably. After an error the name may be there or not.
  Result<std::shared_ptr<const Segment>> Publish(const std::string& prepared, uint64_t number);
  // Takes the name away, durably. With `recycle` the file is kept as a spare unless it was linked,
  // is larger than `segment_bytes` or there are enough.
  Status Drop(const Segment& segment, bool recycle, uint64_t segment_bytes);

  // Notes durably that the segment gets a second name.
  Status MarkLinked(uint64_t number);
  std::string SegmentPath(uint64_t number) const;
  std::string LinkedPath(uint64_t number) const;

  // Removes everything; the epoch file goes last. Works on what an interrupted Erase left.
  Status Erase();

 private:
  std::string Path(uint64_t number, std::string_view suffix) const;
  Result<std::shared_ptr<const Segment>> OpenSegment(uint64_t number) const;

  runtime::FileSystem& files_;
  const std::string path_;
  std::vector<std::string> spares_;  // paths, the names durable
  std::set<uint64_t> linked_;
};

}  // namespace luna::journal
