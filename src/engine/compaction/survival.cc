#include "engine/compaction/survival.h"

#include <algorithm>
#include <functional>
#include <map>

namespace luna::compaction {

bool Survival::Covered(const entry::Entry& entry, Timestamp reader) {
  const auto& fragments = tombstones_.fragments();
  while (fragment_ < fragments.size() && !fragments[fragment_].range.end.empty() &&
         fragments[fragment_].range.end <= entry.key) {
    ++fragment_;
  }
  if (fragment_ == fragments.size() || entry.key < fragments[fragment_].range.begin) {
    return false;
  }
  const std::vector<Timestamp>& timestamps = fragments[fragment_].timestamps;
  const auto newest =
      std::lower_bound(timestamps.begin(), timestamps.end(), reader, std::greater<>());
  return newest != timestamps.end() && *newest > entry.timestamp;
}

Verdict Survival::Judge(const entry::Entry& entry) {
  if (above_ == 0 || entry.key != key_) {
    key_ = entry.key;
    above_ = 0;
  }
  const Timestamp above = above_;
  above_ = entry.timestamp;
  const Timestamp reader = retention_.FirstReader(entry.timestamp);
  if (above != 0 && above <= reader) {
    return Verdict::kShadowed;
  }
  if (Covered(entry, reader)) {
    return Verdict::kCovered;
  }
  if (last_ && entry.timestamp <= retention_.oldest()) {
    if (entry.kind == entry::Kind::kDelete) {
      return Verdict::kDeletion;
    }
    if (!entry::IsLive(entry, retention_.oldest())) {
      return Verdict::kExpired;
    }
  }
  return Verdict::kKept;
}

std::vector<entry::RangeTombstone> KeptTombstones(const entry::RangeTombstones& tombstones,
                                                  const Retention& retention, bool last) {
  std::vector<entry::RangeTombstone> kept;
  std::map<Timestamp, size_t> newest_of;  // place in `kept` of the last one with the timestamp
  for (const auto& fragment : tombstones.fragments()) {
    Timestamp above = 0;
    for (const Timestamp timestamp : fragment.timestamps) {
      const bool hidden = above != 0 && above <= retention.FirstReader(timestamp);
      above = timestamp;
      if (hidden || (last && timestamp <= retention.oldest())) {
        continue;
      }
      const auto [place, fresh] = newest_of.try_emplace(timestamp, kept.size());
      if (!fresh && kept[place->second].range.end == fragment.range.begin) {
        kept[place->second].range.end = fragment.range.end;
        continue;
      }
      place->second = kept.size();
      kept.push_back({fragment.range, timestamp});
    }
  }
  return kept;
}

}  // namespace luna::compaction
