// Bounds of ranges as clients write them: "[k" with k, "(k" without, "-" before all keys, "+" after
// all; or a prefix.
// Thread rule: plain values and functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "service/command/command.h"

namespace luna::command {

struct KeyRange {
  std::string begin;
  std::string end;  // the first key not in it; empty: none
  bool empty = false;
};

// Takes "min max" or "PREFIX p" from the arguments at `next` and moves it on. False: the call has
// failed.
bool TakeRange(Call& call, size_t& next, KeyRange& range);
// The keys that start with the prefix.
KeyRange PrefixRange(std::string_view prefix);
std::optional<KeyRange> RangeBetween(std::string_view min, std::string_view max);

// Where a paged RANGE goes on, as text for the client.
struct RangeCursor {
  Timestamp timestamp = 0;  // what it reads at; 0: inside a transaction
  std::string last_key;     // that was shown

  std::string Encode() const;
  static std::optional<RangeCursor> Decode(std::string_view text);
};

}  // namespace luna::command
