#include "service/command/set_options.h"

namespace luna::command {

namespace {

// One option; how many words it took, 0: it does not belong here.
size_t TakeOption(std::span<const std::string_view> words, OptionsOf which, SetOptions& options) {
  using Condition = SetOptions::Condition;
  const std::string_view word = words[0];
  const bool timed = options.time || options.keep_expiry || options.persist;
  const bool followed = words.size() > 1;
  if (which != OptionsOf::kDelex && followed) {
    const auto unit = TimeUnitOf(word);
    // The same one twice: the last counts, as in Redis.
    if (unit && (!timed || (options.time && options.time->unit == *unit))) {
      options.time = TimeOption{words[1], *unit};
      return 2;
    }
  }
  if (which == OptionsOf::kGetex) {
    options.persist = !timed && IsWord(word, "persist");
    return options.persist ? 1 : 0;
  }
  if (options.condition == Condition::kNone && followed) {
    options.condition = IsWord(word, "ifeq")    ? Condition::kEquals
                        : IsWord(word, "ifver") ? Condition::kVersion
                                                : Condition::kNone;
    if (options.condition != Condition::kNone) {
      options.expected = words[1];
      return 2;
    }
  }
  if (which == OptionsOf::kDelex) {
    return 0;
  }
  if (IsWord(word, "nx") || IsWord(word, "xx")) {
    const auto wanted = IsWord(word, "nx") ? Condition::kMissing : Condition::kExists;
    const bool first = options.condition == Condition::kNone || options.condition == wanted;
    options.condition = wanted;
    return first ? 1 : 0;
  }
  if (IsWord(word, "get")) {
    options.get = true;
    return 1;
  }
  if (IsWord(word, "keepttl") && !options.time) {
    options.keep_expiry = true;
    return 1;
  }
  return 0;
}

}  // namespace

bool SetOptions::Holds(const std::optional<Value>& current) const {
  switch (condition) {
    case Condition::kNone:
      return true;
    case Condition::kMissing:
      return !current;
    case Condition::kExists:
      return current.has_value();
    case Condition::kEquals:
      return current && current->bytes == expected;
    case Condition::kVersion:
      break;
  }
  // What this transaction wrote itself has no version yet, so it fulfils none.
  return version == 0 ? !current : current && current->timestamp == static_cast<Timestamp>(version);
}

bool TakeOptions(Call& call, std::span<const std::string_view> words, OptionsOf which,
                 SetOptions& options) {
  while (!words.empty()) {
    const size_t taken = TakeOption(words, which, options);
    if (taken == 0) {
      call.Fail(kSyntaxError);
      return false;
    }
    words = words.subspan(taken);
  }
  return options.condition != SetOptions::Condition::kVersion ||
         TakeInteger(call, options.expected, options.version);
}

}  // namespace luna::command
