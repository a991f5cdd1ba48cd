#include "kernel/background/job_queue.h"

#include <algorithm>

namespace luna::background {

void JobQueue::Push(Job job) {
  const auto [known, fresh] = places_.try_emplace({job.kind, job.payload}, job.priority, arrivals_);
  if (fresh) {
    ++arrivals_;
    jobs_.emplace(known->second, std::move(job));
    return;
  }
  const Place before = known->second;
  if (before.first <= job.priority) {
    return;
  }
  known->second.first = job.priority;
  jobs_.erase(before);
  jobs_.emplace(known->second, std::move(job));
}

std::optional<Job> JobQueue::Pop() {
  if (jobs_.empty()) {
    return std::nullopt;
  }
  Job job = std::move(jobs_.begin()->second);
  jobs_.erase(jobs_.begin());
  places_.erase({job.kind, job.payload});
  return job;
}

void JobQueue::Remove(const Job& job) {
  const auto known = places_.find({job.kind, job.payload});
  if (known != places_.end()) {
    jobs_.erase(known->second);
    places_.erase(known);
  }
}

void JobQueue::Clear() {
  jobs_.clear();
  places_.clear();
}

}  // namespace luna::background
