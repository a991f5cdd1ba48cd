// stats, for people and for machines.
#include "apps/luna/statistics.h"

#include <memory>
#include <string>

#include "apps/luna/session.h"
#include "apps/luna/verbs.h"
#include "apps/output/escape.h"
#include "apps/output/json.h"
#include "apps/output/screen.h"
#include "base/text.h"
#include "base/try.h"

namespace luna::cli {
namespace {

using base::FormatBytes;
using output::Fixed;
using output::Grouped;
using output::Json;

std::string Row(const std::string& name, const std::string& value) {
  constexpr size_t kNameColumns = 24;
  const size_t spaces = name.size() < kNameColumns ? kNameColumns - name.size() : 1;
  return "  " + name + std::string(spaces, ' ') + value + "\n";
}

// Bytes written by the engine for each byte that a flush wrote: 0 before the first flush.
double WriteAmplification(const CollectionStats& stats) {
  return stats.flushed_bytes == 0
             ? 0
             : static_cast<double>(stats.flushed_bytes + stats.compacted_bytes) /
                   static_cast<double>(stats.flushed_bytes);
}

std::string Describe(const std::string& database, const CollectionStats& stats) {
  std::string text = "collection " + output::Escape(stats.name) + " of database " +
                     output::Escape(database) + "\n";
  text += Row("entries (estimate)", Grouped(stats.entries_estimate));
  text += Row("in memory", FormatBytes(stats.memtable_bytes) + ", " +
                               Grouped(stats.immutable_memtables) + " memtables wait for a flush");
  text += Row("in tables", FormatBytes(stats.stored_bytes));
  text += stats.blob_bytes > 0 ? Row("in blobs", FormatBytes(stats.blob_bytes)) : "";
  for (size_t level = 0; level < stats.levels.size(); ++level) {
    const CollectionStats::Level& at = stats.levels[level];
    if (at.tables > 0) {
      text += Row("  level " + std::to_string(level),
                  Grouped(at.tables) + " tables, " + FormatBytes(at.bytes));
    }
  }
  text += Row("space amplification", Fixed(stats.space_amplification, 2));
  text += Row("written since open", FormatBytes(stats.flushed_bytes) + " by flushes, " +
                                        FormatBytes(stats.compacted_bytes) + " by compactions");
  return text + (stats.flushed_bytes > 0
                     ? Row("write amplification", Fixed(WriteAmplification(stats), 2))
                     : "");
}

std::string Delay(const Stats& stats) {
  return stats.delay_micros == 0
             ? "none"
             : Grouped(stats.delay_micros) + " µs because of " + stats.delay_cause;
}

}  // namespace

std::string DescribeStats(const Stats& stats) {
  std::string text;
  for (const Stats::DatabaseStats& database : stats.databases) {
    for (const CollectionStats& collection : database.collections) {
      text += Describe(database.name, collection);
    }
  }
  text += "memory, " + FormatBytes(stats.memory_used) + " of " + FormatBytes(stats.memory_budget) +
          "\n";
  for (const auto& [use, bytes] : stats.memory_by_use) {
    text += bytes > 0 ? Row(use, FormatBytes(bytes)) : "";
  }
  text += "since open\n";
  text += Row("commits", Grouped(stats.commits) + " in " + Grouped(stats.commit_rounds) +
                             " rounds, " + Grouped(stats.conflicts) + " conflicts");
  text += Row("reads", Grouped(stats.reads) + ", block cache " + Grouped(stats.cache_hits) +
                           " hits, " + Grouped(stats.cache_misses) + " misses");
  text += Row("background",
              Grouped(stats.flushes) + " flushes, " + Grouped(stats.compactions) + " compactions");
  text += Row("journal", FormatBytes(stats.journal_bytes) + " retained");
  text += Row("delay of commits", Delay(stats));
  text += stats.background_error.empty() ? "" : Row("last failure", stats.background_error);
  return text;
}

}  // namespace luna::cli
