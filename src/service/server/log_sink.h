// LineLog: the sink of a server's log, a line an event:
//
//   2026-11-21T07:00:00.123Z INFO listening address=127.0.0.1:6479
//
// to standard error or to a file, each line at once. A line that cannot be written (full disk) is
// lost and counted; serving goes on. Times are UTC.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/mutex.h"
#include "luna/status.h"

namespace luna::server {

class LineLog final : public base::LogSink {
 public:
  // `path`: the file, made with its folder if missing; empty: standard error. kIoError.
  static Result<std::unique_ptr<LineLog>> Open(const std::string& path, base::LogLevel level);
  ~LineLog() override;

  bool Wants(base::LogLevel level) const override {
    return level >= level_.load(std::memory_order_relaxed);
  }
  void Write(base::LogLevel level, const std::string& text) override;

  void SetLevel(base::LogLevel level) { level_ = level; }
  // Opens the file again by its name, after it was renamed away; the old one stays if that fails.
  Status Reopen();
  uint64_t lost() const { return lost_; }  // lines

 private:
  class Lines;  // spdlog's side

  LineLog(std::string path, base::LogLevel level, std::shared_ptr<Lines> lines);

  const std::string path_;
  std::atomic<base::LogLevel> level_;
  std::atomic<uint64_t> lost_ = 0;
  base::Mutex mutex_;
  std::shared_ptr<Lines> lines_ GUARDED_BY(mutex_);
};

}  // namespace luna::server
