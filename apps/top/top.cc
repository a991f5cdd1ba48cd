#include "apps/top/top.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>
#include <vector>

#include "apps/output/screen.h"
#include "apps/top/sample.h"
#include "apps/top/terminal.h"
#include "apps/top/view.h"
#include "base/try.h"

namespace luna::top {
namespace {

constexpr size_t kPlainColumns = 200;  // where there is no terminal

uint64_t MonotonicNanos() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

int64_t UnixSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

template <typename... Words>
Result<resp::Reply> Say(const Ask& ask, Words... words) {
  const std::array<std::string_view, sizeof...(words)> all = {words...};
  return ask(all);
}

// A refused command is no failure: the server does not know it, or does not let us.
Result<Sample> TakeSample(const Ask& ask) {
  Sample sample;
  const resp::Reply info = TRY(Say(ask, "INFO", "everything"));
  if (info.failed()) {
    return Error(Reason::kBadOption, "the server refused INFO: " + info.text);
  }
  sample.nanos = MonotonicNanos();
  sample.info = ParseInfo(info.text);
  if (sample.info.contains("luna_version")) {
    const resp::Reply stats = TRY(Say(ask, "STATS"));
    sample.stats = ParseStats(stats);
  }
  const resp::Reply slow = TRY(Say(ask, "SLOWLOG", "GET", "5"));
  sample.slow = ParseSlow(slow);
  return sample;
}

// What the screen needs of one connection.
class Watch {
 public:
  Watch(const Settings& settings, const Connect& connect)
      : settings_(settings), connect_(connect) {}

  // Connects if need be and samples once.
  Status Sampled() {
    if (!ask_.has_value()) {
      ask_ = TRY(connect_());
      const resp::Reply commands = TRY(Say(*ask_, "COMMAND"));
      kinds_ = ParseKinds(commands);
      last_.reset();
    }
    before_ = last_;
    last_ = TRY(TakeSample(*ask_));
    return {};
  }
  void Disconnect() { ask_.reset(); }

  View Current() const {
    return Compare(before_.has_value() ? *before_ : *last_, *last_, kinds_, settings_.server);
  }

 private:
  const Settings& settings_;
  const Connect& connect_;
  std::optional<Ask> ask_;
  Kinds kinds_;
  std::optional<Sample> before_;
  std::optional<Sample> last_;
};

Result<int> Once(const Settings& settings, Watch& watch) {
  TRY(watch.Sampled());
  std::this_thread::sleep_for(std::chrono::duration<double>(settings.interval_seconds));
  TRY(watch.Sampled());
  const View view = watch.Current();
  if (settings.json) {
    output::Print(Json(view) + "\n");
    return output::kExitOk;
  }
  for (const std::string& line : Lines(view, kPlainColumns, UnixSeconds())) {
    output::Print(line + "\n");
  }
  return output::kExitOk;
}

Result<int> Live(const Settings& settings, Watch& watch) {
  TRY(watch.Sampled());
  const auto millis = static_cast<int64_t>(settings.interval_seconds * 1000);
  Terminal terminal;
  bool first = true;
  while (true) {
    const Status sampled = first ? Status() : watch.Sampled();
    first = false;
    std::vector<std::string> lines;
    if (sampled.ok()) {
      lines = Lines(watch.Current(), terminal.columns(), UnixSeconds());
    } else {
      watch.Disconnect();
      lines = {"luna top   " + settings.server, "", sampled.error().message(),
               "trying again each interval"};
    }
    lines.emplace_back();
    lines.emplace_back("q ends");
    terminal.Show(lines);
    if (!terminal.Wait(millis)) {
      return output::kExitOk;
    }
  }
}

}  // namespace

Result<int> RunTop(const Settings& settings, const Connect& connect) {
  if (!(settings.interval_seconds >= 0.1 && settings.interval_seconds <= 3600)) {
    return Error(Reason::kBadOption, "--interval is from 0.1 to 3600 seconds");
  }
  Watch watch(settings, connect);
  const bool live = !settings.once && !settings.json && Terminal::IsThere();
  return live ? Live(settings, watch) : Once(settings, watch);
}

}  // namespace luna::top
