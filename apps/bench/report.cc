#include "apps/bench/report.h"

#include <array>
#include <cstdint>
#include <utility>

#include "apps/output/escape.h"
#include "apps/output/screen.h"

namespace luna::bench {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 5> kQuantiles = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}}};
constexpr size_t kNameColumns = 8;
constexpr size_t kRateColumns = 14;
constexpr size_t kTimeColumns = 11;

std::string Right(std::string text, size_t columns, size_t shown) {
  return shown < columns ? std::string(columns - shown, ' ') + text : text;
}

std::string Right(const std::string& text, size_t columns) {
  return Right(text, columns, text.size());
}

// "87 µs", "1.25 ms", "2.00 s"; right-aligned.
std::string Duration(uint64_t nanos) {
  const double micros = static_cast<double>(nanos) / 1e3;
  if (micros < 1000) {
    const std::string text = output::Fixed(micros, micros < 10 ? 1 : 0) + " µs";
    return Right(text, kTimeColumns, text.size() - 1);  // µ has two bytes
  }
  return Right(micros < 1e6 ? output::Fixed(micros / 1e3, micros < 1e4 ? 2 : 1) + " ms"
                            : output::Fixed(micros / 1e6, 2) + " s",
               kTimeColumns);
}

std::string Left(std::string text, size_t columns) {
  text.resize(std::max(columns, text.size()), ' ');
  return text;
}

double MicrosEach(const Outcome& outcome) {
  const auto requests = static_cast<double>(outcome.tally.requests());
  return requests > 0 ? outcome.cpu_seconds / requests * 1e6 : 0;
}

std::array<std::pair<std::string_view, uint64_t>, 5> Counts(const Tally& tally) {
  return {{{"failed", tally.failed},
           {"wrong", tally.wrong},
           {"missing", tally.missing},
           {"conflicts", tally.conflicts},
           {"lost", tally.lost}}};
}

}  // namespace

Report::Report(const Settings& settings) : settings_(settings) {}

void Report::Begin() {
  switch (settings_.format) {
    case Format::kText: {
      std::string line = Left("test", kNameColumns) + Right("requests/s", kRateColumns);
      for (const auto& [name, fraction] : kQuantiles) {
        line += Right(std::string(name), kTimeColumns);
      }
      return output::Print(line + "\n");
    }
    case Format::kJson:
      json_.BeginObject().Key("server").Text(settings_.server);
      json_.Key("connections").Number(settings_.connections);
      json_.Key("threads").Number(settings_.threads);
      json_.Key("pipeline").Number(settings_.pipeline);
      json_.Key("keys").Number(settings_.keys);
      json_.Key("value_bytes").Number(settings_.value_bytes);
      json_.Key("rate").Ratio(settings_.rate);
      json_.Key("distribution")
          .Text(settings_.distribution == Distribution::kZipf ? "zipf" : "uniform");
      json_.Key("tests").BeginArray();
      return;
    case Format::kCsv: {
      std::string line = "test,requests,seconds,requests_per_second";
      for (const auto& [name, fraction] : kQuantiles) {
        line += ",";
        line += name;
        line += "_ms";
      }
      return output::Print(
          line + ",failed,wrong,missing,conflicts,lost,client_cpu_micros_per_request,refused\n");
    }
  }
}

void Report::Add(TestKind test, const Outcome& outcome) {
  switch (settings_.format) {
    case Format::kText:
      return AddText(test, outcome);
    case Format::kJson:
      return AddJson(test, outcome);
    case Format::kCsv:
      return AddCsv(test, outcome);
  }
}

void Report::AddText(TestKind test, const Outcome& outcome) {
  std::string line = Left(std::string(NameOf(test)), kNameColumns);
  line +=
      Right(output::Grouped(static_cast<uint64_t>(outcome.requests_per_second())), kRateColumns);
  for (const auto& [name, fraction] : kQuantiles) {
    line += Duration(outcome.tally.latency_nanos.Quantile(fraction));
  }
  for (const auto& [name, count] : Counts(outcome.tally)) {
    if (count > 0) {
      line += "  " + output::Grouped(count) + " " + std::string(name);
    }
  }
  output::Print(line + "\n");
  for (const auto& [word, text] : outcome.tally.examples) {
    output::Print("         " + output::Escape(text, output::Keep::kBackslashes) + "\n");
  }
}

void Report::AddJson(TestKind test, const Outcome& outcome) {
  json_.BeginObject().Key("test").Text(NameOf(test));
  json_.Key("requests").Number(outcome.tally.requests());
  json_.Key("seconds").Ratio(outcome.seconds);
  json_.Key("requests_per_second").Ratio(outcome.requests_per_second());
  json_.Key("latency_ms").BeginObject();
  json_.Key("mean").Ratio(outcome.tally.latency_nanos.mean() / 1e6);
  for (const auto& [name, fraction] : kQuantiles) {
    json_.Key(name).Ratio(static_cast<double>(outcome.tally.latency_nanos.Quantile(fraction)) /
                          1e6);
  }
  json_.EndObject();
  for (const auto& [name, count] : Counts(outcome.tally)) {
    json_.Key(name).Number(count);
  }
  json_.Key("client_cpu_micros_per_request").Ratio(MicrosEach(outcome));
  json_.Key("examples").BeginArray();
  for (const auto& [word, text] : outcome.tally.examples) {
    json_.Text(text);
  }
  json_.EndArray().EndObject();
}

void Report::AddCsv(TestKind test, const Outcome& outcome) {
  std::string line = std::string(NameOf(test)) + "," + std::to_string(outcome.tally.requests()) +
                     "," + output::Fixed(outcome.seconds, 3) + "," +
                     output::Fixed(outcome.requests_per_second(), 1);
  for (const auto& [name, fraction] : kQuantiles) {
    line += "," + output::Fixed(
                      static_cast<double>(outcome.tally.latency_nanos.Quantile(fraction)) / 1e6, 3);
  }
  for (const auto& [name, count] : Counts(outcome.tally)) {
    line += "," + std::to_string(count);
  }
  output::Print(line + "," + output::Fixed(MicrosEach(outcome), 3) + ",\n");
}

void Report::Refuse(TestKind test, std::string_view why) {
  const std::string name(NameOf(test));
  switch (settings_.format) {
    case Format::kText:
      return output::Print(Left(name, kNameColumns) +
                           "  refused: " + output::Escape(why, output::Keep::kBackslashes) + "\n");
    case Format::kJson:
      json_.BeginObject().Key("test").Text(name).Key("refused").Text(why).EndObject();
      return;
    case Format::kCsv: {
      std::string quoted = "\"";
      for (const char c : why) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
      }
      return output::Print(name + ",,,,,,,,,,,,,,," + quoted + "\"\n");
    }
  }
}

void Report::End() {
  if (settings_.format == Format::kJson) {
    output::Print(json_.EndArray().EndObject().text() + "\n");
  }
}

}  // namespace luna::bench
