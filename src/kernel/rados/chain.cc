#include "kernel/rados/chain.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/try.h"

namespace luna::rados {

namespace {

constexpr uint64_t kMaxHeadBytes = uint64_t{1} << 20;
constexpr int kMaxWalks = 100;  // each one is lost to a release that happened meanwhile

}  // namespace

Error Chain::Missing() const {
  return Error(Reason::kStreamMissing, Where(HeadName()) + ": there is no such stream");
}

Result<std::optional<Head>> Chain::ReadHead() {
  Found found;
  const int code = space_->Read(HeadName(), 0, kMaxHeadBytes, found);
  if (code == -ENOENT) {
    return std::optional<Head>();
  }
  const std::string where = Where(HeadName());
  if (code < 0) {
    return ToError(code, "reading " + where);
  }
  return std::optional(TRY(DecodeHead(found.bytes, found.attributes, where)));
}

Result<std::optional<Segment>> Chain::ReadSegment(const std::string& name) {
  Found found;
  const int code = space_->Read(name, 0, 0, found);
  if (code == -ENOENT) {
    return std::optional<Segment>();
  }
  if (code < 0) {
    return ToError(code, "reading " + Where(name));
  }
  return std::optional(TRY(DecodeSegment(name, found.attributes, Where(name))));
}

Result<Segment> Chain::FindEnd(bool anew) {
  std::optional<Segment> last;
  if (!anew) {
    base::MutexLock lock(mutex_);
    if (!segments_.empty()) {
      last = segments_.back();
    }
  }
  // Most of the time the last one known is still the last.
  if (last.has_value()) {
    last = TRY(ReadSegment(last->name));
    if (last.has_value() && !last->sealed) {
      Appended(*last);
      return *last;
    }
  }
  for (int walk = 0; walk < kMaxWalks; ++walk) {
    std::optional<std::deque<Segment>> found = TRY(Walk());
    if (found.has_value()) {
      Segment end = found->back();
      base::MutexLock lock(mutex_);
      if (segments_.empty() || end.first >= segments_.back().first) {  // not older than another's
        segments_ = *std::move(found);
      }
      seen_tail_ = std::max(seen_tail_, end.tail);
      return end;
    }
  }
  return Error(Reason::kLostData, Where(HeadName()) +
                                      ": a segment that the stream goes on with is missing; "
                                      "restore the universe from a checkpoint");
}

Result<std::optional<std::deque<Segment>>> Chain::Walk() {
  const std::optional<Head> head = TRY(ReadHead());
  if (!head.has_value() || head->removed) {
    return Missing();
  }
  std::deque<Segment> segments;
  std::string name = head->segment;
  do {
    std::optional<Segment> segment = TRY(ReadSegment(name));
    if (!segment.has_value()) {
      return std::optional<std::deque<Segment>>();
    }
    const Sequence expected = segments.empty() ? head->first : segments.back().tail + 1;
    if (segment->first != expected) {
      return Error(Reason::kLostData, Where(name) + ": begins with record " +
                                          std::to_string(segment->first) + " where " +
                                          std::to_string(expected) +
                                          " must be; restore the universe from a checkpoint");
    }
    name = segment->next;
    segments.push_back(*std::move(segment));
  } while (segments.back().sealed);
  return std::optional(std::move(segments));
}

std::deque<Segment> Chain::segments() const {
  base::MutexLock lock(mutex_);
  return segments_;
}

void Chain::Appended(const Segment& last) {
  base::MutexLock lock(mutex_);
  // A reader's walk may have gone on meanwhile.
  if (!segments_.empty() && segments_.back().name == last.name &&
      segments_.back().length <= last.length) {
    segments_.back() = last;
  }
  seen_tail_ = std::max(seen_tail_, last.tail);
  if (last.tail + 1 > end_.sequence) {
    end_ = {.segment = last.name, .offset = last.length, .sequence = last.tail + 1};
  }
}

void Chain::Rolled(const Segment& sealed, const Segment& last) {
  base::MutexLock lock(mutex_);
  if (!segments_.empty() && segments_.back().name == sealed.name) {
    segments_.back() = sealed;
    segments_.push_back(last);
  }
}

void Chain::Released(const Head& head) {
  base::MutexLock lock(mutex_);
  while (segments_.size() > 1 && segments_.front().first < head.first) {
    segments_.pop_front();
  }
}

void Chain::Seen(const Spot& end) {
  base::MutexLock lock(mutex_);
  seen_tail_ = std::max(seen_tail_, end.sequence - 1);
  if (end.sequence > end_.sequence) {
    end_ = end;
  }
}

journal::StreamState Chain::state() const {
  base::MutexLock lock(mutex_);
  journal::StreamState state{.tail = seen_tail_};
  if (!segments_.empty()) {
    state.epoch = segments_.back().epoch;
    state.released = segments_.front().first - 1;
    state.end = segments_.back().length;
  }
  for (const Segment& segment : segments_) {
    state.retained_bytes += segment.length;
  }
  return state;
}

Result<Spot> Chain::Locate(Sequence after) const {
  base::MutexLock lock(mutex_);
  if (segments_.empty() || after + 1 < segments_.front().first) {
    const Sequence released = segments_.empty() ? after + 1 : segments_.front().first - 1;
    return Error(Reason::kLostData, Where(HeadName()) + ": records up to " +
                                        std::to_string(released) + " were released; record " +
                                        std::to_string(after + 1) + " cannot be read");
  }
  auto at = segments_.rbegin();
  while (at->first > after + 1) {
    ++at;
  }
  if (end_.segment == at->name && end_.sequence <= after + 1) {
    return end_;
  }
  return Spot{.segment = at->name, .offset = 0, .sequence = at->first};
}

}  // namespace luna::rados
