#include "base/log.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace luna::base {

namespace {

constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warning", "error"};

bool IsPlain(char c) {
  return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

void AppendValue(std::string& line, std::string_view value) {
  if (!value.empty() && std::ranges::all_of(value, IsPlain)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c >= ' ' && c < 0x7f) {
      line += c;
    } else {
      line += "\\x" + Hex(std::string_view(&c, 1));
    }
  }
  line += '"';
}

}  // namespace

std::string_view NameOf(LogLevel level) {
  return kNames[static_cast<size_t>(level)];
}

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) {
    return std::nullopt;
  }
  return static_cast<LogLevel>(found - kNames.begin());
}

std::string LogText(std::string_view event, std::span<const LogField> fields) {
  std::string line(event);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    AppendValue(line, field.value);
  }
  return line;
}

void Log::Write(LogLevel level, std::string_view event, Fields fields) const {
  if (Wants(level)) {
    sink_->Write(level, LogText(event, std::span(fields.begin(), fields.size())));
  }
}

std::optional<uint64_t> LogThrottle::Admit(uint64_t now_nanos) {
  const uint64_t second = now_nanos / 1'000'000'000 + 1;
  if (second_.exchange(second) != second) {
    told_ = 0;
  }
  if (told_.fetch_add(1) >= kEventsPerSecond) {
    silent_.fetch_add(1);
    return std::nullopt;
  }
  return silent_.exchange(0);
}

}  // namespace luna::base
