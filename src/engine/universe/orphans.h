// Orphans: objects of a led universe that no edit refers to and none ever will: the rest of a
// leader that died or was deposed, of a job that was aborted, of a database that was dropped. And
// when they may go: removal in a universe that several processes read.
//
// Why "never will" can be known by who leads under epoch e, also when it was deposed and does not
// know it. An object gets into a manifest by an edit of the leader that made it, by the job that
// made it, or because it was named already: by a record of the stream that is not flushed yet, or
// by the manifest.
//   - Edits of an epoch before e are void since e took the lead of that manifest (led_manifest.h).
//   - Records of an epoch before e precede the fence of e, so this leader has applied all of them:
//     what they name is in its memtables until it is in tables.
//   - A job whose number is not past the position applied here and which is not open is closed, for
//     good: numbers are positions. One past it may be a successor's.
// So what was made under an older epoch, or by a closed job, and is in no memtable, no table row
// and no reader's hands here is out for good. An object of this epoch may be an upload that goes
// on; it is left to a later leader. Databases are their CreateDatabase's positions, as jobs are.
// The one who names what others made is Restore, in a database that nobody knew before: nothing is
// listed while one runs.
// Readers of other processes have an older state of the manifest, but not for longer than a grace:
// what two listings a grace apart both find to be an orphan is in nobody's use.
// Thread rule: IsOrphan is a pure function; Sightings are guarded by the caller.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/leads.h"
#include "kernel/manifest/manifest.h"

namespace luna::universe {

// Rules that a test breaks one at a time, to see that its checks notice. All false outside tests.
struct RemovalMutants {
  bool no_grace = false;          // what died goes at once
  bool forget_unflushed = false;  // blobs that only memtables name are orphans
  bool take_own_epoch = false;    // so is what this leader has not committed yet
  bool take_open_jobs = false;    // and what a job has not
  bool keep_orphans = false;      // nobody looks for them
};

struct Removal {
  uint64_t grace_nanos = 30'000'000'000;       // what died stays for so long
  uint64_t orphans_nanos = 3'600'000'000'000;  // between two looks for orphans
  RemovalMutants mutants{};
};

// What is known of a database, taken after its bucket was listed.
struct KnownObjects {
  catalog::Leader leader{};
  manifest::Position position = 0;
  std::set<catalog::JobId> jobs{};  // that are open
  std::set<std::string> used{};     // tables and blobs, by name
};
// Of an object of the bucket. False for names that are not of tables and blobs.
bool IsOrphan(std::string_view object, const KnownObjects& known, const RemovalMutants& mutants);

// What was found to be an orphan, and when first.
class Sightings {
 public:
  // Of all that one look found, what was found by every look since `grace_nanos` at least.
  std::vector<std::string> Confirm(const std::set<std::string>& found, uint64_t now_nanos,
                                   uint64_t grace_nanos);

 private:
  std::map<std::string, uint64_t> first_nanos_;
};

}  // namespace luna::universe
