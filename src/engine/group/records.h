// records: what a group writes to its stream (distributed.md §2.7). Every record: type (1), epoch
// (8), closed timestamp (8), database (8, 0 = none), then the type's fields
// (docs/formats/records.md). The journal adds sequence and checksum. Data are logged physically, so
// followers and recovery are deterministic. Types reserved for the cluster: Prepare 17,
// Decision 18, Stage 19, Refuse 20, Finish 21, Forget 22, Split 23, Merge 24, MoveOut 25, MoveAbort
// 26, Gone 27, Import 28, ImportAbort 29, Own 30, SortedRun 33. Never reuse a number.
// Thread rule: plain values; views point into the record's bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/catalog/edits.h"
#include "engine/entry/entry.h"
#include "luna/options.h"

namespace luna::group {

using catalog::DatabaseId;
using catalog::TabletId;

struct LeaderStart {
  std::string server;
};  // leadership of the envelope's epoch begins

struct Operation {  // of a Commit
  TabletId tablet = 0;
  bool range = false;  // a range deletion [entry.key, range_end)
  entry::Entry entry;  // timestamp: the commit's
  std::string_view range_end;
};
struct Commit {
  TransactionId id;  // 0,0: none given
  Timestamp timestamp = 0;
  std::vector<Operation> operations;  // grouped by tablet
};
struct TsLimit {
  Timestamp limit = 0;
};  // no timestamp at or above it is given out before the next one
struct Rotate {
  TabletId tablet = 0;
};  // its active memtable is frozen here
struct Ingest {
  TabletId tablet = 0;
  Timestamp timestamp = 0;
  std::vector<levels::Row> tables;
};
struct Checkpoint {  // recovery needs nothing before it but unflushed records
  struct Clock {
    DatabaseId database = 0;
    Timestamp limit = 0;
    Timestamp outcome_floor = 0;  // outcomes of commits up to here are not kept
  };
  struct Outcome {
    DatabaseId database = 0;
    TransactionId id;
    Timestamp timestamp = 0;  // of the commit, or of the abort
    bool committed = false;
  };
  std::vector<Clock> clocks;
  std::vector<Outcome> outcomes;
};
struct Abort {  // asked for and undecided: can never commit
  TransactionId id;
  Timestamp timestamp = 0;
};

struct Renew {
  bool resting = false;  // nothing follows until somebody asks
  std::string server{};  // that leads and takes requests; empty: it does not say
};  // the leader's lease goes on
struct Transfer {
  std::string target;  // a server; empty: whoever comes first
};  // the leader's lease is over, and nothing follows under its epoch
struct Config {
  std::vector<std::string> removed;  // servers, in order
};  // these may not lead: they were taken out of the group; all others may
inline constexpr size_t kMaxRemoved = 1000;

struct Envelope {
  uint64_t epoch = 0;
  Timestamp closed = 0;
  DatabaseId database = 0;
};
using Body = std::variant<LeaderStart, Commit, TsLimit, Rotate, Ingest, Checkpoint, Abort, Renew,
                          Transfer, Config>;
struct Decoded {
  Envelope envelope;
  Body body;
};

void Encode(const Envelope& envelope, const Body& body, std::string& out);
// What the operation takes in a Commit's record, at most.
uint64_t MostBytes(const Operation& operation);
// What a Commit's record takes beside its operations, at most.
inline constexpr uint64_t kMostCommitBytes = 64;
// kBadFormat naming the field; kNewerFormat for a type this build does not know.
Result<Decoded> Decode(std::string_view record);

}  // namespace luna::group
