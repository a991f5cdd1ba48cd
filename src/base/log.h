// Log: what a running program tells its operator, an event a line, with named values. This is the
// front only: who writes lines, where and from which level on, is a LogSink's business. A Log
// without a sink is silent; the engine never has one.
//
//   log.Warning("protocol-error", {{"peer", peer}, {"error", message}});
//
// Thread rule: safe, if the sink is; the sink outlives every Log of it.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace luna::base {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning", "error".
std::string_view NameOf(LogLevel level);
std::optional<LogLevel> ParseLogLevel(std::string_view name);

// A named value of an event. Names are constants of the code; values may be anything.
struct LogField {
  LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
  LogField(std::string_view field, const char* text) : name(field), value(text) {}
  LogField(std::string_view field, std::integral auto number)
      : name(field), value(std::to_string(number)) {}

  std::string_view name;
  std::string value;
};

// "event name=value name=\"value with blanks\"": bytes that are no printable ASCII are escaped, so
// that nothing a client sends can forge a line.
std::string LogText(std::string_view event, std::span<const LogField> fields);

class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual bool Wants(LogLevel level) const = 0;
  // One line. Never fails: a line that cannot be written is lost, and counted by the sink.
  virtual void Write(LogLevel level, const std::string& text) = 0;
};

class Log {
 public:
  using Fields = std::initializer_list<LogField>;

  Log() = default;
  explicit Log(LogSink* sink) : sink_(sink) {}

  // For events whose fields cost something to make.
  bool Wants(LogLevel level) const { return sink_ != nullptr && sink_->Wants(level); }
  void Write(LogLevel level, std::string_view event, Fields fields = {}) const;

  void Debug(std::string_view event, Fields fields = {}) const {
    Write(LogLevel::kDebug, event, fields);
  }
  void Info(std::string_view event, Fields fields = {}) const {
    Write(LogLevel::kInfo, event, fields);
  }
  void Warning(std::string_view event, Fields fields = {}) const {
    Write(LogLevel::kWarning, event, fields);
  }
  void Error(std::string_view event, Fields fields = {}) const {
    Write(LogLevel::kError, event, fields);
  }

 private:
  LogSink* sink_ = nullptr;
};

// What strangers can provoke is told a few times a second at most, so that they cannot fill a disk.
// Thread rule: safe.
class LogThrottle {
 public:
  static constexpr uint64_t kEventsPerSecond = 5;

  // How many events before this one were kept silent, if this one may be told; nullopt: it may not.
  std::optional<uint64_t> Admit(uint64_t now_nanos);

 private:
  std::atomic<uint64_t> second_ = 0;  // the one that is counted
  std::atomic<uint64_t> told_ = 0;    // in it
  std::atomic<uint64_t> silent_ = 0;  // since the last that was told
};

}  // namespace luna::base
