// The steps that commands on values share: reading with the checks, writing with a time of expiry,
// and the arguments that name such a time. Each fails the call itself and then returns false.
// Thread rule: plain values and functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "service/command/command.h"

namespace luna::command {

inline constexpr size_t kStringBytesMax = size_t{512} << 20;
inline constexpr std::string_view kStringTooLong =
    "ERR string exceeds maximum allowed size (proto-max-bulk-len)";

// A value of any type; nothing if the key is missing.
bool Load(Call& call, Collection& collection, std::string_view key, std::optional<Value>& value);
bool Load(Call& call, std::string_view key, std::optional<Value>& value);  // of the session's
// A string; kWrongType for anything else.
bool LoadString(Call& call, std::string_view key, std::optional<Value>& value);
bool LoadString(Call& call, std::string_view key, std::optional<PinnedValue>& value);
// Writes a string. `expiry_millis` since 1970, 0: never; a past time deletes the key.
bool Store(Call& call, std::string_view key, std::string_view bytes, uint64_t expiry_millis = 0);
// Writes a value again, of any type, to a key that may be another one.
bool StoreAgain(Call& call, Collection& collection, std::string_view key, const Value& value);
bool Erase(Call& call, std::string_view key);
// The integer in an argument; kNotInteger.
bool TakeInteger(Call& call, std::string_view argument, int64_t& value);

// How an argument names a time.
struct TimeUnit {
  bool seconds = false;   // else milliseconds
  bool absolute = false;  // since 1970; else from now

  bool operator==(const TimeUnit&) const = default;
};
// The milliseconds since 1970 that an argument names; negative ones are possible. kNotInteger, or
// "ERR invalid expire time in '...' command" when it does not fit. With `positive` also for zero
// and less.
bool TakeTime(Call& call, std::string_view argument, TimeUnit unit, bool positive,
              int64_t& at_millis);
int64_t NowMillis(Call& call);

// The option of SET and GETEX that names a time.
struct TimeOption {
  std::string_view argument;
  TimeUnit unit;
};
// EX, PX, EXAT, PXAT.
std::optional<TimeUnit> TimeUnitOf(std::string_view word);

}  // namespace luna::command
