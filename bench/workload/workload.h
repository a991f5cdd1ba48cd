// Workload groups: a group runs in a process of its own and yields one Measure per workload; the
// workloads of a group share its prepared data. All reads are verified; after a group that writes,
// everything stored is.
// Thread rule: plain functions; each call owns its engine and threads.
#pragma once

#include <string>
#include <vector>

#include "workload/engine.h"
#include "workload/measure.h"
#include "workload/records.h"

namespace luna::bench {

// What a group gets.
struct Cell {
  std::string engine;
  Setup setup;
  double scale = 1;
  KeyShape keys = KeyShape::kHex;
  std::string index_file;  // of load-index

  // `count` at the cell's scale, at least 1.
  uint64_t Scaled(uint64_t count) const;
};

struct Group {
  std::string name;
  std::vector<std::string> workloads;
  bool transfers = false;  // needs transactions that read
  bool device = false;     // commits survive power loss
  std::vector<Measure> (*run)(const Cell& cell);
};

// In the order of the table's rows.
const std::vector<Group>& Groups();

// Records of the synthetic workloads at scale 1.
constexpr uint64_t kRecords = 500'000;

// The runs, one file each topic.
std::vector<Measure> LoadIndex(const Cell& cell);
std::vector<Measure> FillRandom(const Cell& cell);
std::vector<Measure> FillBatch(const Cell& cell);
std::vector<Measure> Overwrite(const Cell& cell);
std::vector<Measure> Reads(const Cell& cell);
std::vector<Measure> CommitDurable1(const Cell& cell);
std::vector<Measure> CommitDurable16(const Cell& cell);
std::vector<Measure> ReadWhileWriting(const Cell& cell);
std::vector<Measure> Transfer1(const Cell& cell);
std::vector<Measure> Transfer2(const Cell& cell);

// Preparation: puts records [0, count) in version 0, in batches.
void Load(Engine& engine, const Cell& cell, uint64_t count);
// Scans table 0 and ends the process unless it has exactly the records [0, versions.size()), each
// in its version.
void VerifyAll(Engine& engine, const Cell& cell, const std::vector<uint32_t>& versions);

}  // namespace luna::bench
