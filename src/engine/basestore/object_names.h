// ObjectNames: names of objects that are never used again: "<kind>-<group>.<epoch>.<counter>" for
// flushes and blobs ("t-1.12.7", "b-1.12.8"), "j-<job>.<random>.<counter>" for job outputs (a job
// may run twice). The epoch is the group's stream epoch of this process, so counters may start
// anew.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "runtime/runtime.h"

namespace luna::basestore {

// The bucket that holds a database's objects: "db-<id>".
std::string BucketName(uint64_t database);

// Who made an object, as far as its name says: a leader, under an epoch of its group, or a job
// (epoch 0).
struct Origin {
  uint64_t group = 0;
  uint64_t epoch = 0;
  uint64_t job = 0;

  bool operator==(const Origin&) const = default;
};
// Of a table, a blob or a part of one. Nothing: it is no name of ours.
std::optional<Origin> OriginOf(std::string_view object);

class ObjectNames {
 public:
  ObjectNames(runtime::Runtime& runtime, uint64_t group, uint64_t epoch);
  std::string NextTable();
  std::string NextBlob();
  // A prefix for one run of a job; the runner appends ".<counter>".
  std::string JobRun(uint64_t job);
  base::Id128 NextSalt();

 private:
  runtime::Runtime& runtime_;
  const uint64_t group_;
  const uint64_t epoch_;
  std::atomic<uint64_t> counter_{0};
};

}  // namespace luna::basestore
