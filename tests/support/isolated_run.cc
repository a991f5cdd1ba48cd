#include "support/isolated_run.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace luna::test {

namespace {

void WriteAll(int to, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = write(to, text.data() + done, text.size() - done);
    if (written <= 0) {
      return;
    }
    done += static_cast<size_t>(written);
  }
}

std::string ReadAll(int from) {
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(from, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(got));
  }
  return text;
}

// "ok HASH\n" or "no HASH\nmessage", framed by a mark: what else the child printed comes before it.
constexpr const char* kMark = "\x01verdict ";

[[noreturn]] void RunChild(const std::function<Verdict()>& body, int to, unsigned seconds) {
  dup2(to, STDERR_FILENO);  // an assertion's last words are part of the verdict
  alarm(seconds);
  const Verdict verdict = body();
  WriteAll(to, kMark + std::string(verdict.ok ? "ok " : "no ") +
                   std::to_string(verdict.trace_hash) + "\n" + verdict.message);
  std::fflush(stdout);  // what it printed for the user
  _exit(0);
}

}  // namespace

Verdict RunIsolated(const std::function<Verdict()>& body, unsigned seconds) {
  int ends[2];
  if (pipe(ends) != 0) {
    return {false, "no pipe for a child process", 0};
  }
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    RunChild(body, ends[1], seconds);
  }
  close(ends[1]);
  const std::string text = child < 0 ? "" : ReadAll(ends[0]);
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    return {false, "no child process", 0};
  }
  const size_t mark = text.rfind(kMark);
  if (mark == std::string::npos || !WIFEXITED(status)) {
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    const std::string how = signal == SIGALRM ? "took longer than " + std::to_string(seconds) + " s"
                            : signal != 0     ? "died of signal " + std::to_string(signal)
                                              : "ended early";
    return {false, "the run " + how + "\n" + text, 0};
  }
  const std::string tail = text.substr(mark + std::strlen(kMark));
  Verdict verdict;
  verdict.ok = tail.starts_with("ok");
  verdict.trace_hash = std::strtoull(tail.c_str() + 3, nullptr, 10);
  verdict.message = tail.substr(tail.find('\n') + 1);
  return verdict;
}

}  // namespace luna::test
