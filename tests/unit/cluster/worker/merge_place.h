// A store that a leader and workers share, with tables to be merged in it.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cluster/board/job_board.h"
#include "engine/compaction/merge_task.h"
#include "engine/table/table.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"
#include "unit/engine/entry/vector_iterator.h"

namespace luna::worker {

inline constexpr uint64_t kMillisecond = 1'000'000;
inline constexpr uint64_t kSecond = 1'000 * kMillisecond;
inline constexpr const char* kBucket = "db-1";

class MergePlace {
 public:
  explicit MergePlace(simulation::SimulatedRuntime& world)
      : world_(world), store_(world, world.trace(), world.seed()), leader_(NewKernel()) {}

  std::unique_ptr<sim_kernel::SimKernel> NewKernel() {
    return sim_kernel::SimKernel::Open(store_, world_, "sim:u", {},
                                       {.request_delay = {.least = 1, .most = 2},
                                        .reply_delay = {.least = 1, .most = 2},
                                        .timeout_millis = 3'600'000})
        .value();
  }
  sim_kernel::SimKernel& leader() { return *leader_; }
  sim_kernel::Wire& wire() { return store_.wire(); }
  runtime::Runtime& world() { return world_; }

  // Two tables of `keys` keys, of which the newer one has all and the older one every second.
  compaction::MergeTask Task(uint64_t job, int keys = 1000) {
    compaction::MergeTask task;
    task.bucket = kBucket;
    task.job = job;
    task.to_level = 6;
    task.last = true;
    task.inputs = {Write(20, keys, 1), Write(10, keys, 2)};
    task.retention = {.safe = 100, .snapshots = {}};
    return task;
  }
  // The keys of `written`, each with its value.
  std::string Content(const compaction::Written& written) {
    std::string content;
    for (const levels::Row& row : written.tables) {
      const auto table =
          table::Table::Open({.storage = &leader_->storage(), .bucket = kBucket}, *row);
      EXPECT_TRUE(table->Verify().ok());
      const auto iterator = table->NewIterator(false);
      for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        content +=
            std::string(iterator->entry().key) + "=" + std::string(iterator->entry().value) + " ";
      }
    }
    return content;
  }
  static std::string Expected(int keys = 1000) {
    std::string content;
    for (int i = 0; i < keys; ++i) {
      content += Key(i) + "=20 ";
    }
    return content;
  }
  std::vector<std::string> Objects() { return leader_->storage().List(kBucket).value(); }

 private:
  static std::string Key(int i) {
    std::string digits = std::to_string(i);
    return "k" + std::string(6 - digits.size(), '0') + digits;
  }

  levels::Row Write(Timestamp timestamp, int keys, int step) {
    std::vector<entry::Version> versions;
    for (int i = 0; i < keys; i += step) {
      versions.push_back(
          {.key = Key(i), .timestamp = timestamp, .value = std::to_string(timestamp)});
    }
    compaction::MergeInput input;
    input.entries = std::make_unique<entry::VectorIterator>(std::move(versions));
    input.retention.safe = 1;
    compaction::Output output;
    output.storage = &leader_->storage();
    output.bucket = kBucket;
    output.next_name = [this] { return "t-1.1." + std::to_string(++names_); };
    output.next_salt = [this] { return base::Id128{.high = 1, .low = names_}; };
    output.table_bytes = std::numeric_limits<uint64_t>::max();
    return compaction::Merge(std::move(input), output).value().tables.at(0);
  }

  simulation::SimulatedRuntime& world_;
  sim_kernel::SimStore store_;
  const std::unique_ptr<sim_kernel::SimKernel> leader_;
  uint64_t names_ = 0;
};

inline void InPlace(const std::function<void(MergePlace&)>& act) {
  simulation::SimulatedRuntime world(1);
  world.Run([&] {
    MergePlace place(world);
    act(place);
  });
}

}  // namespace luna::worker
