// How BEGIN and TXN BEGIN describe a transaction, and opening one.
// Thread rule: plain values and functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "service/command/command.h"

namespace luna::command {

struct BeginOptions {
  Isolation isolation = Isolation::kSerializable;
  bool read_only = false;
  std::optional<Timestamp> at;  // read at this time
  uint64_t timeout_millis = 0;  // 0: ends after a minute without a command
};

// [SERIALIZABLE | SNAPSHOT] [READONLY] [AT moment | snapshot] [TIMEOUT ms]. False: the call failed.
bool TakeBeginOptions(Call& call, std::span<const std::string_view> arguments,
                      BeginOptions& options);
// The moment that a client wrote, or the time of the snapshot it named. False: the call failed.
bool TakeMoment(Call& call, std::string_view text, Timestamp& timestamp);
// A transaction of the session's database. kSnapshotTooOld.
Result<Interactive> OpenInteractive(Call& call, const BeginOptions& options);

}  // namespace luna::command
