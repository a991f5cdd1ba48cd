#include "service/server/log_sink.h"

// The only file that knows spdlog; no exception of it goes further.
#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <exception>
#include <string_view>
#include <utility>

#include "base/try.h"

namespace luna::server {

namespace {

constexpr std::array<std::string_view, 4> kLevels = {"DEBUG ", "INFO ", "WARNING ", "ERROR "};

}  // namespace

class LineLog::Lines {
 public:
  static Result<std::shared_ptr<Lines>> Open(const std::string& path) {
    try {
      if (path.empty()) {
        return std::make_shared<Lines>(std::make_shared<spdlog::sinks::stderr_sink_mt>());
      }
      return std::make_shared<Lines>(std::make_shared<spdlog::sinks::basic_file_sink_mt>(path));
    } catch (const std::exception& error) {
      return Error(Reason::kIoError, "cannot write the log to '" + path + "': " + error.what() +
                                         "; correct log-file, or permit it");
    }
  }

  explicit Lines(spdlog::sink_ptr sink) : sink_(std::move(sink)) {
    sink_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc));
  }

  bool Write(const std::string& line) {
    try {
      sink_->log(spdlog::details::log_msg("", spdlog::level::info, line));
      sink_->flush();
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

 private:
  const spdlog::sink_ptr sink_;
};

Result<std::unique_ptr<LineLog>> LineLog::Open(const std::string& path, base::LogLevel level) {
  std::shared_ptr<Lines> lines = TRY(Lines::Open(path));
  return std::unique_ptr<LineLog>(new LineLog(path, level, std::move(lines)));
}

LineLog::LineLog(std::string path, base::LogLevel level, std::shared_ptr<Lines> lines)
    : path_(std::move(path)), level_(level), lines_(std::move(lines)) {}

LineLog::~LineLog() = default;

void LineLog::Write(base::LogLevel level, const std::string& text) {
  std::shared_ptr<Lines> lines;
  {
    const base::MutexLock lock(mutex_);
    lines = lines_;
  }
  std::string line(kLevels[static_cast<size_t>(level)]);
  line += text;
  if (!lines->Write(line)) {
    lost_.fetch_add(1);
  }
}

Status LineLog::Reopen() {
  if (path_.empty()) {
    return {};
  }
  std::shared_ptr<Lines> lines = TRY(Lines::Open(path_));
  const base::MutexLock lock(mutex_);
  lines_.swap(lines);
  return {};
}

}  // namespace luna::server
