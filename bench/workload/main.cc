// luna_workload_bench: Luna beside RocksDB, LevelDB and LMDB. In every round each group runs on
// each engine, in turn, so that whatever else the machine does hits all of them; medians of the
// rounds are printed as Markdown. scripts/bench builds and runs it; docs/benchmarks.md says how to
// read it.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "workload/cell.h"
#include "workload/failure.h"
#include "workload/report.h"

namespace luna::bench {
namespace {

constexpr const char* kUsage =
    "usage: luna_workload_bench [option value]...\n"
    "  --rounds N        rounds, medians are shown (5)\n"
    "  --scale X         share of the records and operations (1)\n"
    "  --engines A,B     of: luna rocksdb rocksdb-tuned leveldb lmdb (all)\n"
    "  --workloads A,B   groups: index fill-random fill-batch overwrite reads commit-durable-1\n"
    "                    commit-durable-16 read-while-writing transfer-1 transfer-2 (all)\n"
    "  --keys SHAPE      hex or decimal (hex)\n"
    "  --budget MIB      memory of an engine (256)\n"
    "  --index FILE      output of apt-cache dumpavail; without it the group index is left out\n"
    "  --directory DIR   where the engines keep their files (./bench-files)\n"
    "  --markdown FILE   the tables; without it standard output\n"
    "  --json FILE       every single measure, a line each\n";

struct Request {
  int rounds = 5;
  double scale = 1;
  std::vector<std::string> engines = EngineNames();
  std::vector<std::string> groups;  // empty: all
  KeyShape keys = KeyShape::kHex;
  uint64_t budget_mebibytes = 256;
  std::string index;
  std::string directory = "bench-files";
  std::string markdown;
  std::string json;
};

[[noreturn]] void Refuse(const std::string& why) {
  std::fprintf(stderr, "luna_workload_bench: %s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    parts.push_back(part);
  }
  return parts;
}

template <typename T>
T NumberOf(const std::string& option, const std::string& text, T least, T most) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    Refuse(option + " cannot be '" + text + "'");
  }
  return value;
}

void Apply(const std::string& option, const std::string& value, Request& request) {
  if (option == "--rounds") {
    request.rounds = NumberOf(option, value, 1, 1000);
  } else if (option == "--scale") {
    request.scale = NumberOf(option, value, 0.001, 1000.0);
  } else if (option == "--engines") {
    request.engines = Split(value);
  } else if (option == "--workloads") {
    request.groups = Split(value);
  } else if (option == "--keys" && (value == "hex" || value == "decimal")) {
    request.keys = value == "hex" ? KeyShape::kHex : KeyShape::kDecimal;
  } else if (option == "--budget") {
    request.budget_mebibytes = NumberOf<uint64_t>(option, value, 64, 1 << 20);
  } else if (option == "--index") {
    request.index = value;
  } else if (option == "--directory") {
    request.directory = value;
  } else if (option == "--markdown") {
    request.markdown = value;
  } else if (option == "--json") {
    request.json = value;
  } else {
    Refuse("no option " + option + " " + value);
  }
}

Request Parse(int argc, char** argv) {
  Request request;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) {
      Refuse(std::string("no value for ") + argv[i]);
    }
    Apply(argv[i], argv[i + 1], request);
  }
  for (const std::string& engine : request.engines) {
    if (std::count(EngineNames().begin(), EngineNames().end(), engine) == 0) {
      Refuse("no engine '" + engine + "'");
    }
  }
  for (const std::string& name : request.groups) {
    if (std::none_of(Groups().begin(), Groups().end(),
                     [&](const Group& group) { return group.name == name; })) {
      Refuse("no group '" + name + "'");
    }
  }
  return request;
}

bool Wanted(const Request& request, const Group& group) {
  if (group.name == "index" && request.index.empty()) {
    return false;
  }
  return request.groups.empty() ||
         std::count(request.groups.begin(), request.groups.end(), group.name) != 0;
}

// One group on one engine; false when it failed.
bool RunOne(const Request& request, const Group& group, const std::string& engine, int round,
            Report& report, std::ofstream& json) {
  const Cell cell{.engine = engine,
                  .setup = {.directory = request.directory + "/" + std::to_string(getpid()),
                            .budget_bytes = request.budget_mebibytes << 20,
                            .device = group.device,
                            .transfers = group.transfers},
                  .scale = request.scale,
                  .keys = request.keys,
                  .index_file = request.index};
  const std::vector<Measure> measures = RunCell(group, cell);
  for (const Measure& measure : measures) {
    report.Add(engine, measure);
    if (json.is_open()) {
      Report::PrintJson(json, round, engine, measure);
    }
    std::fprintf(stderr, "%2d  %-20s %-14s %12.0f /s\n", round, measure.workload.data(),
                 engine.c_str(), measure.operations / measure.seconds);
  }
  if (measures.empty()) {
    for (const std::string& workload : group.workloads) {
      report.AddFailure(workload, engine);
    }
  }
  return !measures.empty();
}

int Run(const Request& request) {
  Report report(request.engines);
  std::ofstream json;
  if (!request.json.empty()) {
    json.open(request.json);
  }
  bool whole = true;
  for (int round = 1; round <= request.rounds; ++round) {
    for (const Group& group : Groups()) {
      for (const std::string& engine : request.engines) {
        if (Wanted(request, group) && (!group.transfers || HasTransactions(engine))) {
          whole &= RunOne(request, group, engine, round, report, json);
        }
      }
    }
  }
  std::ofstream file;
  if (!request.markdown.empty()) {
    file.open(request.markdown);
  }
  std::ostream& out = request.markdown.empty() ? std::cout : file;
  out << "Machine: " << MachineLine() << "\nEngines: " << EngineVersions() << "\nRun: medians of "
      << request.rounds << " rounds, scale " << request.scale << " ("
      << static_cast<uint64_t>(static_cast<double>(kRecords) * request.scale) << " records), "
      << request.budget_mebibytes << " MiB for each engine, "
      << (request.keys == KeyShape::kHex ? "hex" : "decimal") << " keys\n";
  report.PrintMarkdown(out);
  out.flush();
  if (!out.good()) {
    Die("cannot write " + request.markdown);
  }
  return whole ? 0 : 1;
}

}  // namespace
}  // namespace luna::bench

int main(int argc, char** argv) {
  using namespace luna::bench;
  return Run(Parse(argc, argv));
}
