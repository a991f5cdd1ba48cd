// BoardState: the jobs on the board, a pure function of its manifest's edits.
// Invariant: a job has at most one run at a time, and a result only of that run.
// Thread rule: guarded by the caller (the Manifest calls it under its Turn; others through
// Inspect).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cluster/board/edits.h"
#include "kernel/manifest/manifest.h"

namespace luna::board {

struct Job {
  JobId id = 0;
  std::string payload;
  Run run = 0;                        // that has it; 0: nobody's
  std::string worker;                 // whose run it is
  uint64_t signs = 0;                 // of life: edits by workers so far
  std::optional<std::string> result;  // of that run
};

// Rules that a test breaks one at a time, to see that its checks notice. All false outside tests.
struct Mutants {
  bool claim_any = false;      // a claim takes a job from whoever has it
  bool done_by_any = false;    // a result counts, whichever run it is of
  bool late_result = false;    // a result counts though the job was withdrawn
  bool keeps_earlier = false;  // jobs of earlier epochs stay when another one takes the board
};

class BoardState final : public manifest::State {
 public:
  explicit BoardState(const Mutants& mutants = {}) : mutants_(mutants) {}

  Result<bool> Apply(manifest::Position position, std::string_view edit) override;
  std::string Save() const override;
  Status Load(std::string_view saved) override;

  uint64_t epoch() const { return epoch_; }  // that has the board; 0: none ever did
  const std::map<JobId, Job>& jobs() const { return jobs_; }
  const Job* Find(JobId job) const;

 private:
  bool Judge(manifest::Position position, const TakeBoard& edit);
  bool Judge(manifest::Position position, const Offer& edit);
  bool Judge(manifest::Position position, const Claim& edit);
  bool Judge(manifest::Position position, const Beat& edit);
  bool Judge(manifest::Position position, const GiveUp& edit);
  bool Judge(manifest::Position position, const Done& edit);
  bool Judge(manifest::Position position, const Withdraw& edit);
  bool Judge(manifest::Position position, const Collect& edit);
  // The job if `run` has it and is at it.
  Job* At(JobId job, Run run);

  Mutants mutants_;
  uint64_t epoch_ = 0;
  std::map<JobId, Job> jobs_;
};

}  // namespace luna::board
