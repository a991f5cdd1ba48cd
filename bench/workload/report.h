// Report: collects the measures of all rounds and prints medians as Markdown, and every single
// measure as JSON lines.
// Thread rule: owned by one thread.
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "workload/measure.h"

namespace luna::bench {

class Report {
 public:
  // `engines` in the order of columns.
  explicit Report(std::vector<std::string> engines) : engines_(std::move(engines)) {}
  void Add(const std::string& engine, const Measure& measure);
  void AddFailure(const std::string& workload, const std::string& engine);
  // Tables of throughput, CPU, bytes, latency and memory.
  void PrintMarkdown(std::ostream& out) const;
  static void PrintJson(std::ostream& out, int round, const std::string& engine,
                        const Measure& measure);

 private:
  struct Place {
    std::vector<Measure> measures;
    int failures = 0;
  };
  using Figure = double (*)(const Measure&);

  const Place* Find(const std::string& workload, const std::string& engine) const;
  // The median over rounds, or a negative number when there is none.
  double Median(const std::string& workload, const std::string& engine, Figure figure) const;
  // Throughput against RocksDB's better variant.
  std::string Ratio(const std::string& workload) const;
  void Table(std::ostream& out, const std::string& title, Figure figure, bool ratio) const;
  void Latencies(std::ostream& out) const;

  std::vector<std::string> engines_;
  std::vector<std::string> workloads_;  // in order of appearance
  std::map<std::pair<std::string, std::string>, Place> places_;
};

// Model of the processor, cores, memory, kernel, disk, compiler and flags: two lines.
std::string MachineLine();

}  // namespace luna::bench
