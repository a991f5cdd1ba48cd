#include "apps/top/terminal.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace luna::top {
namespace {

constexpr char kCtrlC = 3;
constexpr char kCtrlD = 4;

void Write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

winsize SizeOf() {
  winsize size = {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

int64_t NowMillis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

bool Terminal::IsThere() {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
}

Terminal::Terminal() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    ::sigaddset(&set, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  ::tcgetattr(STDIN_FILENO, &before_);
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  Write("\033[?1049h\033[?25l\033[2J");
}

Terminal::~Terminal() {
  Write("\033[?25h\033[?1049l");
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  ::close(signals_);
}

size_t Terminal::columns() const {
  return SizeOf().ws_col;
}

size_t Terminal::rows() const {
  return SizeOf().ws_row;
}

void Terminal::Show(const std::vector<std::string>& lines) {
  std::string frame = "\033[H";
  const size_t count = std::min(lines.size(), rows());
  for (size_t i = 0; i < count; ++i) {
    frame += lines[i] + "\033[K" + (i + 1 < count ? "\r\n" : "");
  }
  Write(frame + "\033[J");
}

bool Terminal::Stops() {
  std::array<char, 64> keys;
  const ssize_t count = ::read(STDIN_FILENO, keys.data(), keys.size());
  const std::string_view pressed(keys.data(), count > 0 ? static_cast<size_t>(count) : 0);
  return count == 0 || pressed.find_first_of("qQ") != std::string_view::npos ||
         pressed.find(kCtrlC) != std::string_view::npos ||
         pressed.find(kCtrlD) != std::string_view::npos;
}

bool Terminal::Wait(int64_t millis) {
  const int64_t until = NowMillis() + millis;
  std::array<pollfd, 2> watched = {pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = signals_, .events = POLLIN, .revents = 0}};
  while (true) {
    const int64_t left = until - NowMillis();
    if (left <= 0) {
      return true;
    }
    ::poll(watched.data(), watched.size(), static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (watched[1].revents != 0 || (watched[0].revents != 0 && Stops())) {
      return false;
    }
  }
}

}  // namespace luna::top
