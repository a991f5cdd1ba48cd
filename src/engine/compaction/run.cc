#include "engine/compaction/run.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/try.h"
#include "engine/compaction/survival.h"

namespace luna::compaction {
namespace {

constexpr uint64_t kEntriesBetweenQuestions = 256;  // to `stopping`

entry::RangeTombstones Union(
    const std::vector<std::shared_ptr<const entry::RangeTombstones>>& sets) {
  std::vector<entry::RangeTombstone> all;
  for (const auto& set : sets) {
    for (const auto& fragment : set->fragments()) {
      for (const Timestamp timestamp : fragment.timestamps) {
        all.push_back({fragment.range, timestamp});
      }
    }
  }
  return entry::RangeTombstones(all);
}

// Cuts what survives into tables. A table covers the keys from where the one before was cut up to
// its own cut; range tombstones are clipped to that.
class Cutter {
 public:
  Cutter(const Output& output, std::vector<entry::RangeTombstone> tombstones)
      : output_(output), tombstones_(std::move(tombstones)) {}

  Status Add(const entry::Entry& entry) {
    if (builder_ && builder_->size() >= output_.table_bytes && builder_->last_key() != entry.key) {
      TRY(Cut(entry.key));
    }
    if (!builder_) {
      TRY(Begin());
    }
    return builder_->Add(entry);
  }

  // The last table, which may be one of range tombstones only.
  Status End() {
    const bool more = std::ranges::any_of(tombstones_, [&](const entry::RangeTombstone& one) {
      return one.range.end.empty() || one.range.end > begin_;
    });
    if (!builder_ && !more) {
      return {};
    }
    if (!builder_) {
      TRY(Begin());
    }
    return Cut("");
  }

  std::vector<levels::Row> Take() { return std::move(tables_); }

 private:
  Status Begin() {
    const std::string name = output_.next_name();
    auto writer = TRY(output_.storage->Create(output_.bucket, name));
    builder_.emplace(std::move(writer), name, output_.next_salt(), output_.table);
    return {};
  }

  // Finishes the table: it covers the keys before `end`, empty = all.
  Status Cut(std::string_view end) {
    for (const entry::RangeTombstone& tombstone : tombstones_) {
      entry::RangeTombstone clipped = tombstone;
      clipped.range.begin = std::max(clipped.range.begin, begin_);
      if (!end.empty() && (clipped.range.end.empty() || clipped.range.end > end)) {
        clipped.range.end = end;
      }
      if (!clipped.range.empty()) {
        builder_->AddRangeTombstone(clipped);
      }
    }
    tables_.push_back(std::make_shared<const table::TableRow>(TRY(builder_->Finish())));
    builder_.reset();
    begin_ = end;
    return {};
  }

  const Output& output_;
  const std::vector<entry::RangeTombstone> tombstones_;
  std::optional<table::TableBuilder> builder_;
  std::string begin_;
  std::vector<levels::Row> tables_;
};

void Count(Verdict verdict, Written& written) {
  switch (verdict) {
    case Verdict::kKept:
      ++written.entries_out;
      return;
    case Verdict::kShadowed:
      ++written.dropped.shadowed;
      return;
    case Verdict::kCovered:
      ++written.dropped.covered;
      return;
    case Verdict::kDeletion:
      ++written.dropped.deletions;
      return;
    case Verdict::kExpired:
      ++written.dropped.expired;
      return;
  }
}

}  // namespace

Result<Written> Merge(MergeInput input, const Output& output) {
  const entry::RangeTombstones tombstones = Union(input.tombstones);
  Survival survival(input.retention, tombstones, input.last);
  Cutter cutter(output, KeptTombstones(tombstones, input.retention, input.last));
  Written written;
  entry::EntryIterator& entries = *input.entries;
  for (entries.SeekToFirst(); entries.Valid(); entries.Next()) {
    if (written.entries_in % kEntriesBetweenQuestions == 0 && input.stopping && input.stopping()) {
      return Error(Reason::kShutDown, "a merge was stopped: its database is closing");
    }
    const Verdict verdict = survival.Judge(entries.entry());
    ++written.entries_in;
    Count(verdict, written);
    if (verdict == Verdict::kKept) {
      TRY(cutter.Add(entries.entry()));
    }
  }
  TRY(entries.status());
  TRY(cutter.End());
  written.tables = cutter.Take();
  uint64_t entries_in_tables = 0;
  for (const levels::Row& row : written.tables) {
    written.bytes += row->size;
    entries_in_tables += row->entries;
  }
  const Dropped& dropped = written.dropped;
  LUNA_ASSERT(written.entries_in == written.entries_out + dropped.shadowed + dropped.deletions +
                                        dropped.covered + dropped.expired);
  LUNA_ASSERT(entries_in_tables == written.entries_out);
  return written;
}

}  // namespace luna::compaction
