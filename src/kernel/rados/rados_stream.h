// RadosStream: a stream in RADOS: append, fence, roll, release, each one guarded write operation.
//
// An append compares epoch, place and turn of the last segment, writes the frame at the place and
// sets the next one: it is applied whole, once, or never. So an append without an answer is sent
// again: the guard lets one of the two through. A fence sets the epoch of the last segment, where
// every append of the one before then fails, delayed ones included. A stream that is opened settled
// gets a new turn, which voids appends that an earlier user of the same epoch has given up on; so
// does a fence.
// At most one append is in flight. Every durability is that of RADOS: on all replicas that act.
// When no answer came in time, the outcome is kUnknown and the stream is poisoned: it refuses
// everything but reading until it is opened anew.
// Thread rule: as Stream.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "kernel/journal/journal.h"
#include "kernel/rados/chain.h"

namespace luna::rados {

class RadosStream final : public journal::Stream {
 public:
  // Opens the stream `name`, whose end `chain` has found, or makes it. `closed` is called once,
  // when the stream is destroyed.
  static Result<std::unique_ptr<journal::Stream>> Open(std::shared_ptr<Space> space,
                                                       const std::string& name,
                                                       std::shared_ptr<Chain> chain,
                                                       const journal::StreamOptions& options,
                                                       std::function<void()> closed);
  ~RadosStream() override;

  journal::AppendResult Append(Epoch epoch, Sequence expected_tail,
                               std::span<const std::string_view> records,
                               Durability durability) override;
  Status Persist(Durability durability) override;
  Result<Sequence> Fence(Epoch expected_epoch, std::optional<Sequence> expected_tail,
                         Epoch new_epoch) override;
  Result<Sequence> FenceAndAppend(Epoch expected_epoch, Sequence expected_tail, Epoch new_epoch,
                                  std::span<const std::string_view> records, uint64_t end) override;
  Result<std::unique_ptr<journal::StreamReader>> Read(Sequence after) override;
  Status Release(Sequence upto) override;
  journal::StreamState state() const override { return chain_->state(); }
  Status Roll() override;

 private:
  // What became of an operation on the last segment.
  enum class Step : uint8_t {
    kDone,
    kMoved,  // not done, and will not be: something else came first; last_ is fresh
  };

  RadosStream(std::shared_ptr<Space> space, std::shared_ptr<Chain> chain,
              const journal::StreamOptions& options, std::function<void()> closed);

  Status Recover();
  Status Create();
  Status TakeTurn();
  Status Refresh();

  std::optional<Error> CheckSize(std::span<const std::string_view> records) const;
  std::optional<journal::AppendResult> Refuse(Epoch epoch, Sequence expected_tail) const;
  journal::AppendResult Failed(Error error) const;
  journal::AppendResult Unknown(const Error& cause);
  journal::AppendResult Submit(const std::string& frame, Sequence tail);
  // Whether the frame of an append that was answered late, or never, is in the segment.
  Result<bool> WasApplied(const Segment& before, const std::string& frame);
  int TryAppend(const Segment& before, const Segment& after, const std::string& frame);

  // What a fence compares and does.
  struct Raise {
    Epoch from = 0;
    std::optional<Sequence> tail = {};
    Epoch to = 0;
    std::string frame = {};  // to be appended with it; a tail is given then
    uint64_t records = 0;    // in the frame
  };
  Result<Sequence> RaiseEpoch(const Raise& raise);
  Result<Step> SetEpoch(const Raise& raise);
  Result<Step> RollOnce();
  Result<std::string> MakeSegment(const Segment& segment);

  const std::shared_ptr<Space> space_;
  const journal::StreamOptions options_;
  const std::function<void()> closed_;
  const std::shared_ptr<Chain> chain_;
  Segment last_;                   // as last seen; the guards say whether it still is so
  std::set<std::string> dropped_;  // segments that the head may still name, but are gone
  std::optional<Error> poison_;
};

// Makes the attributes of a segment, new or changed.
void SetSegment(WriteOperation& operation, const Segment& segment);

}  // namespace luna::rados
