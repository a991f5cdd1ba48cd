// Sample: what a server says of itself at one moment: the fields of INFO, STATS, the slow commands.
// Fields that a server does not know are simply absent.
// Thread rule: plain values, pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "service/resp/reply_parser.h"

namespace luna::top {

using Fields = std::map<std::string, std::string, std::less<>>;

struct SlowCommand {
  int64_t id = 0;
  int64_t unix_seconds = 0;
  int64_t micros = 0;
  std::string words;  // the command as it was given, cut
};

struct Sample {
  uint64_t nanos = 0;  // of a monotonic clock
  Fields info;
  Fields stats;
  std::vector<SlowCommand> slow;  // the newest first

  // Of INFO, else of STATS; nothing if absent or no number.
  std::optional<double> Number(std::string_view name) const;
  std::string Text(std::string_view name) const;  // "" if absent
};

// The lines "name:value" of INFO's answer.
Fields ParseInfo(std::string_view text);
// "calls=12,usec=34" as fields.
Fields ParsePairs(std::string_view text);
// A map of names and values, also as RESP2's array.
Fields ParseStats(const resp::Reply& reply);
std::vector<SlowCommand> ParseSlow(const resp::Reply& reply);

// Which commands write and which read, from the answer to COMMAND; in lower case.
struct Kinds {
  std::set<std::string, std::less<>> reads;
  std::set<std::string, std::less<>> writes;
};
Kinds ParseKinds(const resp::Reply& reply);

}  // namespace luna::top
