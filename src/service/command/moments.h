// Moments as clients write them: a timestamp of Luna, RFC 3339, or a time ago ("-10m").
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "luna/options.h"

namespace luna::command {

// 46 bits of milliseconds, 18 bits of counter.
inline constexpr int kTimestampCounterBits = 18;
inline uint64_t MillisOf(Timestamp timestamp) {
  return timestamp >> kTimestampCounterBits;
}
inline Timestamp TimestampOf(uint64_t millis) {
  return millis << kTimestampCounterBits;
}

// "442381631488000000", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.5+02:00", "-90s" (ms, s, m, h,
// d). Nothing: the text is none of these.
std::optional<Timestamp> ParseMoment(std::string_view text, uint64_t now_millis);
// "2026-03-01T12:00:00.500Z".
std::string FormatMoment(Timestamp timestamp);

}  // namespace luna::command
