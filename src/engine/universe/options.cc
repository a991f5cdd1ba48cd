#include "luna/options.h"

#include <string>

#include "base/text.h"
#include "base/try.h"

namespace luna {

namespace {

Status Bad(const std::string& field, const std::string& value, const std::string& range) {
  return Error(Reason::kBadOption, field + " is " + value + "; it must be " + range);
}

Status CheckBytes(const std::string& field, uint64_t value, uint64_t least, uint64_t most) {
  if (value < least || value > most) {
    return Bad(field, base::FormatBytes(value),
               base::FormatBytes(least) + " to " + base::FormatBytes(most));
  }
  return {};
}

Status CheckNumber(const std::string& field, int64_t value, int64_t least, int64_t most,
                   const char* unit) {
  if (value < least || value > most) {
    return Bad(field, std::to_string(value) + unit,
               std::to_string(least) + unit + " to " + std::to_string(most) + unit);
  }
  return {};
}

constexpr uint64_t kKiB = uint64_t{1} << 10;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr int64_t kWeekSeconds = 7 * 24 * 3600;
constexpr int64_t kCenturyMillis = int64_t{100} * 365 * 24 * 3600 * 1000;

}  // namespace

Status Options::Validate() const {
  if (location.empty()) {
    return Bad("location", "empty", "a directory, file:PATH, memory: or rados:POOL");
  }
  TRY(CheckBytes("memory_budget_bytes", memory_budget_bytes, 64 * kMiB, uint64_t{1} << 50));
  if (!(space_amp_target >= 1.1 && space_amp_target <= 3.0)) {
    return Bad("space_amp_target", std::to_string(space_amp_target), "1.1 to 3");
  }
  TRY(CheckNumber("relaxed_interval", relaxed_interval.count(), 1, 10'000, " ms"));
  TRY(CheckNumber("history_retention", history_retention.count(), 0, kCenturyMillis, " ms"));
  TRY(CheckNumber("compaction_interval", compaction_interval.count(), 1, kWeekSeconds, " s"));
  if (memtable_bytes != 0) {
    TRY(CheckBytes("memtable_bytes", memtable_bytes, 64 * kKiB, kGiB));
    if (memtable_bytes > memory_budget_bytes / 10 * 3) {
      return Bad("memtable_bytes", base::FormatBytes(memtable_bytes),
                 "at most three tenths of memory_budget_bytes");
    }
  }
  if (table_bytes != 0) {
    TRY(CheckBytes("table_bytes", table_bytes, 64 * kKiB, kGiB));
  }
  TRY(CheckBytes("block_bytes", block_bytes, kKiB, 64 * kKiB));
  TRY(CheckNumber("filter_bits_per_key", filter_bits_per_key, 0, 20, ""));
  return CheckNumber("compaction_threads", compaction_threads, 1, 16, "");
}

}  // namespace luna
