#include "service/command/values.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "service/command/moments.h"

namespace luna::command {

namespace {

// False and the call failed if `status` is an error.
bool Pass(Call& call, const Status& status) {
  if (!status.ok()) {
    call.Fail(status.error());
    return false;
  }
  return true;
}

// The same with what was read.
template <typename Read>
bool Take(Call& call, Result<Read> read, Read& value) {
  if (!read.ok()) {
    call.Fail(read.error());
    return false;
  }
  value = std::move(*read);
  return true;
}

// False and the call failed if `value` is something, but no string.
template <typename Read>
bool IsString(Call& call, const Read& value) {
  if (value && value->type != 0) {
    call.Fail(kWrongType);
    return false;
  }
  return true;
}

}  // namespace

bool Load(Call& call, Collection& collection, std::string_view key, std::optional<Value>& value) {
  return Take(call, call.access.Get(collection, key), value);
}

bool Load(Call& call, std::string_view key, std::optional<Value>& value) {
  return Load(call, call.collection(), key, value);
}

bool LoadString(Call& call, std::string_view key, std::optional<Value>& value) {
  return Load(call, key, value) && IsString(call, value);
}

bool LoadString(Call& call, std::string_view key, std::optional<PinnedValue>& value) {
  return Take(call, call.access.GetPinned(call.collection(), key), value) && IsString(call, value);
}

bool Store(Call& call, std::string_view key, std::string_view bytes, uint64_t expiry_millis) {
  if (expiry_millis == 0) {
    return Pass(call, call.access.Put(call.collection(), key, bytes));
  }
  if (expiry_millis <= static_cast<uint64_t>(NowMillis(call))) {
    return Erase(call, key);
  }
  return Pass(call, call.access.Put(call.collection(), key, bytes, Expiry::At(expiry_millis)));
}

bool StoreAgain(Call& call, Collection& collection, std::string_view key, const Value& value) {
  const Expiry expiry = value.expiry_millis == 0 ? Expiry() : Expiry::At(value.expiry_millis);
  return Pass(call, call.access.Put(collection, key, value.bytes, expiry, value.type));
}

bool Erase(Call& call, std::string_view key) {
  return Pass(call, call.access.Delete(call.collection(), key));
}

bool TakeInteger(Call& call, std::string_view argument, int64_t& value) {
  if (!ParseInteger(argument, value)) {
    call.Fail(kNotInteger);
    return false;
  }
  return true;
}

int64_t NowMillis(Call& call) {
  return static_cast<int64_t>(call.host.runtime().clock().WallMillis());
}

bool TakeTime(Call& call, std::string_view argument, TimeUnit unit, bool positive,
              int64_t& at_millis) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  if (!TakeInteger(call, argument, at_millis)) {
    return false;
  }
  int64_t now = unit.absolute ? 0 : NowMillis(call);
  if (const Transaction* const transaction = call.access.transaction();
      transaction != nullptr && !unit.absolute) {
    // Expiry is judged by timestamp, and timestamps never go back: when the clock does, time begins
    // where readers are, or the key would be gone at once.
    now = std::max(now, static_cast<int64_t>(MillisOf(transaction->start_timestamp())));
  }
  bool fits = !positive || at_millis > 0;
  if (unit.seconds) {
    fits = fits && at_millis <= kMost / 1000 && at_millis >= kLeast / 1000;
    at_millis = fits ? at_millis * 1000 : 0;
  }
  if (!fits || at_millis > kMost - now) {
    // SETEX and GETEX say their own names.
    call.Fail("ERR invalid expire time in '" + std::string(call.command.name) + "' command");
    return false;
  }
  at_millis += now;
  return true;
}

std::optional<TimeUnit> TimeUnitOf(std::string_view word) {
  if (IsWord(word, "ex") || IsWord(word, "exat")) {
    return TimeUnit{.seconds = true, .absolute = word.size() == 4};
  }
  if (IsWord(word, "px") || IsWord(word, "pxat")) {
    return TimeUnit{.seconds = false, .absolute = word.size() == 4};
  }
  return std::nullopt;
}

}  // namespace luna::command
