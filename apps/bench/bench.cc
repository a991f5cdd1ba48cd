#include "apps/bench/bench.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "apps/bench/content.h"
#include "apps/bench/key_picker.h"
#include "apps/bench/load.h"
#include "apps/bench/report.h"
#include "apps/bench/workload.h"
#include "apps/output/screen.h"
#include "base/try.h"

namespace luna::bench {
namespace {

constexpr uint64_t kFillBatchBytes = uint64_t{64} << 10;
constexpr uint64_t kValueBytesMax = uint64_t{512} << 20;

Result<std::vector<TestKind>> TestsOf(const Settings& settings) {
  std::vector<TestKind> tests;
  for (const std::string& name : settings.tests) {
    const std::optional<TestKind> test = TestOf(name);
    if (!test.has_value() || *test == TestKind::kFill) {
      return Error(Reason::kBadOption, "'" + name +
                                           "' is no test; there are set, get, incr, mset, mget, "
                                           "range, txn, multi and mixed");
    }
    tests.push_back(*test);
  }
  return tests;
}

// Every key once.
Status Fill(runtime::Runtime& runtime, runtime::Network& network, Settings settings) {
  settings.requests = settings.keys;
  settings.connections = std::min<uint64_t>(settings.connections, 4);
  settings.pipeline = std::clamp<uint64_t>(kFillBatchBytes / settings.value_bytes, 1, 256);
  settings.rate = 0;
  settings.warm_up_seconds = 0;
  const Outcome outcome = TRY(RunTest(runtime, network, settings, TestKind::kFill));
  if (!outcome.tally.clean() || outcome.tally.requests() < settings.keys) {
    const auto& examples = outcome.tally.examples;
    return Error(Reason::kUnreachable,
                 "cannot store the keys that the tests need: " +
                     (examples.empty() ? "no answer" : examples.begin()->second));
  }
  return {};
}

// What the server says against the commands of a test; empty: nothing.
Result<std::string> Objection(runtime::Runtime& runtime, runtime::Network& network,
                              Settings settings, TestKind test) {
  settings.connections = settings.threads = settings.pipeline = settings.requests = 1;
  settings.rate = 0;
  settings.warm_up_seconds = 0;
  const Outcome outcome = TRY(RunTest(runtime, network, settings, test));
  const bool refused = outcome.tally.failed > 0 && !outcome.tally.examples.empty();
  return refused ? outcome.tally.examples.begin()->second : std::string();
}

}  // namespace

Status Check(const Settings& settings) {
  const auto fail = [](const std::string& what) { return Error(Reason::kBadOption, what); };
  TRY(TestsOf(settings));
  TRY(runtime::ParseAddress(settings.server));
  if (settings.connections == 0 || settings.threads == 0 || settings.pipeline == 0) {
    return fail("--connections, --threads and --pipeline are at least 1");
  }
  if (settings.keys < kKeysEach || settings.keys > KeySpace::kKeysMax) {
    return fail("--keys is from 10 to 1000000000");
  }
  if (settings.value_bytes < kDigits || settings.value_bytes > kValueBytesMax) {
    return fail("--value-size is from 10 bytes, which name the key, to 512MiB");
  }
  if (!(settings.read_share >= 0 && settings.read_share <= 1)) {
    return fail("--read-share is from 0 to 1");
  }
  if (!(settings.rate >= 0 && settings.rate <= 1e9)) {
    return fail("--rate is from 0 to 1000000000 requests a second");
  }
  const double longest = 1e6;
  if (!(settings.seconds > 0 && settings.seconds <= longest) ||
      !(settings.warm_up_seconds >= 0 && settings.warm_up_seconds <= longest)) {
    return fail("--seconds and --warm-up are at most 1000000");
  }
  return {};
}

Result<int> RunBench(runtime::Runtime& runtime, runtime::Network& network,
                     const Settings& settings) {
  TRY(Check(settings));
  const std::vector<TestKind> tests = TRY(TestsOf(settings));
  if (settings.fill || settings.fill_only) {
    TRY(Fill(runtime, network, settings));
  }
  if (settings.fill_only) {
    return output::kExitOk;
  }
  bool clean = true;
  Report report(settings);
  report.Begin();
  for (const TestKind test : tests) {
    const std::string objection = TRY(Objection(runtime, network, settings, test));
    if (!objection.empty()) {
      report.Refuse(test, objection);
      clean = false;
      continue;
    }
    const Outcome outcome = TRY(RunTest(runtime, network, settings, test));
    report.Add(test, outcome);
    TRY(output::FinishOutput());
    clean = clean && outcome.tally.clean();
  }
  report.End();
  return clean ? output::kExitOk : output::kExitNegative;
}

}  // namespace luna::bench
