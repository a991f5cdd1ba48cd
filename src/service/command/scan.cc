// SCAN, KEYS, DBSIZE, RANDOMKEY: the keys of a collection without an order that clients may count
// on.
#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "base/try.h"
#include "service/command/command_table.h"
#include "service/command/glob.h"
#include "service/command/holdings.h"
#include "service/command/place.h"

namespace luna::command {
namespace {

struct ScanRequest {
  std::string begin;  // the key to go on at
  std::string_view pattern = "*";
  uint64_t count = 10;
  enum class Type : uint8_t { kAny, kString, kOther } type = Type::kAny;
};

bool TakeCursor(Call& call, std::string& begin) {
  const std::string_view text = call.arguments[1];
  uint64_t cursor = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), cursor);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    call.Fail("ERR invalid cursor");
    return false;
  }
  if (cursor == 0) {
    return true;
  }
  auto key = call.host.holdings().cursors().Find(cursor, PlaceName(call.session));
  if (!key) {
    call.Fail("ERR invalid cursor: it is too old or of another collection; begin again with 0");
    return false;
  }
  begin = std::move(*key);
  return true;
}

bool TakeScanRequest(Call& call, ScanRequest& request) {
  if (!TakeCursor(call, request.begin)) {
    return false;
  }
  for (size_t i = 2; i < call.arguments.size(); i += 2) {
    if (i + 1 >= call.arguments.size()) {
      call.Fail(kSyntaxError);
      return false;
    }
    const std::string_view value = call.arguments[i + 1];
    if (IsWord(call.arguments[i], "count")) {
      int64_t count = 0;
      if (!ParseInteger(value, count)) {
        call.Fail(kNotInteger);
        return false;
      }
      if (count < 1) {
        call.Fail(kSyntaxError);
        return false;
      }
      request.count = static_cast<uint64_t>(count);
    } else if (IsWord(call.arguments[i], "match")) {
      request.pattern = value;
    } else if (IsWord(call.arguments[i], "type")) {
      request.type =
          IsWord(value, "string") ? ScanRequest::Type::kString : ScanRequest::Type::kOther;
    } else {
      call.Fail(kSyntaxError);
      return false;
    }
  }
  return true;
}

// Redis' other types have no values here.
bool HasType(const Iterator& iterator, ScanRequest::Type type) {
  return type == ScanRequest::Type::kAny ||
         (type == ScanRequest::Type::kString && iterator.type() == 0);
}

// Looks at up to `count` keys, and finds no more than a reply may have; `next` is the key to go on
// at, if there are more.
Status ScanPage(Call& call, const ScanRequest& request, std::vector<std::string>& keys,
                std::optional<std::string>& next) {
  ScanOptions options{.begin = request.begin, .prefix = GlobPrefix(request.pattern)};
  if (request.count < UINT32_MAX) {
    options.limit = request.count + 1;
  }
  const auto iterator = TRY(call.access.Scan(call.collection(), options));
  uint64_t held = 0;
  for (uint64_t seen = 0; iterator->Valid(); iterator->Next(), ++seen) {
    if (seen == request.count || held >= call.session.reply_bytes_max / 2) {
      next = std::string(iterator->key());
      break;
    }
    if (HasType(*iterator, request.type) && GlobMatches(request.pattern, iterator->key())) {
      held += sizeof(std::string) + keys.emplace_back(iterator->key()).size();
    }
  }
  return iterator->status();
}

void WriteKeys(Call& call, const std::vector<std::string>& keys) {
  call.reply.Array(keys.size());
  for (const std::string& key : keys) {
    call.reply.Bulk(key);
  }
}

void RunScan(Call& call) {
  ScanRequest request;
  if (!TakeScanRequest(call, request)) {
    return;
  }
  std::vector<std::string> keys;
  std::optional<std::string> next;
  if (const Status scanned = ScanPage(call, request, keys, next); !scanned.ok()) {
    return call.Fail(scanned.error());
  }
  const uint64_t cursor =
      next ? call.host.holdings().cursors().Add(PlaceName(call.session), *next) : 0;
  call.reply.Array(2);
  call.reply.Bulk(std::to_string(cursor));
  WriteKeys(call, keys);
}

void RunKeys(Call& call) {
  std::vector<std::string> keys;
  std::optional<std::string> next;
  const ScanRequest request{.begin = {}, .pattern = call.arguments[1], .count = UINT64_MAX};
  if (const Status scanned = ScanPage(call, request, keys, next); !scanned.ok()) {
    return call.Fail(scanned.error());
  }
  if (next) {
    return call.Fail("TOOLARGE there are more keys than one reply may have; use SCAN");
  }
  WriteKeys(call, keys);
}

