// StreamWitness: looks at a group's stream in the simulated store, not through anybody's Kernel,
// and tells what no group may ever do to it:
//   I1  one epoch appends at a time: epochs never fall along the stream, an epoch has one leader,
//       nothing that was appended changes, sequences have no gap, nothing follows a Transfer under
//       its epoch
//   I6  epoch, tail and what was released never go back
//   I10 timestamps of commits grow along the stream, and none is at or below a closed one before it
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/group/records.h"
#include "simulation/sim_kernel/sim_store.h"

namespace luna::test {

class StreamWitness {
 public:
  explicit StreamWitness(sim_kernel::SimStore& store) : store_(store) {}

  // To be called often: what was released meanwhile is not seen any more.
  void Look();
  // The first thing that was wrong; empty: nothing.
  const std::string& violation() const { return violation_; }
  // The epoch now; 0: there is no stream yet.
  uint64_t epoch();
  uint64_t released() const { return released_; }
  uint64_t records() const { return looked_upto_; }

 private:
  const sim_kernel::StoredStream* Find();
  void Note(const sim_kernel::StoredRecord& record);
  void NoteBody(const std::string& which, uint64_t epoch, const group::Decoded& decoded);
  void NoteTime(const std::string& which, const group::Decoded& decoded);
  void Blame(const std::string& what);

  sim_kernel::SimStore& store_;
  std::string violation_;
  uint64_t epoch_ = 0;
  uint64_t released_ = 0;
  uint64_t looked_upto_ = 0;                 // the newest record seen
  uint64_t record_epoch_ = 0;                // of that record
  uint64_t newest_hash_ = 0;                 // likewise
  std::map<uint64_t, std::string> leaders_;  // by epoch
  uint64_t handed_over_ = 0;                 // the last epoch that ended with a Transfer
  std::map<uint64_t, Timestamp> newest_;     // of a commit, by database
  Timestamp closed_for_all_ = 0;             // by a Renew
  std::map<uint64_t, Timestamp> closed_;     // by database
};

}  // namespace luna::test
