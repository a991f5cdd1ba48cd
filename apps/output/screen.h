// What the programs write: results to stdout, errors and progress to stderr.
// Thread rule: owned by one thread (the main one).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "luna/status.h"

namespace luna::output {

// Exit codes of the programs, the same for all (docs/guide/cli.md).
inline constexpr int kExitOk = 0;
inline constexpr int kExitNegative = 1;  // the answer is no: key not there, damage found
inline constexpr int kExitUsage = 2;
inline constexpr int kExitError = 3;

// To stdout, as they are. Lost output shows in FinishOutput.
void Print(std::string_view bytes);
// Flushes stdout: an error if anything written to it was lost (full disk).
Status FinishOutput();
// "<program>: <message> [<reason>]" on one line of stderr.
void PrintError(std::string_view program, const Error& error);

// 1234567 → "1,234,567".
std::string Grouped(uint64_t number);
// "1.5", with `decimals` decimals.
std::string Fixed(double number, int decimals);

// How far a long piece of work is: a bar on stderr if that is a terminal, else a line now and then;
// nothing at all in the first second.
class Progress {
 public:
  enum class Of : uint8_t { kBytes, kRecords };

  // `total` bytes or records; nothing when unknown. `what` leads the line: "load".
  Progress(std::string what, Of of, std::optional<uint64_t> total);
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // May be called for each record; looks at the clock only now and then.
  void Update(uint64_t bytes, uint64_t records) {
    if (++calls_ % 8 == 0) {
      Show(bytes, records);
    }
  }
  // Takes the bar off the screen.
  void Clear();
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  void Show(uint64_t bytes, uint64_t records);

  const std::string what_;
  const Of of_;
  const std::optional<uint64_t> total_;
  const bool terminal_;
  const Clock::time_point start_;
  Clock::time_point next_;
  uint64_t calls_ = 0;
  bool drawn_ = false;
};

}  // namespace luna::output
