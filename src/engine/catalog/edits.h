// edits: what a manifest records. System database 0 holds the databases; each database's manifest
// holds its collections, tablets, tables and jobs. An edit is valid or void by the state it meets;
// the rule stands beside each. Where universes change leaders (leads.h), every manifest holds who
// leads, and the leader's edits come as Led: those of a deposed leader are void.
// Bytes: kind (1), then fields in order (docs/formats/manifest.md). Kinds reserved for the cluster:
// Split 32, Merge 33, Move 34, Cancel 35, Home 36, Steward 37, Delete 38, Pin 39, Unpin 40. Never
// reuse a number.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "engine/levels/levels.h"
#include "kernel/journal/journal.h"
#include "luna/status.h"

namespace luna::catalog {

using DatabaseId = uint64_t;    // position of its CreateDatabase in manifest 0; never reused
using CollectionId = uint64_t;  // position of its CreateCollection; never reused in the database
using TabletId = uint64_t;      // of the first tablet of a collection: the collection's id
using JobId = uint64_t;         // position of its JobStart
inline constexpr uint64_t kFirstGroup = 1;

// System database 0.
struct CreateDatabase {
  std::string name;
};  // valid: no database of the name
struct DropDatabase {
  DatabaseId database = 0;
};  // valid: exists

// A database.
struct CreateCollection {
  std::string name;
  uint64_t group = kFirstGroup;
};  // valid: no collection of the name
struct DropCollection {
  CollectionId collection = 0;
};  // valid: exists
struct RenameCollection {
  CollectionId collection = 0;
  std::string name;
};  // valid: exists, name free
struct Flush {  // valid: tablet, tenure, from = flushed < upto
  TabletId tablet = 0;
  uint64_t tenure = 0;
  journal::Sequence from = 0;
  journal::Sequence upto = 0;
  std::vector<levels::Row> tables;  // to level 0
  Timestamp safe_timestamp = 0;     // raises the safe point
};
struct Ingest {  // valid: tablet, tenure, sequence > ingested
  TabletId tablet = 0;
  uint64_t tenure = 0;
  journal::Sequence sequence = 0;   // of the Ingest record in the group's stream
  std::vector<levels::Row> tables;  // to level 0
};
struct JobStart {  // valid: inputs live and in no other job
  CollectionId collection = 0;
  std::vector<std::string> inputs;
  Timestamp safe_timestamp = 0;  // raises the database's safe point
};
struct JobCommit {  // valid: job open
  JobId job = 0;
  std::vector<std::pair<int, levels::Row>> outputs;  // all inputs go
};
struct JobAbort {
  JobId job = 0;
};  // valid: job open
struct SafePoint {
  Timestamp timestamp = 0;
};  // valid: larger than the current one
struct AttachTables {  // valid: collection has no tables (restore)
  CollectionId collection = 0;
  std::vector<std::pair<int, levels::Row>> tables;
};

// Any manifest, that of system database 0 included. After the first TakeLead an edit that is none
// and does not come as Led is void.
struct TakeLead {
  uint64_t group = kFirstGroup;
  uint64_t epoch = 0;  // of the fence that was won
};  // valid: epoch larger than that of the group's last TakeLead
struct Led {
  uint64_t group = kFirstGroup;
  uint64_t epoch = 0;
  std::string edit;  // encoded; neither TakeLead nor Led
};  // valid: the group's last TakeLead has this epoch, and the edit within is valid

using Edit = std::variant<CreateDatabase, DropDatabase, CreateCollection, DropCollection,
                          RenameCollection, Flush, Ingest, JobStart, JobCommit, JobAbort, SafePoint,
                          AttachTables, TakeLead, Led>;

std::string Encode(const Edit& edit);
// kBadFormat; kNewerFormat for a kind this build does not know.
Result<Edit> Decode(std::string_view bytes);
// One line for people: "Flush tablet 3 (0, 17] to 2 tables".
std::string ToString(const Edit& edit);

}  // namespace luna::catalog
