// StoredStream: a stream as it lies in the simulated store, and the judge of what arrives for it.
// An append compares epoch, tail and turn when it is applied, all at once. A fence raises the
// epoch. Opening sets a new turn, which voids appends that an earlier opening has given up on.
// Every change has a number, so that who learns of several states late knows which is newer.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "kernel/journal/journal.h"
#include "simulation/sim_kernel/sim_faults.h"

namespace luna::sim_kernel {

using journal::Epoch;
using journal::Sequence;

struct StoredRecord {
  Sequence sequence = 0;
  Epoch epoch = 0;
  std::string payload;
};

// What every answer tells.
struct StreamView {
  journal::StreamState state = {};
  uint64_t turn = 0;
  uint64_t change = 0;
};

enum class Verdict : uint8_t {
  kDone,
  kFenced,    // another epoch
  kMoved,     // another tail
  kTurn,      // another opening; nothing was written
  kFull,      // the store is
  kMissing,   // the stream was removed
  kReleased,  // the records asked for were
};

struct AppendRequest {
  Epoch epoch = 0;
  Sequence expected_tail = 0;
  uint64_t turn = 0;
  std::vector<std::string> records = {};
  uint64_t segment_bytes = 0;  // begin another segment rather than exceed this
};

struct FenceRequest {
  Epoch expected_epoch = 0;
  std::optional<Sequence> expected_tail = {};
  Epoch new_epoch = 0;
  uint64_t id = 0;                        // a repeat of the one that was applied is told so again
  std::vector<std::string> records = {};  // appended behind it, under the new epoch
  uint64_t segment_bytes = 0;             // as of AppendRequest
};

// What a batch takes in a segment.
uint64_t BatchBytes(const std::vector<std::string>& records);

class StoredStream {
 public:
  // `id` tells it from another stream of the same name; `guards` outlive it.
  // Begins behind `released` records.
  StoredStream(uint64_t id, const SimGuards& guards, Epoch epoch = 1, Sequence released = 0)
      : guards_(&guards), id_(id), turn_(id), epoch_(epoch), segments_{{.before = released}} {}

  Verdict Append(const AppendRequest& request, bool late);
  // `tail`: of the stream then, with the records of the request. kFenced, kMoved: it is not set.
  Verdict Fence(const FenceRequest& request, Sequence& tail);
  Verdict TakeTurn(uint64_t expected_turn, uint64_t turn);
  void Release(Sequence upto);  // whole segments
  void Roll();
  // Records after `after`, at least one if there is one, some 64 KiB at most. kReleased.
  Verdict Read(Sequence after, std::vector<StoredRecord>& records) const;

  uint64_t id() const { return id_; }
  StreamView view() const;
  const std::deque<StoredRecord>& records() const { return records_; }
  // The same stream for another space, under another id.
  StoredStream CopyAs(uint64_t id) const;

 private:
  struct Segment {
    Sequence before = 0;  // the record before the first
    uint64_t bytes = 0;
  };

  Sequence released() const { return segments_.front().before; }
  Sequence tail() const { return released() + records_.size(); }
  Verdict Judge(const AppendRequest& request) const;
  void Add(Epoch epoch, const std::vector<std::string>& records, uint64_t segment_bytes);

  const SimGuards* guards_;
  uint64_t id_;
  uint64_t turn_;
  uint64_t change_ = 1;
  Epoch epoch_;
  uint64_t fence_id_ = 0;    // the last one applied,
  Sequence fence_tail_ = 0;  // and the tail it found, or made
  std::deque<Segment> segments_;
  std::deque<StoredRecord> records_;
};

}  // namespace luna::sim_kernel
