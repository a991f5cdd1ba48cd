#include "workload/cell.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "workload/failure.h"

namespace luna::bench {
namespace {

constexpr unsigned kSecondsAtMost = 300;

// The child's whole life: measures go through the pipe as bytes.
[[noreturn]] void LiveAsChild(const Group& group, const Cell& cell, int pipe) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // an interrupted benchmark leaves nobody running
  alarm(kSecondsAtMost);
  for (const Measure& measure : group.run(cell)) {
    Check(write(pipe, &measure, sizeof(measure)) == sizeof(measure), "the pipe is broken");
  }
  std::_Exit(0);
}

}  // namespace

std::vector<Measure> RunCell(const Group& group, const Cell& cell) {
  std::filesystem::create_directories(cell.setup.directory);
  int ends[2];
  Check(pipe(ends) == 0, "no pipe");
  std::fflush(nullptr);
  const pid_t child = fork();
  Check(child >= 0, "no child process");
  if (child == 0) {
    close(ends[0]);
    LiveAsChild(group, cell, ends[1]);
  }
  close(ends[1]);
  std::vector<Measure> measures;
  Measure measure;
  while (read(ends[0], &measure, sizeof(measure)) == sizeof(measure)) {
    measures.push_back(measure);
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  std::filesystem::remove_all(cell.setup.directory);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "bench: %s on %s failed (%s %d)\n", group.name.c_str(),
                 cell.engine.c_str(), WIFEXITED(status) ? "exit" : "signal",
                 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    measures.clear();
  }
  return measures;
}

}  // namespace luna::bench
