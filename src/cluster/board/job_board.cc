#include "cluster/board/job_board.h"

#include <utility>

#include "base/try.h"

namespace luna::board {
namespace {

constexpr const char* kStream = "jobs";
// That of the system database: who opens the universe removes buckets of unknown databases.
constexpr const char* kBucket = "db-0";

}  // namespace

Result<manifest::Manifest*> JobBoard::Opened() {
  if (manifest_ == nullptr) {
    auto state = std::make_unique<BoardState>(mutants_);
    auto manifest = TRY(kernel_.OpenManifest(kStream, kBucket, *state));
    state_ = std::move(state);
    manifest_ = std::move(manifest);
  }
  return manifest_.get();
}

// Closed: the stream takes nothing more until it is opened anew. Lost: others released what was not
// read here yet, and a snapshot stands for it.
void JobBoard::CloseAfter(const Error& error) {
  if (error.code() == ErrorCode::kClosed || error.reason() == Reason::kLostData) {
    manifest_.reset();
  }
}

Result<std::optional<manifest::Position>> JobBoard::Commit(const Edit& edit) {
  const runtime::TurnHold hold(turn_);
  manifest::Manifest* const manifest = TRY(Opened());
  std::optional<manifest::Position> position;
  const Result<bool> valid =
      manifest->Commit(Encode(edit), [&](manifest::Position written) { position = written; });
  if (!valid.ok()) {
    CloseAfter(valid.error());
    return valid.error();
  }
  return position;
}

Status JobBoard::CatchUp() {
  const runtime::TurnHold hold(turn_);
  manifest::Manifest* const manifest = TRY(Opened());
  Status caught_up = manifest->CatchUp();
  if (!caught_up.ok()) {
    CloseAfter(caught_up.error());
  }
  return caught_up;
}

void JobBoard::Look(const std::function<void(const BoardState&)>& reader) {
  const runtime::TurnHold hold(turn_);
  reader(*state_);
}

std::optional<Job> JobBoard::Find(JobId job) {
  std::optional<Job> found;
  Look([&](const BoardState& state) {
    if (const Job* const known = state.Find(job)) {
      found = *known;
    }
  });
  return found;
}

}  // namespace luna::board