Result<KeyCounts::Count> CountKeys(Call& call) {
  KeyCounts::Count count;
  const Stats stats = TRY(call.host.universe().GetStats());
  count.mark = {.commits = stats.commits, .journal_bytes = stats.journal_bytes};
  // What a follower applied is not told by these counters.
  const bool straight = call.access.transaction() == nullptr && call.access.snapshot() == nullptr &&
                        !call.host.follows();
  KeyCounts& counts = call.host.holdings().key_counts();
  const std::string place = PlaceName(call.session);
  if (straight) {
    const uint64_t now = call.host.runtime().clock().WallMillis();
    if (const auto known = counts.Find(place, count.mark, now)) {
      count.keys = *known;
      return count;
    }
  }
  const auto iterator = TRY(call.access.Scan(call.collection(), {}));
  for (; iterator->Valid(); iterator->Next()) {
    ++count.keys;
    const uint64_t expiry = iterator->expiry_millis();
    if (expiry != 0 && (count.next_expiry_millis == 0 || expiry < count.next_expiry_millis)) {
      count.next_expiry_millis = expiry;
    }
  }
  TRY(iterator->status());
  if (straight) {
    counts.Keep(place, count);
  }
  return count;
}

void RunDbsize(Call& call) {
  const auto count = CountKeys(call);
  count.ok() ? call.reply.Integer(static_cast<int64_t>(count->keys)) : call.Fail(count.error());
}

// The key at one end of the collection; nothing if it is empty.
Result<std::optional<std::string>> EndKey(Call& call, bool last) {
  const auto iterator = TRY(call.access.Scan(call.collection(), {.reverse = last, .limit = 1}));
  std::optional<std::string> key;
  if (iterator->Valid()) {
    key = std::string(iterator->key());
  }
  TRY(iterator->status());
  return key;
}

// Random bytes between two keys: what they share, then eight bytes drawn between theirs.
std::string Between(const std::string& first, const std::string& last, uint64_t random) {
  const auto differ = std::ranges::mismatch(first, last);
  const size_t shared = static_cast<size_t>(differ.in1 - first.begin());
  const auto number = [&](const std::string& key) {
    uint64_t value = 0;
    for (size_t i = shared; i < shared + 8; ++i) {
      value = value << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0);
    }
    return value;
  };
  const uint64_t low = number(first);
  const uint64_t span = number(last) - low;
  const uint64_t drawn = low + (span == UINT64_MAX ? random : random % (span + 1));
  std::string key = first.substr(0, shared);
  for (int shift = 56; shift >= 0; shift -= 8) {
    key += static_cast<char>(drawn >> shift & 0xff);
  }
  return key;
}

// From random bytes between the first and the last key some random steps on, round the end: about
// uniform in small collections; in large ones keys in sparse regions come more often. Without
// reading the whole collection.
Result<std::optional<std::string>> RandomKey(Call& call) {
  constexpr uint64_t kStepsMax = 128;
  const auto first = TRY(EndKey(call, false));
  const auto last = TRY(EndKey(call, true));
  if (!first || !last) {
    return std::optional<std::string>();
  }
  runtime::Random& random = call.host.runtime().random();
  const auto iterator = TRY(call.access.Scan(call.collection(), {}));
  iterator->Seek(Between(*first, *last, random.Next()));
  std::optional<std::string> key = first;
  for (uint64_t steps = random.Next() % kStepsMax;; --steps) {
    if (!iterator->Valid()) {
      TRY(iterator->status());
      iterator->Seek(*first);
    }
    if (steps == 0 || !iterator->Valid()) {
      break;
    }
    iterator->Next();
  }
  if (iterator->Valid()) {
    key = std::string(iterator->key());
  }
  TRY(iterator->status());
  return key;
}

void RunRandomkey(Call& call) {
  const auto key = RandomKey(call);
  if (!key.ok()) {
    return call.Fail(key.error());
  }
  *key ? call.reply.Bulk(**key) : call.reply.Null();
}

constexpr Command kRows[] = {
    {.name = "dbsize",
     .arity = 1,
     .place = Place::kSlow,
     .flags = kFlagReadOnly | kFlagFast,
     .group = "server",
     .since = "1.0.0",
     .summary = "Returns how many keys the collection has; counted exactly, kept until it changes.",
     .syntax = "",
     .run = RunDbsize},
    {.name = "keys",
     .arity = 2,
     .place = Place::kSlow,
     .flags = kFlagReadOnly,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Returns all keys that match a pattern.",
     .syntax = "pattern",
     .run = RunKeys},
    {.name = "randomkey",
     .arity = 1,
     .place = Place::kRead,
     .flags = kFlagReadOnly,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Returns some key of the collection.",
     .syntax = "",
     .run = RunRandomkey},
    {.name = "scan",
     .arity = -2,
     .place = Place::kRead,
     .flags = kFlagReadOnly,
     .group = "generic",
     .since = "2.8.0",
     .summary = "Goes through the keys of the collection page by page.",
     .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     .run = RunScan},
};

}  // namespace

std::span<const Command> ScanCommands() {
  return kRows;
}

}  // namespace luna::command
