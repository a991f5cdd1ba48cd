#include "cluster/worker/offloaded_merges.h"

#include <span>
#include <utility>
#include <vector>

#include "base/try.h"
#include "cluster/worker/worker.h"
#include "engine/compaction/overlap.h"

namespace luna::worker {

OffloadedMerges::OffloadedMerges(kernel::Kernel& kernel, uint64_t epoch, OffloadOptions options)
    : kernel_(kernel),
      epoch_(epoch),
      options_(std::move(options)),
      board_(kernel, options_.mutants),
      here_turn_(kernel.runtime()),
      offer_turn_(kernel.runtime()) {}

Result<compaction::Written> OffloadedMerges::Here(
    const std::function<Result<compaction::Written>()>& merge) {
  const runtime::TurnHold hold(here_turn_);
  return merge();
}

void OffloadedMerges::Count(uint64_t OffloadFigures::*figure, uint64_t by) {
  tally_.Add(figure, by);
  if (options_.tally != nullptr) {
    options_.tally->Add(figure, by);
  }
}

void OffloadedMerges::Rest() {
  base::MutexLock lock(mutex_);
  rests_until_nanos_ = now() + options_.retry_nanos;
}

// What keeps merges here is no reason to lead no more.
void OffloadedMerges::Trouble(const Error& error) {
  options_.log.Warning("offload-trouble", {{"error", error.ToString()}});
  Rest();
}

Status OffloadedMerges::TakeBoard() {
  const auto taken = TRY(board_.Commit(board::TakeBoard{.epoch = epoch_}));
  base::MutexLock lock(mutex_);
  taken_ = taken.has_value();
  deposed_ = !taken_;
  return {};
}

bool OffloadedMerges::Ready() {
  bool takes = false;
  {
    base::MutexLock lock(mutex_);
    if (deposed_ || now() < rests_until_nanos_) {
      return false;
    }
    takes = !taken_;
  }
  if (takes) {
    if (const Status taken = TakeBoard(); !taken.ok()) {
      Trouble(taken.error());
      return false;
    }
  }
  uint64_t epoch = 0;
  board_.Look([&](const board::BoardState& state) { epoch = state.epoch(); });
  base::MutexLock lock(mutex_);
  // A second thread may have found the board taken by the first.
  taken_ = epoch == epoch_;
  deposed_ = epoch > epoch_;
  return taken_;
}

void OffloadedMerges::WithdrawStrays() {
  std::vector<std::pair<board::JobId, bool>> strays;  // and whether it is done
  {
    std::set<board::JobId> awaited;
    {
      base::MutexLock lock(mutex_);
      awaited = awaited_;
    }
    board_.Look([&](const board::BoardState& state) {
      for (const auto& [id, job] : state.jobs()) {
        if (!awaited.contains(id)) {
          strays.emplace_back(id, job.result.has_value());
        }
      }
    });
  }
  for (const auto& [id, done] : strays) {
    const auto gone = board_.Commit(done ? board::Edit(board::Collect{.job = id})
                                         : board::Edit(board::Withdraw{.job = id}));
    if (gone.ok() && gone->has_value()) {
      Count(&OffloadFigures::strays);
    }
  }
}

std::optional<board::JobId> OffloadedMerges::Offer(const compaction::MergeTask& task) {
  const std::string payload = compaction::Encode(task, TaskSeed(kernel_));
  if (payload.size() > board::kMaxTextBytes) {
    return {};
  }
  const runtime::TurnHold hold(offer_turn_);
  WithdrawStrays();
  const auto offered = board_.Commit(board::Offer{.epoch = epoch_, .payload = payload});
  if (!offered.ok()) {
    Trouble(offered.error());
    return {};
  }
  if (offered->has_value()) {
    Count(&OffloadFigures::offered);
    base::MutexLock lock(mutex_);
    awaited_.insert(**offered);
  }
  return *offered;
}

OffloadedMerges::Ending OffloadedMerges::Await(board::JobId job,
                                               const std::function<bool()>& stopping) {
  uint64_t signs = 0;
  uint64_t last_sign = now();
  while (true) {
    if (stopping && stopping()) {
      return Ending::kStopped;
    }
    kernel_.runtime().Sleep(options_.look_nanos);
    // Unheard signs are none.
    const Status seen = board_.CatchUp();
    const std::optional<board::Job> found = board_.Find(job);
    if (seen.ok() && !found.has_value()) {
      return Ending::kGone;
    }
    if (found.has_value() && found->result.has_value()) {
      return Ending::kDone;
    }
    if (found.has_value() && found->signs != signs) {
      signs = found->signs;
      last_sign = now();
    }
    const bool claimed = found.has_value() && found->run != 0;
    if (now() - last_sign >= (claimed ? options_.silence_nanos : options_.claim_nanos)) {
      return claimed ? Ending::kSilent : Ending::kUnclaimed;
    }
  }
}

std::optional<compaction::Written> OffloadedMerges::Collect(const compaction::MergeTask& task,
                                                            board::JobId job) {
  const std::optional<board::Job> found = board_.Find(job);
  if (!found.has_value() || !found->result.has_value()) {
    return {};
  }
  const auto collected = board_.Commit(board::Collect{.job = job});
  static_cast<void>(collected.ok());  // else it is a stray
  auto outcome = compaction::DecodeOutcome(*found->result, OutcomeSeed(kernel_, job, found->run));
  Status sound = outcome.ok() ? Status() : Status(outcome.error());
  const bool failed = outcome.ok() && !outcome->failure.empty();
  if (outcome.ok() && !failed) {
    sound = compaction::Check(task, found->run, outcome->written);
  }
  if (!sound.ok()) {
    Count(&OffloadFigures::refused);
    Trouble(sound.error());
    return {};
  }
  if (failed) {
    Count(&OffloadFigures::failed);
    options_.log.Warning("offload-failed",
                         {{"worker", found->worker}, {"error", outcome->failure}});
    Rest();
    return {};
  }
  Count(&OffloadFigures::done);
  Count(&OffloadFigures::bytes_read, compaction::BytesOf(task));
  Count(&OffloadFigures::bytes_written,
        compaction::BytesOf(std::span<const levels::Row>(outcome->written.tables)));
  options_.log.Debug("offloaded", {{"worker", found->worker}, {"job", job}});
  return std::move(outcome->written);
}

std::optional<compaction::Written> OffloadedMerges::End(const compaction::MergeTask& task,
                                                        board::JobId job, Ending ending) {
  if (ending == Ending::kGone) {
    return {};
  }
  if (ending == Ending::kDone) {
    return Collect(task, job);
  }
  const auto withdrawn = board_.Commit(board::Withdraw{.job = job});
  if (!withdrawn.ok()) {
    Trouble(withdrawn.error());
  } else if (!withdrawn->has_value()) {
    return Collect(task, job);  // done at the last moment
  }
  if (ending != Ending::kStopped) {
    options_.log.Warning(
        "offload-withdrawn",
        {{"job", job}, {"why", ending == Ending::kSilent ? "no sign of life" : "no worker"}});
    Count(ending == Ending::kSilent ? &OffloadFigures::silent : &OffloadFigures::unclaimed);
    Rest();
  }
  return {};
}

Result<std::optional<compaction::Written>> OffloadedMerges::Merge(
    const compaction::MergeTask& task, const std::function<bool()>& stopping) {
  using Outcome = std::optional<compaction::Written>;
  if (compaction::BytesOf(task) < options_.least_bytes || !Ready()) {
    return Outcome();
  }
  const std::optional<board::JobId> job = Offer(task);
  if (!job.has_value()) {
    return Outcome();
  }
  const Ending ending = Await(*job, stopping);
  Outcome written = End(task, *job, ending);
  {
    base::MutexLock lock(mutex_);
    awaited_.erase(*job);
  }
  if (ending == Ending::kStopped && !written.has_value()) {
    return Error(Reason::kShutDown, "an offloaded merge was stopped: its database is closing");
  }
  return written;
}

}  // namespace luna::worker
