#include "service/command/failed_logins.h"

#include <algorithm>
#include <utility>

namespace luna::command {
namespace {

constexpr uint64_t kForgottenNanos = 60'000'000'000;

std::string_view HostOf(std::string_view peer) {
  return peer.substr(0, peer.rfind(':'));
}

}  // namespace

uint64_t FailedLogins::Failed(std::string_view peer, uint64_t now_nanos) {
  count_.fetch_add(1, std::memory_order_relaxed);
  const base::MutexLock lock(mutex_);
  auto found = hosts_.find(HostOf(peer));
  if (found == hosts_.end()) {
    if (hosts_.size() >= kHostsMax) {
      std::erase_if(hosts_, [&](const auto& host) {
        return now_nanos - host.second.last_nanos > kForgottenNanos;
      });
    }
    if (hosts_.size() >= kHostsMax) {
      return kLongestNanos;
    }
    found = hosts_.emplace(HostOf(peer), Past()).first;
  }
  Past& past = found->second;
  const bool again = past.wait_nanos > 0 && now_nanos - past.last_nanos <= kForgottenNanos;
  past.wait_nanos = again ? std::min(2 * past.wait_nanos, kLongestNanos) : kFirstNanos;
  past.last_nanos = now_nanos;
  return past.wait_nanos;
}

void FailedLogins::Succeeded(std::string_view peer) {
  const base::MutexLock lock(mutex_);
  if (const auto found = hosts_.find(HostOf(peer)); found != hosts_.end()) {
    hosts_.erase(found);
  }
}

void Denials::Add(Denial denial) {
  const base::MutexLock lock(mutex_);
  const auto same = std::ranges::find_if(rows_, [&](const Denial& row) {
    return row.reason == denial.reason && row.context == denial.context &&
           row.object == denial.object && row.user == denial.user &&
           denial.last_nanos - row.last_nanos <= kSameNanos;
  });
  if (same != rows_.end()) {
    denial.count = same->count + 1;
    rows_.erase(same);
  }
  rows_.push_front(std::move(denial));
  if (rows_.size() > kMost) {
    rows_.pop_back();
  }
}

std::vector<Denial> Denials::Rows() const {
  const base::MutexLock lock(mutex_);
  return {rows_.begin(), rows_.end()};
}

void Denials::Clear() {
  const base::MutexLock lock(mutex_);
  rows_.clear();
}

}  // namespace luna::command
