// JobQueue: queued jobs by priority, then in the order they came. A job of the same kind and
// payload is there once.
// Thread rule: guarded by the caller.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "kernel/background/background.h"

namespace luna::background {

class JobQueue {
 public:
  // A job that is queued already keeps its place, or moves to the more urgent of both priorities.
  void Push(Job job);
  // The most urgent; nothing when empty.
  std::optional<Job> Pop();
  bool Contains(const Job& job) const { return places_.contains({job.kind, job.payload}); }
  void Remove(const Job& job);  // missing is fine
  void Clear();
  size_t size() const { return jobs_.size(); }

 private:
  using Place = std::pair<Priority, uint64_t>;  // the number counts arrivals
  using Name = std::pair<std::string, std::string>;

  std::map<Place, Job> jobs_;
  std::map<Name, Place> places_;
  uint64_t arrivals_ = 0;
};

}  // namespace luna::background
