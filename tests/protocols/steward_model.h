// StewardModel: who may delete an object when, of one manifest, a bucket, readers and two stewards.
//
// Objects: `in`, a table at first; `out1` and `out2`, outputs of compaction jobs 1 and 2 over it;
// `old` and `fresh`, the flush of one memtable by a deposed leader and by its successor. Whoever
// makes an object may upload it twice and late, its edit may land late, twice or never: an executor
// whose job was aborted, a leader that was deposed.
//
// Steward 1 deletes; steward 2 takes over whenever it likes, and the old one does not know. A
// reader asks a steward for a lease on the oldest manifest position it uses; with it it may read
// all that any position from there on refers to. Its lease counts from the asking, in the steward's
// memory from the granting. Time is in ticks, a lease is 2; all clocks are equal (of rates see
// LeaseModel). Thread rule: plain values; a model is immutable.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "protocols/explorer.h"

namespace luna::protocols {

enum class StewardMutant : uint8_t {
  kNone,
  kNoWait,                // a new steward deletes at once
  kWaitsOneLease,         // … after one lease time
  kGrantsForever,         // a steward grants without having looked whether it is still the one
  kGrantsBelowDeletes,    // … positions whose objects it has given to deletion
  kForgetsOldDeletes,     // a new steward does not know what its predecessor's Delete edits took
  kLeaseFromReply,        // a reader counts its lease from the reply
  kIgnoresLeases,         // a steward deletes what is unreferenced
  kRemovesBeforeEdit,     // the object goes first, the Delete edit follows
  kDeleteIgnoresSteward,  // a Delete edit is valid whoever sent it
  kOrphanByAge,           // an upload that nothing refers to yet is an orphan after some time
  kKeepsOrphans,          // what nothing ever referred to stays
  kReusesName,            // the second job's output has the name of the first's
  kCommitAfterAbort,      // JobCommit is valid though the job was aborted
};

struct StewardSetting {
  StewardMutant mutant = StewardMutant::kNone;
  uint8_t readers = 1;
  bool makers = true;  // both jobs and both flushes; else job 1, which has uploaded and may commit
};

inline constexpr int kReaders = 2;
inline constexpr int kStewards = 2;
inline constexpr int kVersions = 3;  // at most one JobCommit and one Flush are valid
inline constexpr int kObjects = 5;

enum class Job : uint8_t { kNone, kOpen, kCommitted, kAborted };

struct StewardReader {
  uint8_t position = 0;  // the oldest manifest version it uses
  uint8_t lease = 0;     // ticks left
};

struct Registration {
  uint8_t position = 0;
  uint8_t left = 0;
};

struct Steward {
  std::array<Registration, kReaders> leases{};
  uint8_t authority = 0;  // ticks in which it may grant: a lease time since it saw itself current
  uint8_t floor = 0;      // it grants no position below
  uint8_t deleting = 0;   // objects in Delete edits on their way
};

struct LeaseRequest {
  uint8_t phase = 0;  // 1 sent, 2 granted, 3 refused
  uint8_t reader = 0;
  uint8_t steward = 0;
  uint8_t left = 0;  // of a lease that counts from the asking
};

struct StewardState {
  // The manifest.
  std::array<uint8_t, kVersions> referenced{};  // objects, by version
  uint8_t version = 0;
  std::array<Job, 2> jobs{};
  uint8_t flushed = 0;
  uint8_t current = 0;  // the steward
  uint8_t deleted = 0;  // objects of valid Delete edits: they may be removed, at any time, again
  // The bucket.
  uint8_t present = 0;
  std::array<uint8_t, kObjects> uploads{};
  // Memories and messages.
  std::array<Steward, kStewards> stewards{};
  uint8_t wait = 0;  // of steward 2
  std::array<StewardReader, kReaders> readers{};
  LeaseRequest request;  // one at a time
};

class StewardModel {
 public:
  using State = StewardState;

  explicit StewardModel(const StewardSetting& setting) : setting_(setting) {}
  State Initial() const;
  std::string_view Violation(const State& state) const;
  // The bucket holds what the manifest refers to and nothing else.
  bool Good(const State& state) const;
  void Next(const State& state, Steps<State>& steps) const;

 private:
  bool Is(StewardMutant mutant) const { return setting_.mutant == mutant; }
  void Tick(const State& state, Steps<State>& steps) const;
  // Makers of objects, and their edits.
  void Upload(const State& state, Steps<State>& steps) const;
  void LandJobCommit(const State& state, int job, Steps<State>& steps) const;
  void LandFlush(const State& state, int object, Steps<State>& steps) const;
  void ScheduleJobs(const State& state, Steps<State>& steps) const;
  int OutputOf(int job) const;
  // Readers.
  void Ask(const State& state, int reader, Steps<State>& steps) const;
  void AnswerRequest(const State& state, Steps<State>& steps) const;
  // Stewards.
  void Elect(const State& state, Steps<State>& steps) const;
  void LookWhoIsCurrent(const State& state, int steward, Steps<State>& steps) const;
  void DecideDelete(const State& state, int steward, Steps<State>& steps) const;
  void LandDelete(const State& state, int steward, Steps<State>& steps) const;
  void Remove(const State& state, Steps<State>& steps) const;
  bool MayDelete(const State& state, int steward, int object) const;
  bool CanNeverBeReferenced(const State& state, int object) const;

  StewardSetting setting_;
};

// Visits every state of the model.
Report Check(const StewardSetting& setting);

}  // namespace luna::protocols
