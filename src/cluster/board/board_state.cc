#include "cluster/board/board_state.h"

#include <utility>

#include "base/coding.h"
#include "base/try.h"

namespace luna::board {
namespace {

constexpr uint8_t kStateVersion = 1;

// Before the result, if there is one.
enum Stage : uint8_t { kOpen = 0, kDone = 1 };

Error BadState(const char* what) {
  return Error(
      Reason::kBadFormat,
      std::string("the saved board of jobs is damaged: ") + what +
          "; remove its stream while no server runs: nothing but unfinished jobs is in it");
}

Job TakeJob(base::ByteReader& reader, bool& sound) {
  Job job;
  job.id = reader.Varint();
  job.payload = reader.String();
  job.run = reader.Fixed64();
  job.worker = reader.String();
  job.signs = reader.Varint();
  const uint8_t stage = reader.Byte();
  if (stage == kDone) {
    job.result = reader.String();
  }
  sound =
      stage <= kDone && (stage == kOpen || job.run != 0) && (job.run != 0 || job.worker.empty());
  return job;
}

}  // namespace

Result<bool> BoardState::Apply(manifest::Position position, std::string_view bytes) {
  const Edit edit = TRY(Decode(bytes));
  return std::visit([&](const auto& one) { return Judge(position, one); }, edit);
}

const Job* BoardState::Find(JobId job) const {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : &found->second;
}

Job* BoardState::At(JobId job, Run run) {
  const auto found = jobs_.find(job);
  const bool at = found != jobs_.end() && run != 0 && found->second.run == run &&
                  !found->second.result.has_value();
  return at ? &found->second : nullptr;
}

bool BoardState::Judge(manifest::Position, const TakeBoard& edit) {
  if (edit.epoch <= epoch_) {
    return false;
  }
  epoch_ = edit.epoch;
  if (!mutants_.keeps_earlier) {
    jobs_.clear();
  }
  return true;
}

bool BoardState::Judge(manifest::Position position, const Offer& edit) {
  if (edit.epoch != epoch_ || edit.epoch == 0 || jobs_.size() >= kMaxJobs ||
      edit.payload.size() > kMaxTextBytes) {
    return false;
  }
  Job& job = jobs_[position];
  job.id = position;
  job.payload = edit.payload;
  return true;
}

bool BoardState::Judge(manifest::Position, const Claim& edit) {
  const auto found = jobs_.find(edit.job);
  if (found == jobs_.end() || edit.run == 0 || edit.worker.size() > kMaxNameBytes ||
      found->second.result.has_value() || (found->second.run != 0 && !mutants_.claim_any)) {
    return false;
  }
  found->second.run = edit.run;
  found->second.worker = edit.worker;
  ++found->second.signs;
  return true;
}

bool BoardState::Judge(manifest::Position, const Beat& edit) {
  Job* const job = At(edit.job, edit.run);
  if (job == nullptr) {
    return false;
  }
  ++job->signs;
  return true;
}

bool BoardState::Judge(manifest::Position, const GiveUp& edit) {
  Job* const job = At(edit.job, edit.run);
  if (job == nullptr) {
    return false;
  }
  job->run = 0;
  job->worker.clear();
  ++job->signs;
  return true;
}

bool BoardState::Judge(manifest::Position, const Done& edit) {
  Job* job = At(edit.job, edit.run);
  if (job == nullptr && mutants_.done_by_any && jobs_.contains(edit.job)) {
    job = &jobs_[edit.job];
  }
  if (job == nullptr && mutants_.late_result && edit.run != 0 && !jobs_.contains(edit.job)) {
    job = &jobs_[edit.job];
    job->id = edit.job;
    job->run = edit.run;
  }
  if (job == nullptr || edit.result.size() > kMaxTextBytes) {
    return false;
  }
  job->result = edit.result;
  ++job->signs;
  return true;
}

bool BoardState::Judge(manifest::Position, const Withdraw& edit) {
  const auto found = jobs_.find(edit.job);
  if (found == jobs_.end() || found->second.result.has_value()) {
    return false;
  }
  jobs_.erase(found);
  return true;
}

bool BoardState::Judge(manifest::Position, const Collect& edit) {
  const auto found = jobs_.find(edit.job);
  if (found == jobs_.end() || !found->second.result.has_value()) {
    return false;
  }
  jobs_.erase(found);
  return true;
}

std::string BoardState::Save() const {
  std::string out(1, static_cast<char>(kStateVersion));
  base::PutVarint(out, epoch_);
  base::PutVarint(out, jobs_.size());
  for (const auto& [id, job] : jobs_) {
    base::PutVarint(out, id);
    base::PutString(out, job.payload);
    base::PutFixed64(out, job.run);
    base::PutString(out, job.worker);
    base::PutVarint(out, job.signs);
    out.push_back(static_cast<char>(job.result.has_value() ? kDone : kOpen));
    if (job.result.has_value()) {
      base::PutString(out, *job.result);
    }
  }
  return out;
}

Status BoardState::Load(std::string_view saved) {
  base::ByteReader reader(saved);
  const uint8_t version = reader.Byte();
  if (reader.ok() && version != kStateVersion) {
    return Error(Reason::kNewerFormat, "the saved board of jobs has version " +
                                           std::to_string(version) +
                                           ", unknown to this build; run the newer one everywhere");
  }
  const uint64_t epoch = reader.Varint();
  const uint64_t count = reader.Varint();
  std::map<JobId, Job> jobs;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    bool sound = true;
    Job job = TakeJob(reader, sound);
    if (reader.ok() && (!sound || (!jobs.empty() && job.id <= jobs.rbegin()->first))) {
      return BadState(sound ? "jobs out of order" : "who has a job");
    }
    const JobId id = job.id;
    jobs[id] = std::move(job);
  }
  if (!reader.ok() || !reader.empty()) {
    return BadState("wrong length");
  }
  epoch_ = epoch;
  jobs_ = std::move(jobs);
  return {};
}

}  // namespace luna::board
