// JobBoard: the board of jobs of a universe, as one process sees it: a manifest "jobs" of the
// shared Kernel, which any number of processes write. It holds nothing that lasts: a board that is
// lost costs work that is done again. After an append of unknown outcome the manifest must be
// opened anew; this does so by itself. Thread rule: safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "cluster/board/board_state.h"
#include "kernel/kernel.h"
#include "runtime/turn.h"

namespace luna::board {

class JobBoard {
 public:
  // The stream is opened at the first use. `kernel` outlives the board; one board of a Kernel at a
  // time.
  explicit JobBoard(kernel::Kernel& kernel, const Mutants& mutants = {})
      : kernel_(kernel), mutants_(mutants), turn_(kernel.runtime()) {}

  // The verdict: the edit's position, or nothing when it was void. kIoError: it is not known; other
  // errors of a manifest: it was not stored.
  Result<std::optional<manifest::Position>> Commit(const Edit& edit);
  // Sees what others wrote before this began. Errors: those of a manifest.
  Status CatchUp();
  // The board as of the last call of the above; one that was never read is empty. `reader` must not
  // wait.
  void Look(const std::function<void(const BoardState&)>& reader);
  std::optional<Job> Find(JobId job);

 private:
  Result<manifest::Manifest*> Opened();
  void CloseAfter(const Error& error);

  kernel::Kernel& kernel_;
  const Mutants mutants_;
  runtime::Turn turn_;
  // Guarded by turn_.
  std::unique_ptr<BoardState> state_ = std::make_unique<BoardState>();
  std::unique_ptr<manifest::Manifest> manifest_;
};

}  // namespace luna::board
