#include "workload/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace luna::bench {
namespace {

double Throughput(const Measure& m) {
  return m.operations / m.seconds;
}
double CpuMicros(const Measure& m) {
  return (m.user_seconds + m.system_seconds) / m.operations * 1e6;
}
double BytesEach(const Measure& m) {
  return m.written_bytes / m.operations;
}
double Resident(const Measure& m) {
  return m.resident_bytes / (1 << 20);
}

// Three significant digits, thousands separated.
std::string Number(double value) {
  if (value < 0) {
    return "–";
  }
  std::array<char, 32> text{};
  if (value < 100) {
    const int places = value < 1 ? 3 : value < 10 ? 2 : 1;
    std::snprintf(text.data(), text.size(), "%.*f", places, value);
    return text.data();
  }
  const double unit = std::pow(10, std::floor(std::log10(value)) - 2);
  std::snprintf(text.data(), text.size(), "%.0f", std::round(value / unit) * unit);
  std::string digits = text.data();
  for (size_t at = digits.size(); at > 3; at -= 3) {
    digits.insert(at - 3, ",");
  }
  return digits;
}

// Nanoseconds for people.
std::string Duration(double nanos) {
  if (nanos < 1e3) {
    return Number(nanos) + " ns";
  }
  return nanos < 1e6 ? Number(nanos / 1e3) + " µs" : Number(nanos / 1e6) + " ms";
}

}  // namespace

void Report::Add(const std::string& engine, const Measure& measure) {
  const std::string workload = measure.workload.data();
  if (std::find(workloads_.begin(), workloads_.end(), workload) == workloads_.end()) {
    workloads_.push_back(workload);
  }
  places_[{workload, engine}].measures.push_back(measure);
}

void Report::AddFailure(const std::string& workload, const std::string& engine) {
  if (std::find(workloads_.begin(), workloads_.end(), workload) == workloads_.end()) {
    workloads_.push_back(workload);
  }
  ++places_[{workload, engine}].failures;
}

const Report::Place* Report::Find(const std::string& workload, const std::string& engine) const {
  const auto place = places_.find({workload, engine});
  return place == places_.end() ? nullptr : &place->second;
}

double Report::Median(const std::string& workload, const std::string& engine, Figure figure) const {
  const Place* place = Find(workload, engine);
  if (place == nullptr || place->measures.empty()) {
    return -1;
  }
  std::vector<double> figures;
  for (const Measure& measure : place->measures) {
    figures.push_back(figure(measure));
  }
  std::sort(figures.begin(), figures.end());
  const size_t middle = figures.size() / 2;
  return figures.size() % 2 == 1 ? figures[middle] : (figures[middle - 1] + figures[middle]) / 2;
}

std::string Report::Ratio(const std::string& workload) const {
  const double luna = Median(workload, "luna", Throughput);
  const double rocksdb = std::max(Median(workload, "rocksdb", Throughput),
                                  Median(workload, "rocksdb-tuned", Throughput));
  if (luna < 0 || rocksdb <= 0) {
    return "–";
  }
  std::array<char, 32> text{};
  const double ratio = luna / rocksdb;
  std::snprintf(text.data(), text.size(), ratio < 1 ? "%.2f" : "**%.2f**", ratio);
  return text.data();
}

void Report::Table(std::ostream& out, const std::string& title, Figure figure, bool ratio) const {
  out << "\n### " << title << "\n\n| workload |";
  for (const std::string& engine : engines_) {
    out << " " << engine << " |";
  }
  out << (ratio ? " luna ÷ better RocksDB |" : "") << "\n|---|";
  for (size_t i = 0; i < engines_.size() + (ratio ? 1 : 0); ++i) {
    out << "---:|";
  }
  out << "\n";
  for (const std::string& workload : workloads_) {
    out << "| " << workload << " |";
    for (const std::string& engine : engines_) {
      const Place* place = Find(workload, engine);
      const bool failed = place != nullptr && place->failures > 0;
      out << " " << (failed ? "failed" : Number(Median(workload, engine, figure))) << " |";
    }
    out << (ratio ? " " + Ratio(workload) + " |" : "") << "\n";
  }
}

void Report::Latencies(std::ostream& out) const {
  out << "\n### Latency: p50 / p99 / p99.9 / max (a call; a batch; a pass of scan-full)\n\n"
         "| workload |";
  for (const std::string& engine : engines_) {
    out << " " << engine << " |";
  }
  out << "\n|---|";
  for (size_t i = 0; i < engines_.size(); ++i) {
    out << "---|";
  }
  out << "\n";
  for (const std::string& workload : workloads_) {
    out << "| " << workload << " |";
    for (const std::string& engine : engines_) {
      const double p50 = Median(workload, engine, [](const Measure& m) { return m.p50; });
      if (p50 < 0) {
        out << " – |";
        continue;
      }
      out << " " << Duration(p50) << " / "
          << Duration(Median(workload, engine, [](const Measure& m) { return m.p99; })) << " / "
          << Duration(Median(workload, engine, [](const Measure& m) { return m.p999; })) << " / "
          << Duration(Median(workload, engine, [](const Measure& m) { return m.max; })) << " |";
    }
    out << "\n";
  }
}

void Report::PrintMarkdown(std::ostream& out) const {
  Table(out, "Throughput, operations a second", Throughput, true);
  Table(out, "CPU, µs an operation, background included", CpuMicros, false);
  Table(out, "Bytes written an operation, background included", BytesEach, false);
  Table(out, "Resident memory at the end, MiB", Resident, false);
  Latencies(out);
}

void Report::PrintJson(std::ostream& out, int round, const std::string& engine, const Measure& m) {
  out << "{\"round\":" << round << ",\"workload\":\"" << m.workload.data() << "\",\"engine\":\""
      << engine << "\",\"operations\":" << m.operations << ",\"seconds\":" << m.seconds
      << ",\"operations_per_second\":" << Throughput(m)
      << ",\"settle_seconds\":" << m.settle_seconds << ",\"user_seconds\":" << m.user_seconds
      << ",\"system_seconds\":" << m.system_seconds << ",\"written_bytes\":" << m.written_bytes
      << ",\"p50_ns\":" << m.p50 << ",\"p99_ns\":" << m.p99 << ",\"p999_ns\":" << m.p999
      << ",\"max_ns\":" << m.max << ",\"resident_bytes\":" << m.resident_bytes
      << ",\"peak_resident_bytes\":" << m.peak_resident_bytes << "}\n"
      << std::flush;
}

}  // namespace luna::bench
