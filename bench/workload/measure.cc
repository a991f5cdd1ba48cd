#include "workload/measure.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "workload/failure.h"

namespace luna::bench {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

rusage Usage() {
  rusage usage{};
  Check(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage failed");
  return usage;
}

double WrittenBytes() {
  std::ifstream io("/proc/self/io");
  std::string name;
  double bytes = 0;
  while (io >> name >> bytes) {
    if (name == "write_bytes:") {
      return bytes;
    }
  }
  Die("/proc/self/io has no write_bytes");
}

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  Check(static_cast<bool>(statm >> pages >> resident), "/proc/self/statm cannot be read");
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Does a thread other than this one run, wait for a core or for the disk? On a busy machine a
// background thread may have work and get no CPU for a while.
bool OthersRunnable() {
  const std::string self = std::to_string(gettid());
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream stat(task.path() / "stat");
    std::string line;
    if (task.path().filename() == self || !std::getline(stat, line)) {
      continue;  // a thread may have ended meanwhile
    }
    const size_t name_end = line.rfind(')');
    if (name_end != std::string::npos && name_end + 2 < line.size() &&
        (line[name_end + 2] == 'R' || line[name_end + 2] == 'D')) {
      return true;
    }
  }
  return false;
}

}  // namespace

uint64_t Now() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

void Histogram::Add(uint64_t nanos) {
  const auto doubling = static_cast<size_t>(std::bit_width(nanos | 31) - 5);
  const size_t bucket = doubling == 0 ? nanos : doubling * 32 + ((nanos >> (doubling - 1)) & 31);
  ++counts_[std::min(bucket, kBuckets - 1)];
  ++count_;
  max_ = std::max(max_, nanos);
}

void Histogram::Add(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) {
    counts_[i] += other.counts_[i];
  }
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

double Histogram::Quantile(double share) const {
  const auto wanted = static_cast<uint64_t>(share * static_cast<double>(count_));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen > wanted) {
      const size_t doubling = i / 32;
      const uint64_t floor = doubling == 0 ? i : (32 + i % 32) << (doubling - 1);
      return static_cast<double>(std::min(floor, max_));
    }
  }
  return static_cast<double>(max_);
}

Meter::Meter() {
  const rusage usage = Usage();
  user_ = Seconds(usage.ru_utime);
  system_ = Seconds(usage.ru_stime);
  written_ = WrittenBytes();
  begin_ = Now();
}

Measure Meter::Stop(std::string_view workload, uint64_t operations, const Histogram& latencies) {
  const uint64_t end = Now();
  Settle();
  Measure measure;
  std::copy_n(workload.begin(), std::min(workload.size(), measure.workload.size() - 1),
              measure.workload.begin());
  measure.operations = static_cast<double>(operations);
  measure.seconds = static_cast<double>(end - begin_) * 1e-9;
  measure.settle_seconds = static_cast<double>(Now() - end) * 1e-9;
  const rusage usage = Usage();
  measure.user_seconds = Seconds(usage.ru_utime) - user_;
  measure.system_seconds = Seconds(usage.ru_stime) - system_;
  measure.written_bytes = WrittenBytes() - written_;
  measure.p50 = latencies.Quantile(0.5);
  measure.p99 = latencies.Quantile(0.99);
  measure.p999 = latencies.Quantile(0.999);
  measure.max = static_cast<double>(latencies.max());
  measure.resident_bytes = ResidentBytes();
  measure.peak_resident_bytes = static_cast<double>(usage.ru_maxrss) * 1024;
  return measure;
}

void Settle() {
  constexpr auto kWindow = std::chrono::milliseconds(15);
  constexpr double kBusySeconds = 0.001;
  constexpr int kQuietWindows = 3;
  constexpr int kMaxWindows = 4000;
  int quiet = 0;
  for (int i = 0; i < kMaxWindows && quiet < kQuietWindows; ++i) {
    const rusage before = Usage();
    std::this_thread::sleep_for(kWindow);
    const rusage after = Usage();
    const double used = Seconds(after.ru_utime) + Seconds(after.ru_stime) -
                        Seconds(before.ru_utime) - Seconds(before.ru_stime);
    quiet = used < kBusySeconds && !OthersRunnable() ? quiet + 1 : 0;
  }
  Check(quiet == kQuietWindows, "the engine's background did not come to rest within a minute");
}

}  // namespace luna::bench
