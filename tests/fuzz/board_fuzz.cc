// Fuzzes what the board of jobs is read from: edits, saved states, and the merges and outcomes that
// it carries. What is accepted must come back from its own encoding byte for byte; a void edit must
// change nothing; a state that was saved and loaded must go on like the one it was saved from. The
// first byte chooses what the rest is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"
#include "cluster/board/board_state.h"
#include "engine/compaction/merge_task.h"

namespace {

using namespace luna;

constexpr uint64_t kSeed = 1;

void UseEdit(std::string_view bytes) {
  const auto edit = board::Decode(bytes);
  if (edit.ok()) {
    LUNA_ASSERT(!board::ToString(*edit).empty());
    LUNA_ASSERT(board::Encode(*edit) == bytes);
  }
}

void Use(const board::BoardState& state) {
  for (const auto& [id, job] : state.jobs()) {
    LUNA_ASSERT(job.id == id && state.Find(id) == &job);
    LUNA_ASSERT(!job.result.has_value() || job.run != 0);
  }
}

// A saved state with its length, then edits with theirs.
void UseState(std::string_view bytes) {
  base::ByteReader in(bytes);
  const std::string_view saved = in.Bytes(in.Fixed16());
  board::BoardState state;
  if (!saved.empty() && state.Load(saved).ok()) {
    LUNA_ASSERT(state.Save() == saved);
  }
  for (manifest::Position position = 1; !in.empty() && in.ok(); ++position) {
    const std::string_view edit = in.Bytes(in.Fixed16());
    const std::string before = state.Save();
    board::BoardState copy;
    LUNA_ASSERT(copy.Load(before).ok());
    const auto verdict = state.Apply(position, edit);
    const auto again = copy.Apply(position, edit);
    LUNA_ASSERT(verdict.ok() == again.ok() && (!verdict.ok() || *verdict == *again));
    LUNA_ASSERT(state.Save() == copy.Save());
    LUNA_ASSERT((verdict.ok() && *verdict) || state.Save() == before);
    Use(state);
  }
}

void UseTask(std::string_view bytes) {
  const auto task = compaction::DecodeTask(bytes, kSeed);
  if (task.ok()) {
    LUNA_ASSERT(compaction::Encode(*task, kSeed) == bytes);
    LUNA_ASSERT(!compaction::RunName(task->job, 1).empty());
    compaction::BytesOf(*task);
  }
}

void UseOutcome(std::string_view bytes) {
  const auto outcome = compaction::DecodeOutcome(bytes, kSeed);
  if (outcome.ok()) {
    LUNA_ASSERT(compaction::Encode(*outcome, kSeed) == bytes);
    // The empty task has no entries.
    const Status sound = compaction::Check({}, 1, outcome->written);
    LUNA_ASSERT(!sound.ok() || outcome->written.entries_in == 0);
  }
}

// The checksum that the decoders expect, in place of the last bytes.
std::string WithChecksum(std::string_view bytes) {
  std::string fixed(bytes);
  if (fixed.size() >= 8) {
    fixed.resize(fixed.size() - 8);
    base::PutFixed64(fixed, base::Hash(fixed, kSeed));
  }
  return fixed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 6) {
    case 0:
      UseEdit(rest);
      break;
    case 1:
      UseState(rest);
      break;
    case 2:
      UseTask(rest);
      break;
    case 3:
      UseTask(WithChecksum(rest));
      break;
    case 4:
      UseOutcome(rest);
      break;
    default:
      UseOutcome(WithChecksum(rest));
  }
  return 0;
}
