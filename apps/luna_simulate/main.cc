// luna-simulate: runs one of the long tests seed after seed, prints every failing one with how to
// repeat it, and ends with a summary line that scripts/soak notes.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "apps/luna_simulate/kill_cycles.h"
#include "apps/luna_simulate/mixed_load.h"
#include "crash/crash_workload.h"
#include "group/group_world.h"
#include "model/model_generator.h"
#include "model/model_run.h"
#include "model/random_model.h"
#include "simulation/cycle_workload.h"

namespace luna::simulate {

namespace {

constexpr const char* kUsage =
    "luna-simulate --scenario NAME --seeds A[..[B]] [--minutes N] [--until-failure] [--directory "
    "PATH]"
    " [--trace]\n"
    "  model    random operations against an ordered map with versions\n"
    "  crash    power cuts at every point of a workload; a seed is one cut\n"
    "  cycle    list-append histories judged by their cycles\n"
    "  group    a tablet group whose servers are killed, paused and cut off\n"
    "  kill     a writing process ended by kill -9; a seed is one kill\n"
    "  memory   a mixed load within its memory budget; a seed is one load\n"
    "  --seeds 5..9 runs five, 5.. goes on until the minutes are over, 5 is one seed\n"
    "  --until-failure stops at the first seed that fails\n"
    "  --script FILE runs a kept script of the model; --trace prints what happens\n"
    "  --directory is where kill and memory work (default: ./luna-simulate-work)\n";

struct Arguments {
  std::string program;
  std::string scenario = "model";
  uint64_t first = 1;
  uint64_t last = std::numeric_limits<uint64_t>::max();
  uint64_t minutes = 0;  // 0: until the last seed
  std::string directory = "luna-simulate-work";
  std::string script;
  bool trace = false;
  bool until_failure = false;
};

bool ParseSeeds(const std::string& text, Arguments* arguments) {
  char* end = nullptr;
  arguments->first = std::strtoull(text.c_str(), &end, 10);
  const std::string rest = end;
  if (end == text.c_str() || (!rest.empty() && !rest.starts_with(".."))) {
    return false;
  }
  if (rest.empty()) {
    arguments->last = arguments->first;
  } else if (rest != "..") {
    arguments->last = std::strtoull(rest.c_str() + 2, nullptr, 10);
  }
  return true;
}

std::optional<Arguments> Parse(int count, char** words) {
  Arguments arguments;
  arguments.program = std::filesystem::read_symlink("/proc/self/exe");
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--trace") {
      arguments.trace = true;
      continue;
    }
    if (word == "--until-failure") {
      arguments.until_failure = true;
      continue;
    }
    if (i + 1 == count) {
      return std::nullopt;
    }
    const std::string value = words[++i];
    if (word == "--scenario") {
      arguments.scenario = value;
    } else if (word == "--minutes") {
      arguments.minutes = std::strtoull(value.c_str(), nullptr, 10);
    } else if (word == "--directory") {
      arguments.directory = value;
    } else if (word == "--script") {
      arguments.script = value;
    } else if (word != "--seeds" || !ParseSeeds(value, &arguments)) {
      return std::nullopt;
    }
  }
  return arguments;
}

using RunSeed = std::function<test::Verdict(uint64_t seed)>;

// Worlds of a group are small: several share a process, which has its memory by then.
constexpr uint64_t kGroupBatch = 25;
// A seed takes some 20 ms; the limit is for a machine that has no time for it.
constexpr unsigned kGroupSeconds = 600;

// Whether all of them are well. Else each is to be run by itself, for its own verdict.
bool RunGroupBatch(uint64_t first, uint64_t count) {
  const auto run = [&] {
    test::Verdict verdict;
    for (uint64_t seed = first; seed < first + count && verdict.ok; ++seed) {
      verdict = test::RunGroupSeed(seed);
    }
    return verdict;
  };
  return test::RunIsolated(run, kGroupSeconds).ok;
}

