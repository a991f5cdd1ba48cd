// RANGE, DELRANGE, SIZE: keys in order, between bounds.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "service/command/bounds.h"
#include "service/command/command_table.h"
#include "service/command/help.h"
#include "service/command/holdings.h"

namespace luna::command {
namespace {

struct RangeRequest {
  KeyRange range;
  bool reverse = false;
  bool keys_only = false;
  bool count_only = false;
  uint64_t limit = 0;                  // entries a page; 0: not given
  uint64_t bytes = uint64_t{1} << 20;  // of keys and values a page, about
  std::optional<RangeCursor> cursor;
};

bool TakePositive(Call& call, std::string_view text, uint64_t& value) {
  int64_t number = 0;
  if (!ParseInteger(text, number) || number < 1) {
    call.Fail("ERR LIMIT and BYTES are positive integers");
    return false;
  }
  value = static_cast<uint64_t>(number);
  return true;
}

bool TakeCursor(Call& call, std::string_view text, RangeRequest& request) {
  if (text.empty()) {
    return true;  // the end of the last scan, or none yet: from the beginning
  }
  request.cursor = RangeCursor::Decode(text);
  if (!request.cursor) {
    call.Fail("ERR invalid cursor: give the one that RANGE returned, or none to begin again");
    return false;
  }
  return true;
}

bool TakeRangeRequest(Call& call, RangeRequest& request) {
  size_t next = 1;
  if (!TakeRange(call, next, request.range)) {
    return false;
  }
  while (next < call.arguments.size()) {
    const std::string_view option = call.arguments[next++];
    const bool more = next < call.arguments.size();
    bool taken = true;
    if (IsWord(option, "rev")) {
      request.reverse = true;
    } else if (IsWord(option, "keys")) {
      request.keys_only = true;
    } else if (IsWord(option, "count")) {
      request.count_only = true;
    } else if (IsWord(option, "limit") && more) {
      taken = TakePositive(call, call.arguments[next++], request.limit);
    } else if (IsWord(option, "bytes") && more) {
      taken = TakePositive(call, call.arguments[next++], request.bytes);
    } else if (IsWord(option, "cursor") && more) {
      taken = TakeCursor(call, call.arguments[next++], request);
    } else {
      call.Fail(kSyntaxError);
      return false;
    }
    if (!taken) {
      return false;
    }
  }
  return true;
}

// Whose data a page shows: the transaction's, or one snapshot for all pages.
struct Reading {
  Access access;
  std::shared_ptr<Snapshot> snapshot;  // null: inside a transaction
};

Result<Reading> OpenReading(Call& call, const RangeRequest& request) {
  if (call.access.transaction() != nullptr || call.access.snapshot() != nullptr) {
    return Reading{call.access, nullptr};
  }
  Database& database = *call.session.database;
  std::shared_ptr<Snapshot> snapshot = request.cursor
                                           ? TRY(database.GetSnapshotAt(request.cursor->timestamp))
                                           : TRY(database.GetSnapshot());
  Access access = call.access.At(*snapshot);
  return Reading{std::move(access), std::move(snapshot)};
}

struct Page {
  std::vector<std::pair<std::string, std::string>> entries;  // values only where they are shown
  uint64_t count = 0;
  std::optional<std::string> last_key;  // of the page, when there are more
};

Result<Page> ReadPage(Call& call, Access& access, const RangeRequest& request) {
  constexpr uint64_t kDefaultLimit = 1000;
  ScanOptions options{.begin = request.range.begin, .end = request.range.end};
  options.reverse = request.reverse;
  if (request.cursor) {
    (request.reverse ? options.end : options.begin) =
        request.reverse ? request.cursor->last_key : request.cursor->last_key + '\0';
  }
  Page page;
  if (request.range.empty || (!options.end.empty() && options.begin >= options.end)) {
    return page;
  }
  const uint64_t limit = request.limit != 0   ? request.limit
                         : request.count_only ? UINT64_MAX
                                              : kDefaultLimit;
  const auto iterator = TRY(access.Scan(call.collection(), options));
  std::string last_key;
  uint64_t held = 0;  // whatever the client asks for, a page ends where a reply must
  for (uint64_t bytes = 0; iterator->Valid(); iterator->Next()) {
    const bool full = bytes >= request.bytes || held >= call.session.reply_bytes_max / 2;
    if (page.count == limit || (page.count > 0 && full && !request.count_only)) {
      page.last_key = std::move(last_key);
      break;
    }
    ++page.count;
    last_key = iterator->key();
    if (!request.count_only) {
      auto& entry = page.entries.emplace_back(iterator->key(), std::string());
      if (!request.keys_only) {
        entry.second = iterator->value();
      }
      bytes += entry.first.size() + entry.second.size();
      held += sizeof(entry) + entry.first.size() + entry.second.size();
    }
  }
  TRY(iterator->status());
  return page;
}

void WritePage(Call& call, const RangeRequest& request, const Page& page,
               const std::string& cursor) {
  call.reply.Array(2);
  call.reply.Bulk(cursor);
  if (request.count_only) {
    return call.reply.Integer(static_cast<int64_t>(page.count));
  }
  call.reply.Array(page.entries.size() * (request.keys_only ? 1 : 2));
  for (const auto& [key, value] : page.entries) {
    call.reply.Bulk(key);
    if (!request.keys_only) {
      call.reply.Bulk(value);
    }
  }
}

void RunRange(Call& call) {
  constexpr uint64_t kHeldNanos = 60'000'000'000;  // between two pages
  RangeRequest request;
  if (!TakeRangeRequest(call, request)) {
    return;
  }
  const bool straight = call.access.transaction() == nullptr && call.access.snapshot() == nullptr;
  if (request.cursor && straight != (request.cursor->timestamp != 0)) {
    return call.Fail(
        "ERR invalid cursor: a scan goes on inside the transaction it began in, or outside of all");
  }
  auto reading = OpenReading(call, request);
  if (!reading.ok()) {
    return call.Fail(reading.error());
  }
  const auto page = ReadPage(call, reading->access, request);
  if (!page.ok()) {
    return call.Fail(page.error());
  }
  std::string cursor;
  if (page->last_key) {
    const Timestamp timestamp = reading->snapshot ? reading->snapshot->timestamp() : 0;
    cursor = RangeCursor{timestamp, *page->last_key}.Encode();
    if (reading->snapshot) {
      call.host.holdings().snapshots().Hold(
          *call.session.database, reading->snapshot,
          call.host.runtime().clock().MonotonicNanos() + kHeldNanos);
    }
  }
  WritePage(call, request, *page, cursor);
}

void RunDelrange(Call& call) {
  KeyRange range;
  size_t next = 1;
  if (!TakeRange(call, next, range)) {
    return;
  }
  if (next != call.arguments.size()) {
    return call.Fail(kSyntaxError);
  }
  if (range.empty) {
    return call.reply.Integer(0);
  }
  const Status deleted = call.access.DeleteRange(call.collection(), range.begin, range.end);
  deleted.ok() ? call.reply.Integer(1) : call.Fail(deleted.error());
}

struct Size {
  double keys = 0;
  double bytes = 0;
};

// Where a key lies between two others, as a fraction: by the eight bytes after what those share.
double Position(const std::string& key, const std::string& first, const std::string& last) {
  const auto differ = std::ranges::mismatch(first, last);
  const size_t shared = static_cast<size_t>(differ.in1 - first.begin());
  const auto number = [&](const std::string& text) {
    double value = 0;
    for (size_t i = shared; i < shared + 8; ++i) {
      value = value * 256 + (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
    }
    return value;
  };
  if (key <= first) {
    return 0;
  }
  if (key >= last) {
    return 1;
  }
  const double low = number(first);
  const double high = number(last);
  return high <= low ? 0.5 : std::clamp((number(key) - low) / (high - low), 0.0, 1.0);
}

Result<std::string> EndKey(Call& call, bool last) {
  const auto iterator = TRY(call.access.Scan(call.collection(), {.reverse = last, .limit = 1}));
  const std::string key(iterator->Valid() ? iterator->key() : std::string_view());
  TRY(iterator->status());
  return key;
}

// Small ranges are counted. Of larger ones the part of the collection's statistics that the bounds
// span, as if keys lay evenly between the first and the last one.
Result<Size> SizeOf(Call& call, const KeyRange& range) {
  constexpr uint64_t kCounted = 1000;
  Size size;
  if (range.empty) {
    return size;
  }
  const ScanOptions options{.begin = range.begin, .end = range.end, .limit = kCounted + 1};
  const auto iterator = TRY(call.access.Scan(call.collection(), options));
  for (; iterator->Valid(); iterator->Next()) {
    size.keys += 1;
    size.bytes += static_cast<double>(iterator->key().size() + iterator->value().size());
  }
  TRY(iterator->status());
  if (size.keys <= static_cast<double>(kCounted)) {
    return size;
  }
  const CollectionStats stats = TRY(call.collection().Stats());
  const std::string first = TRY(EndKey(call, false));
  const std::string last = TRY(EndKey(call, true));
  const double end = range.end.empty() ? 1 : Position(range.end, first, last);
  const double part = std::max(0.0, end - Position(range.begin, first, last));
  size.keys = std::max(size.keys, part * static_cast<double>(stats.entries_estimate));
  const uint64_t stored = stats.stored_bytes + stats.blob_bytes + stats.memtable_bytes;
  size.bytes = part * static_cast<double>(stored);
  return size;
}

void RunSizeRange(Call& call) {
  KeyRange range;
  size_t next = 2;
  if (!TakeRange(call, next, range)) {
    return;
  }
  if (next != call.arguments.size()) {
    return call.Fail(kSyntaxError);
  }
  const auto size = SizeOf(call, range);
  if (!size.ok()) {
    return call.Fail(size.error());
  }
  call.reply.Map(2);
  call.reply.Bulk("bytes");
  call.reply.Integer(static_cast<int64_t>(size->bytes));
  call.reply.Bulk("keys");
  call.reply.Integer(static_cast<int64_t>(size->keys));
}

constexpr Command kSizeRows[] = {
    HelpRow("size|help", "luna", "luna 0.2.0"),
    {.name = "size|range",
     .arity = 4,
     .place = Place::kRead,
     .flags = kFlagReadOnly,
     .group = "luna",
     .since = "luna 0.2.0",
     .summary = "Tells about how many keys and bytes a range has: up to 1000 keys are counted "
                "exactly, beyond that it is estimated from statistics.",
     .syntax = "<min max | PREFIX prefix>",
     .run = RunSizeRange},
};

constexpr Command kRows[] = {
    {.name = "delrange",
     .arity = 3,
     .place = Place::kWrite,
     .flags = kFlagWrite,
     .group = "luna",
     .since = "luna 0.2.0",
     .summary = "Deletes a range of keys in one step, however many they are.",
     .syntax = "<min max | PREFIX prefix>",
     .run = RunDelrange},
    {.name = "range",
     .arity = -3,
     .place = Place::kRead,
     .flags = kFlagReadOnly,
     .group = "luna",
     .since = "luna 0.2.0",
     .summary = "Returns keys and values in order: a cursor, empty at the end, and a page.",
     .syntax = "<min max | PREFIX prefix> [REV] [LIMIT n] [BYTES n] [KEYS | COUNT] [CURSOR cursor]",
     .run = RunRange},
    {.name = "size",
     .arity = -2,
     .place = Place::kRead,
     .flags = 0,
     .group = "luna",
     .since = "luna 0.2.0",
     .summary = "Tells how large a part of the collection is.",
     .syntax = "",
     .run = nullptr,
     .subcommands = kSizeRows},
};

}  // namespace

std::span<const Command> RangeCommands() {
  return kRows;
}

}  // namespace luna::command
