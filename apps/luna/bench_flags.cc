#include "apps/luna/bench_flags.h"

#include <string>
#include <vector>

#include "base/text.h"

namespace luna::cli {
namespace {

std::vector<std::string> Split(const std::string& names) {
  std::vector<std::string> parts(1);
  for (const char c : names) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

void AddData(CLI::App& bench, bench::Settings& settings) {
  bench.add_option("--keys", settings.keys, "how many different keys [100000]");
  bench
      .add_option_function<std::string>(
          "--value-size",
          [&settings](const std::string& text) {
            const auto bytes = base::ParseBytes(text);
            if (!bytes.has_value()) {
              throw CLI::ValidationError("--value-size", "'" + text + "' is no size, like 1KiB");
            }
            settings.value_bytes = *bytes;
          },
          "bytes of a value [100]")
      ->type_name("SIZE");
  bench
      .add_option_function<std::string>(
          "--distribution",
          [&settings](const std::string& name) {
            settings.distribution =
                name == "zipf" ? bench::Distribution::kZipf : bench::Distribution::kUniform;
          },
          "uniform: keys alike; zipf: few of them most of the time [uniform]")
      ->check(CLI::IsMember({"uniform", "zipf"}))
      ->type_name("NAME");
  bench.add_option("--seed", settings.seed, "of the random keys [1]");
  bench.add_flag("--fill-only", settings.fill_only, "store every key once, and end");
  bench.add_flag_callback(
      "--no-fill", [&settings] { settings.fill = false; },
      "do not store every key before the first test");
}

}  // namespace

void AddBenchFlags(CLI::App& bench, bench::Settings& settings) {
  bench
      .add_option_function<std::string>(
          "--tests", [&settings](const std::string& names) { settings.tests = Split(names); },
          "set, get, incr, mset, mget (ten keys each), range (ten keys), txn (BEGIN GET SET "
          "COMMIT), multi (MULTI GET SET EXEC), mixed [set,get,incr,mset,mget]")
      ->type_name("NAME,NAME");
  bench.add_option("-c,--connections", settings.connections, "connections [50]");
  bench.add_option("--threads", settings.threads, "threads that drive them [1]");
  bench.add_option("-P,--pipeline", settings.pipeline, "requests sent at once [1]");
  bench.add_option("-n,--requests", settings.requests, "requests of a test, instead of --seconds");
  bench.add_option("--seconds", settings.seconds, "how long a test takes [5]");
  bench.add_option("--warm-up", settings.warm_up_seconds,
                   "seconds of each test that are not counted [0.5]");
  bench.add_option("--rate", settings.rate,
                   "requests a second of all connections; latency then counts from when a "
                   "request was due [as fast as it goes]");
  bench.add_option("--read-share", settings.read_share, "part of reads in mixed [0.9]");
  AddData(bench, settings);
  bench.add_flag_callback(
      "--csv", [&settings] { settings.format = bench::Format::kCsv; }, "results as CSV");
}

void AddTopFlags(CLI::App& top, top::Settings& settings) {
  top.add_option("--interval", settings.interval_seconds, "seconds between two looks [1]");
  top.add_flag("--once", settings.once, "one look, as plain text, and end");
}

}  // namespace luna::cli
