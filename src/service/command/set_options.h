// SetOptions: what follows the value of SET, the key of GETEX and DELEX: conditions, a time of
// expiry, GET.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "luna/luna.h"
#include "service/command/values.h"

namespace luna::command {

struct SetOptions {
  // What must hold of the key for the write to happen.
  enum class Condition : uint8_t { kNone, kMissing, kExists, kEquals, kVersion };
  Condition condition = Condition::kNone;
  std::string_view expected;  // kEquals
  int64_t version = 0;        // kVersion; 0: the key must be missing
  bool get = false;
  bool keep_expiry = false;
  bool persist = false;
  std::optional<TimeOption> time;

  bool Holds(const std::optional<Value>& current) const;
  // Nothing to know of the key before the write.
  bool blind() const { return condition == Condition::kNone && !get && !keep_expiry; }
};

// Which options a command takes.
enum class OptionsOf : uint8_t { kSet, kGetex, kDelex };
// False: kSyntaxError or kNotInteger was answered.
bool TakeOptions(Call& call, std::span<const std::string_view> words, OptionsOf which,
                 SetOptions& options);

}  // namespace luna::command
