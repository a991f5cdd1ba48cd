// Chain: the segments of one stream in order, as far as this process has seen them, and the way to
// the last one. Shared by the stream and its readers, which may outlive it.
// Invariants that make the walk right: a segment's name is used once for ever; it is in the chain
// if and only if the head names it or a sealed segment before it does; only the last one is not
// sealed; the head passes a segment before that is removed.
// Thread rule: safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "kernel/rados/space.h"
#include "kernel/rados/stream_format.h"

namespace luna::rados {

// Where in a segment a record's frame begins.
struct Spot {
  std::string segment;
  uint64_t offset = 0;
  Sequence sequence = 1;  // the frame's first record
};

class Chain {
 public:
  Chain(std::shared_ptr<Space> space, std::string name)
      : space_(std::move(space)), name_(std::move(name)) {}

  // The head; nothing when there is no such stream.
  Result<std::optional<Head>> ReadHead();
  // Attributes of a segment; nothing when it is gone.
  Result<std::optional<Segment>> ReadSegment(const std::string& name);
  // Walks to the last segment and remembers what lies before it. kLostData for a broken chain,
  // kStreamMissing. Mostly one look at the last one known; `anew` begins at the head.
  Result<Segment> FindEnd(bool anew = false);
  // What is known to be retained, the last one as it was seen.
  std::deque<Segment> segments() const;

  // The stream's own news.
  void Appended(const Segment& last);  // the last segment, with a new place or epoch
  void Rolled(const Segment& sealed, const Segment& last);
  void Released(const Head& head);
  // A reader's.
  void Seen(const Spot& end);

  journal::StreamState state() const;
  // From where to read to find the record after `after`; kLostData if that was released.
  Result<Spot> Locate(Sequence after) const;

  std::string HeadName() const { return std::string(kStreamPrefix) + name_; }
  std::string SegmentPrefix() const { return std::string(kSegmentPrefix) + name_ + "/"; }
  std::string Where(const std::string& object) const { return space_->Where(object); }
  Error Missing() const;
  Space& space() { return *space_; }

 private:
  // One walk; nothing when a segment was released on the way.
  Result<std::optional<std::deque<Segment>>> Walk();

  const std::shared_ptr<Space> space_;
  const std::string name_;
  mutable base::Mutex mutex_;
  std::deque<Segment> segments_ GUARDED_BY(mutex_);
  Sequence seen_tail_ GUARDED_BY(mutex_) = 0;
  Spot end_ GUARDED_BY(mutex_);  // the furthest frame end that somebody here has passed
};

}  // namespace luna::rados
