#include "engine/entry/range_tombstones.h"

#include <algorithm>
#include <functional>
#include <map>

namespace luna::entry {
namespace {

// A place where a tombstone starts (+1) or stops (-1) to cover. No border stands for the unbounded
// end: such tombstones just never stop.
struct Border {
  std::string_view key;
  Timestamp timestamp;
  int change;
};

std::vector<Border> BordersOf(std::span<const RangeTombstone> tombstones) {
  std::vector<Border> borders;
  borders.reserve(tombstones.size() * 2);
  for (const RangeTombstone& tombstone : tombstones) {
    if (tombstone.range.empty()) {
      continue;
    }
    borders.push_back({tombstone.range.begin, tombstone.timestamp, 1});
    if (!tombstone.range.end.empty()) {
      borders.push_back({tombstone.range.end, tombstone.timestamp, -1});
    }
  }
  std::sort(borders.begin(), borders.end(),
            [](const Border& a, const Border& b) { return a.key < b.key; });
  return borders;
}

// The first fragment that begins after `key`.
std::vector<RangeTombstones::Fragment>::const_iterator FirstAfter(
    const std::vector<RangeTombstones::Fragment>& fragments, std::string_view key) {
  return std::upper_bound(fragments.begin(), fragments.end(), key,
                          [](std::string_view wanted, const RangeTombstones::Fragment& fragment) {
                            return wanted < fragment.range.begin;
                          });
}

}  // namespace

// Sweeps the borders in order; `active` counts the tombstones of each timestamp that cover the
// stretch between this border and the next.
RangeTombstones::RangeTombstones(std::span<const RangeTombstone> tombstones) {
  const std::vector<Border> borders = BordersOf(tombstones);
  std::map<Timestamp, int, std::greater<>> active;
  for (size_t i = 0; i < borders.size();) {
    const std::string_view begin = borders[i].key;
    for (; i < borders.size() && borders[i].key == begin; ++i) {
      const auto place = active.try_emplace(borders[i].timestamp, 0).first;
      place->second += borders[i].change;
    }
    std::erase_if(active, [](const auto& covering) { return covering.second == 0; });
    if (active.empty()) {
      continue;
    }
    const std::string_view end = i < borders.size() ? borders[i].key : std::string_view();
    std::vector<Timestamp> timestamps;
    timestamps.reserve(active.size());
    for (const auto& [timestamp, count] : active) {
      timestamps.push_back(timestamp);
    }
    max_timestamp_ = std::max(max_timestamp_, timestamps.front());
    if (!fragments_.empty() && fragments_.back().range.end == begin &&
        fragments_.back().timestamps == timestamps) {
      fragments_.back().range.end = end;
    } else {
      fragments_.push_back({{std::string(begin), std::string(end)}, std::move(timestamps)});
    }
  }
}

RangeTombstones::Cover RangeTombstones::CoverAt(std::string_view key, Timestamp read) const {
  const auto after = FirstAfter(fragments_, key);
  Cover cover;
  if (after != fragments_.end()) {
    cover.end = after->range.begin;
  }
  if (after == fragments_.begin()) {
    return cover;
  }
  const Fragment& fragment = *std::prev(after);
  if (!fragment.range.Contains(key)) {
    cover.begin = fragment.range.end;
    return cover;
  }
  cover.begin = fragment.range.begin;
  cover.end = fragment.range.end;
  const auto newest = std::lower_bound(fragment.timestamps.begin(), fragment.timestamps.end(), read,
                                       std::greater<>());
  if (newest != fragment.timestamps.end()) {
    cover.timestamp = *newest;
  }
  return cover;
}

Timestamp RangeTombstones::NewestIn(const KeyRange& range, Timestamp after) const {
  if (max_timestamp_ <= after || range.empty()) {
    return 0;
  }
  Timestamp newest = 0;
  auto fragment = FirstAfter(fragments_, range.begin);
  if (fragment != fragments_.begin() && std::prev(fragment)->range.Contains(range.begin)) {
    --fragment;
  }
  for (; fragment != fragments_.end(); ++fragment) {
    if (!range.end.empty() && fragment->range.begin >= range.end) {
      break;
    }
    newest = std::max(newest, fragment->timestamps.front());
  }
  return newest > after ? newest : 0;
}

}  // namespace luna::entry
