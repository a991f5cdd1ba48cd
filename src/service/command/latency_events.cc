#include "service/command/latency_events.h"

#include <algorithm>

namespace luna::command {

namespace {

constexpr uint64_t kNanosPerMilli = 1'000'000;

}  // namespace

uint64_t LatencyEvents::threshold_millis() const {
  const uint64_t nanos = threshold_nanos();
  return nanos == kNever ? 0 : nanos / kNanosPerMilli;
}

void LatencyEvents::SetThreshold(uint64_t millis) {
  threshold_nanos_ =
      millis == 0 || millis > kNever / kNanosPerMilli ? kNever : millis * kNanosPerMilli;
}

void LatencyEvents::Add(std::string_view event, uint64_t unix_seconds, uint64_t millis) {
  const base::MutexLock lock(mutex_);
  auto found = events_.find(event);
  if (found == events_.end()) {
    found = events_.emplace(event, History()).first;
  }
  History& history = found->second;
  history.most_millis = std::max(history.most_millis, millis);
  if (!history.samples.empty() && history.samples.back().unix_seconds == unix_seconds) {
    history.samples.back().millis = std::max(history.samples.back().millis, millis);
    return;
  }
  history.samples.push_back({unix_seconds, millis});
  if (history.samples.size() > kSamples) {
    history.samples.pop_front();
  }
}

std::vector<LatencyRow> LatencyEvents::Rows() const {
  std::vector<LatencyRow> rows;
  const base::MutexLock lock(mutex_);
  for (const auto& [event, history] : events_) {
    rows.push_back({.event = event,
                    .latest = history.samples.back(),
                    .most_millis = history.most_millis,
                    .samples = {history.samples.begin(), history.samples.end()}});
  }
  return rows;
}

bool LatencyEvents::Reset(std::string_view event) {
  const base::MutexLock lock(mutex_);
  const auto found = events_.find(event);
  if (found == events_.end()) {
    return false;
  }
  events_.erase(found);
  return true;
}

size_t LatencyEvents::ResetAll() {
  const base::MutexLock lock(mutex_);
  const size_t count = events_.size();
  events_.clear();
  return count;
}

}  // namespace luna::command
