// merge_task: a merge as bytes, so that another process can carry it out, and what came of it as
// bytes (docs/formats/board.md). A task names its input tables by their rows, and everything else
// that decides what is kept: whoever carries it out writes tables of the same content. Each run of
// a task names what it writes by itself, so that runs never meet. Both encodings end with a
// checksum, seeded by the caller with what only the right reader knows. Thread rule: plain values
// and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/compaction/retention.h"
#include "engine/compaction/run.h"
#include "engine/table/table_builder.h"

namespace luna::compaction {

struct MergeTask {
  std::string bucket;  // of inputs and outputs
  uint64_t job = 0;    // of the database's manifest, open as long as the outputs may be of use
  int from_level = 0;
  int to_level = 1;
  bool last = false;                    // as in Plan
  std::vector<levels::Row> inputs;      // of from_level, in its order
  std::vector<levels::Row> overlapped;  // of to_level, likewise
  Retention retention;
  table::TableOptions table;
  uint64_t table_bytes = uint64_t{32} << 20;  // as in Output
};

// What a run came to.
struct MergeOutcome {
  Written written;
  std::string failure;  // why nothing was written; empty: it was
};

std::string Encode(const MergeTask& task, uint64_t seed);
// kBadFormat, kBadChecksum (also of another seed), kNewerFormat.
Result<MergeTask> DecodeTask(std::string_view bytes, uint64_t seed);
std::string Encode(const MergeOutcome& outcome, uint64_t seed);
Result<MergeOutcome> DecodeOutcome(std::string_view bytes, uint64_t seed);

// "j-<job>.<run>": what the objects begin with that this run writes; ".<counter>" follows.
std::string RunName(uint64_t job, uint64_t run);
uint64_t BytesOf(const MergeTask& task);  // of the inputs: what merging reads
// Whether what `run` says it wrote can be the outcome: named by the run, and no entry missing or
// too many. kBadFormat.
Status Check(const MergeTask& task, uint64_t run, const Written& written);

}  // namespace luna::compaction
