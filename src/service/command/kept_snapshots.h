// KeptSnapshots: the snapshots that SNAPSHOT CREATE named, until they are dropped or their time is
// over; and those that hold what a paged RANGE still reads, which have no name.
// Thread rule: safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "luna/luna.h"

namespace luna::command {

class KeptSnapshots {
 public:
  static constexpr size_t kMost = 1024;  // named ones
  static constexpr size_t kMostHeld = 256;

  struct Row {
    std::string name;
    Timestamp timestamp = 0;
    uint64_t deadline_nanos = 0;  // monotonic; 0 = none
  };

  // A snapshot of now. kObjectExists: the name is taken; kMemoryBudget: there are too many.
  Result<Timestamp> Create(Database& database, std::string_view name, uint64_t deadline_nanos);
  // False: no such name.
  bool Drop(std::string_view database, std::string_view name);
  std::optional<Timestamp> Find(std::string_view database, std::string_view name) const;
  std::vector<Row> List(std::string_view database) const;  // by name

  // Keeps a snapshot until `deadline_nanos`, or the later one given before. With too many of them
  // the one that ends first makes room.
  void Hold(const Database& database, std::shared_ptr<Snapshot> snapshot, uint64_t deadline_nanos);

  // Drops what has ended by `now_nanos`.
  void Sweep(uint64_t now_nanos);
  // Drops those of a database that is about to be dropped.
  void Forget(std::string_view database);
  size_t size() const;

 private:
  struct Kept {
    std::shared_ptr<Snapshot> snapshot;
    uint64_t deadline_nanos = 0;
  };
  using Names = std::map<std::pair<std::string, std::string>, Kept>;
  using Times = std::map<std::pair<std::string, Timestamp>, Kept>;

  mutable base::Mutex mutex_;
  Names named_ GUARDED_BY(mutex_);  // by database and name
  Times held_ GUARDED_BY(mutex_);   // by database and time
};

}  // namespace luna::command
