#include "engine/group/job_failures.h"

namespace luna::group {

void JobFailures::Add(const background::Job& job, const Error& error, uint64_t now_nanos) {
  Failure& failure = failures_[{job.kind, job.payload}];
  const bool stays = error.code() == ErrorCode::kCorruption;
  failure.failed_nanos = now_nanos;
  if (failure.stays && !stays) {
    return;  // what stays is worth more than what passes
  }
  failure.job = job;
  failure.text = error.ToString();
  failure.number = ++count_;
  failure.stays = stays;
}

void JobFailures::Remove(const background::Job& job) {
  const auto found = failures_.find({job.kind, job.payload});
  if (found != failures_.end() && !found->second.stays) {
    failures_.erase(found);
  }
}

std::string JobFailures::Newest() const {
  const Failure* newest = nullptr;
  for (const auto& [name, failure] : failures_) {
    if (newest == nullptr || failure.number > newest->number) {
      newest = &failure;
    }
  }
  return newest == nullptr ? std::string() : newest->text;
}

std::vector<background::Job> JobFailures::Due(uint64_t now_nanos, uint64_t pause_nanos) {
  std::vector<background::Job> due;
  for (auto& [name, failure] : failures_) {
    if (!failure.stays && now_nanos - failure.failed_nanos >= pause_nanos) {
      failure.failed_nanos = now_nanos;
      due.push_back(failure.job);
    }
  }
  return due;
}

}  // namespace luna::group
