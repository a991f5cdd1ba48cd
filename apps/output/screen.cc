#include "apps/output/screen.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "apps/output/escape.h"
#include "base/text.h"

namespace luna::output {
namespace {

constexpr std::chrono::milliseconds kFirst{1000};
constexpr std::chrono::milliseconds kOnTerminal{100};
constexpr std::chrono::milliseconds kElsewhere{2000};
constexpr uint64_t kBarColumns = 30;

std::string Bar(uint64_t part, uint64_t whole) {
  const uint64_t filled = std::min(kBarColumns, part * kBarColumns / std::max<uint64_t>(whole, 1));
  return "[" + std::string(filled, '#') + std::string(kBarColumns - filled, '.') + "] ";
}

}  // namespace

void Print(std::string_view bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
}

Status FinishOutput() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
    return {};
  }
  return Error(Reason::kIoError, std::string("the output could not be written (") +
                                     std::strerror(errno) + "); make room for it and run again");
}

void PrintError(std::string_view program, const Error& error) {
  const std::string line = std::string(program) + ": " +
                           Escape(error.message(), Keep::kBackslashes) + " [" +
                           std::string(Name(error.reason())) + "]\n";
  std::fflush(stdout);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string Grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string Fixed(double number, int decimals) {
  char buffer[400];
  std::snprintf(buffer, sizeof(buffer), "%.*f", decimals, number);
  return buffer;
}

Progress::Progress(std::string what, Of of, std::optional<uint64_t> total)
    : what_(std::move(what)),
      of_(of),
      total_(total),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      next_(start_ + kFirst) {}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void Progress::Show(uint64_t bytes, uint64_t records) {
  const Clock::time_point now = Clock::now();
  if (now < next_) {
    return;
  }
  next_ = now + (terminal_ ? kOnTerminal : kElsewhere);
  std::string line = what_ + ": ";
  const uint64_t done = of_ == Of::kBytes ? bytes : records;
  if (total_.has_value() && *total_ > 0) {
    line += terminal_ ? Bar(done, *total_) : "";
    line += std::to_string(std::min<uint64_t>(100, done * 100 / *total_)) + " %, ";
  }
  const auto rate = static_cast<uint64_t>(static_cast<double>(done) / seconds());
  line += Grouped(records) + " records, " +
          (of_ == Of::kBytes ? base::FormatBytes(bytes) + ", " + base::FormatBytes(rate) + "/s"
                             : Grouped(rate) + " records/s");
  line = terminal_ ? "\r" + line + "\x1b[K" : line + "\n";
  drawn_ = terminal_;
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void Progress::Clear() {
  if (drawn_) {
    std::fputs("\r\x1b[K", stderr);
    drawn_ = false;
  }
}

}  // namespace luna::output