RunSeed ScenarioOf(const Arguments& arguments) {
  if (arguments.scenario == "model") {
    return [](uint64_t seed) { return test::RunModelSeed(seed); };
  }
  if (arguments.scenario == "cycle") {
    return
        [](uint64_t seed) { return test::RunIsolated([&] { return test::RunCycleSeed(seed); }); };
  }
  if (arguments.scenario == "group") {
    return
        [](uint64_t seed) { return test::RunIsolated([&] { return test::RunGroupSeed(seed); }); };
  }
  if (arguments.scenario == "crash") {
    const auto cases = std::make_shared<test::CrashCases>();
    std::printf("the workload has %llu cuts; later seeds repeat them in other worlds\n",
                static_cast<unsigned long long>(cases->size()));
    return [cases](uint64_t seed) {
      test::CrashCase crash = cases->At((seed - 1) % cases->size());
      crash.world_seed += (seed - 1) / cases->size();
      return test::RunIsolated([&] { return test::RunCrashCase(crash); });
    };
  }
  if (arguments.scenario == "kill") {
    return [arguments](uint64_t seed) {
      return RunKillCycle(arguments.program, arguments.directory, seed);
    };
  }
  if (arguments.scenario == "memory") {
    return [arguments](uint64_t seed) {
      std::filesystem::create_directories(arguments.directory);
      LoadLimits limits;
      limits.seconds = arguments.minutes == 0 ? 60 : arguments.minutes * 60;
      return test::RunIsolated([&] { return RunMixedLoad(arguments.directory, seed, limits); },
                               static_cast<unsigned>(limits.seconds + 600));
    };
  }
  return nullptr;
}

int RunSeeds(const Arguments& arguments, const RunSeed& run) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(arguments.minutes);
  uint64_t failed = 0;
  uint64_t seed = arguments.first;
  uint64_t well = seed;  // up to this one, as a batch showed
  for (; seed <= arguments.last && !(arguments.until_failure && failed > 0); ++seed) {
    if (seed != arguments.first && arguments.minutes != 0 &&
        std::chrono::steady_clock::now() >= end) {
      break;
    }
    if (seed < well) {
      continue;
    }
    if (arguments.scenario == "group" && (seed - arguments.first) % kGroupBatch == 0) {
      const uint64_t count = std::min(kGroupBatch, arguments.last - seed + 1);
      if (count > 1 && RunGroupBatch(seed, count)) {
        well = seed + count;
        continue;
      }
    }
    const test::Verdict verdict = run(seed);
    if (!verdict.ok) {
      ++failed;
      std::printf("seed %llu FAILED: %s\n", static_cast<unsigned long long>(seed),
                  verdict.message.c_str());
    }
    std::fflush(stdout);
  }
  std::printf("soak: seeds %llu..%llu, %llu failed\n",
              static_cast<unsigned long long>(arguments.first),
              static_cast<unsigned long long>(seed - 1), static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}

int RunGroupHere(uint64_t seed) {
  const test::Verdict verdict = test::RunGroupSeed(seed, nullptr, [](std::string_view line) {
    std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
  });
  std::printf("%s, trace hash %llu%s%s\n", verdict.ok ? "ok" : "FAILED",
              static_cast<unsigned long long>(verdict.trace_hash), verdict.ok ? "" : ": ",
              verdict.message.c_str());
  return verdict.ok ? 0 : 1;
}

// A model run in this process, so that a debugger and a trace can follow it.
int RunHere(const Arguments& arguments) {
  const test::ModelScript script = arguments.script.empty() ? test::GenerateScript(arguments.first)
                                                            : test::ReadScript(arguments.script);
  simulation::Trace::Sink sink;
  if (arguments.trace) {
    std::printf("%s", test::PrintScript(script).c_str());
    sink = [](std::string_view line) {
      std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
    };
  }
  const test::Verdict verdict = test::ModelRun(script, std::move(sink)).Run();
  std::printf("%s, trace hash %llu%s%s\n", verdict.ok ? "ok" : "FAILED",
              static_cast<unsigned long long>(verdict.trace_hash), verdict.ok ? "" : ": ",
              verdict.message.c_str());
  return verdict.ok ? 0 : 1;
}

}  // namespace

int Main(int count, char** words) {
  const auto arguments = Parse(count, words);
  if (!arguments || count == 1) {
    std::fprintf(stderr, "%s", kUsage);
    return 2;
  }
  if (arguments->scenario == "kill-child") {
    return RunKillChild(arguments->directory);
  }
  if (!arguments->script.empty() || (arguments->trace && arguments->scenario == "model")) {
    return RunHere(*arguments);
  }
  if (arguments->trace && arguments->scenario == "group") {
    return RunGroupHere(arguments->first);
  }
  const RunSeed run = ScenarioOf(*arguments);
  if (run == nullptr) {
    std::fprintf(stderr, "%s", kUsage);
    return 2;
  }
  return RunSeeds(*arguments, run);
}

}  // namespace luna::simulate

int main(int count, char** words) {
  return luna::simulate::Main(count, words);
}
