// How a View looks.
#include "apps/output/screen.h"

#include <algorithm>
#include <string>

#include "apps/output/escape.h"
#include "apps/output/json.h"
#include "apps/top/view.h"
#include "base/text.h"

namespace luna::top {
namespace {

constexpr size_t kTitleColumns = 13;

std::string Count(double number) {
  return number < 100 && number != static_cast<double>(static_cast<uint64_t>(number))
             ? output::Fixed(number, 1)
             : output::Grouped(static_cast<uint64_t>(number));
}

std::string Size(double bytes) {
  return base::FormatBytes(static_cast<uint64_t>(std::max(0.0, bytes)));
}

std::string Micros(double micros) {
  if (micros < 1000) {
    return output::Fixed(micros, micros < 10 ? 1 : 0) + " us";
  }
  return micros < 1e6 ? output::Fixed(micros / 1e3, 1) + " ms"
                      : output::Fixed(micros / 1e6, 1) + " s";
}

std::string Age(int64_t seconds) {
  const int64_t age = std::max<int64_t>(0, seconds);
  if (age < 120) {
    return std::to_string(age) + " s";
  }
  if (age < 7200) {
    return std::to_string(age / 60) + " min";
  }
  return age < 172'800 ? std::to_string(age / 3600) + " h" : std::to_string(age / 86'400) + " d";
}

std::string Right(const std::string& text, size_t columns) {
  return text.size() < columns ? std::string(columns - text.size(), ' ') + text : text;
}

std::string Left(std::string text, size_t columns) {
  text.resize(std::max(columns, text.size()), ' ');
  return text;
}

// A title and "name value" parts, those that are known.
class Line {
 public:
  explicit Line(std::string title) : text_(Left(std::move(title), kTitleColumns)) {}

  Line& Add(std::string_view name, const std::string& value) {
    text_ += (empty_ ? "" : "   ") + std::string(name) + (name.empty() ? "" : " ") + value;
    empty_ = false;
    return *this;
  }
  Line& Number(std::string_view name, std::optional<double> value) {
    return value.has_value() ? Add(name, Count(*value)) : *this;
  }
  Line& Bytes(std::string_view name, std::optional<double> value, std::string_view unit = "") {
    return value.has_value() ? Add(name, Size(*value) + std::string(unit)) : *this;
  }
  void AppendTo(std::vector<std::string>& lines) const {
    if (!empty_) {
      lines.push_back(text_);
    }
  }

 private:
  std::string text_;
  bool empty_ = true;
};

void AddRates(const View& view, std::vector<std::string>& lines) {
  Line("requests/s")
      .Number("all", view.requests)
      .Number("reads", view.reads)
      .Number("writes", view.writes)
      .Number("errors", view.errors)
      .Number("conflicts", view.conflicts)
      .AppendTo(lines);
  Line("rounds/s")
      .Number("", view.rounds)
      .Bytes("journal", view.journal_bytes, "/s")
      .AppendTo(lines);
  Line("network")
      .Bytes("in", view.bytes_in, "/s")
      .Bytes("out", view.bytes_out, "/s")
      .AppendTo(lines);
  Line clients("connections");
  clients.Number("", view.connections).Number("of", view.max_connections);
  clients.Number("in transactions", view.transactions).AppendTo(lines);
  Line("queues")
      .Number("reads", view.read_queue)
      .Number("writes", view.write_queue)
      .AppendTo(lines);
}

void AddState(const View& view, std::vector<std::string>& lines) {
  Line memory("memory");
  memory.Bytes("", view.memory_bytes);
  if (view.memory_limit_bytes.value_or(0) > 0) {
    memory.Bytes("of", view.memory_limit_bytes);
  }
  memory.Bytes("resident", view.resident_bytes);
  for (const auto& [use, bytes] : view.memory_uses) {
    memory.Bytes(use, bytes);
  }
  memory.AppendTo(lines);
  if (view.cpu_seconds.has_value()) {
    Line("cpu").Add("", output::Fixed(*view.cpu_seconds * 100, 0) + " %").AppendTo(lines);
  }
  if (view.cache_hit_share.has_value()) {
    Line("cache hits")
        .Add("", output::Fixed(*view.cache_hit_share * 100, 1) + " %")
        .AppendTo(lines);
  }
  Line levels("levels");
  for (const LevelRow& level : view.levels) {
    levels.Add(level.name, Count(level.tables) + " tables, " + Size(level.bytes));
  }
  levels.AppendTo(lines);
  if (view.delay_micros.has_value()) {
    const bool none = *view.delay_micros <= 0;
    Line("writes wait")
        .Add("", none ? "no" : Micros(*view.delay_micros) + " each: " + view.delay_cause)
        .AppendTo(lines);
  }
  if (!view.background_error.empty()) {
    Line("ERROR").Add("", output::Escape(view.background_error)).AppendTo(lines);
  }
}

void AddCommands(const View& view, std::vector<std::string>& lines) {
  if (view.commands.empty()) {
    return;
  }
  constexpr size_t kColumns = 11;
  lines.emplace_back();
  std::string head = Left("command", kTitleColumns);
  for (const char* name : {"calls/s", "mean", "p50", "p99", "p99.9"}) {
    head += Right(name, kColumns);
  }
  lines.push_back(head);
  for (const CommandRow& row : view.commands) {
    std::string line = Left(output::Escape(row.name), kTitleColumns) +
                       Right(Count(row.calls_per_second), kColumns);
    for (const auto& micros : {row.mean_micros, row.p50_micros, row.p99_micros, row.p999_micros}) {
      line += Right(micros.has_value() ? Micros(*micros) : "-", kColumns);
    }
    lines.push_back(line);
  }
}

void AddSlow(const View& view, int64_t now, std::vector<std::string>& lines) {
  if (view.slow.empty()) {
    return;
  }
  lines.emplace_back();
  lines.emplace_back("slow commands");
  for (const SlowCommand& slow : view.slow) {
    lines.push_back(Right(Age(now - slow.unix_seconds) + " ago", kTitleColumns) +
                    Right(Micros(static_cast<double>(slow.micros)), 11) + "  " + slow.words);
  }
}

std::string Cut(const std::string& line, size_t columns) {
  size_t shown = 0;
  size_t at = 0;
  while (at < line.size() && shown < columns) {
    at += std::max<size_t>(1, output::Utf8Length(std::string_view(line).substr(at)));
    ++shown;
  }
  return line.substr(0, at);
}

void Put(output::Json& json, std::string_view name, std::optional<double> value) {
  if (value.has_value()) {
    json.Key(name).Ratio(*value);
  }
}

void PutCommands(const View& view, output::Json& json) {
  json.Key("commands").BeginArray();
  for (const CommandRow& row : view.commands) {
    json.BeginObject().Key("name").Text(row.name);
    json.Key("calls_per_second").Ratio(row.calls_per_second);
    Put(json, "mean_micros", row.mean_micros);
    Put(json, "p50_micros", row.p50_micros);
    Put(json, "p99_micros", row.p99_micros);
    Put(json, "p99.9_micros", row.p999_micros);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

std::vector<std::string> Lines(const View& view, size_t columns, int64_t now_unix_seconds) {
  std::vector<std::string> lines;
  std::string head = "luna top   " + view.server + "   " + view.version;
  if (view.uptime_seconds.has_value()) {
    head += "   up " + Age(static_cast<int64_t>(*view.uptime_seconds));
  }
  lines.push_back(head);
  lines.emplace_back();
  AddRates(view, lines);
  AddState(view, lines);
  AddCommands(view, lines);
  AddSlow(view, now_unix_seconds, lines);
  for (std::string& line : lines) {
    line = Cut(line, columns);
  }
  return lines;
}

std::string Json(const View& view) {
  output::Json json;
  json.BeginObject().Key("server").Text(view.server).Key("version").Text(view.version);
  Put(json, "uptime_seconds", view.uptime_seconds);
  Put(json, "requests_per_second", view.requests);
  Put(json, "reads_per_second", view.reads);
  Put(json, "writes_per_second", view.writes);
  Put(json, "errors_per_second", view.errors);
  Put(json, "conflicts_per_second", view.conflicts);
  Put(json, "rounds_per_second", view.rounds);
  Put(json, "bytes_in_per_second", view.bytes_in);
  Put(json, "bytes_out_per_second", view.bytes_out);
  Put(json, "journal_bytes_per_second", view.journal_bytes);
  Put(json, "cpu_seconds_per_second", view.cpu_seconds);
  Put(json, "connections", view.connections);
  Put(json, "max_connections", view.max_connections);
  Put(json, "read_queue", view.read_queue);
  Put(json, "write_queue", view.write_queue);
  Put(json, "open_transactions", view.transactions);
  Put(json, "memory_bytes", view.memory_bytes);
  Put(json, "memory_limit_bytes", view.memory_limit_bytes);
  Put(json, "resident_bytes", view.resident_bytes);
  json.Key("memory_uses").BeginObject();
  for (const auto& [use, bytes] : view.memory_uses) {
    Put(json, use, bytes);
  }
  json.EndObject();
  Put(json, "cache_hit_share", view.cache_hit_share);
  json.Key("levels").BeginArray();
  for (const LevelRow& level : view.levels) {
    json.BeginObject().Key("name").Text(level.name);
    json.Key("tables").Ratio(level.tables).Key("bytes").Ratio(level.bytes).EndObject();
  }
  json.EndArray();
  Put(json, "delay_micros", view.delay_micros);
  json.Key("delay_cause").Text(view.delay_cause);
  json.Key("background_error").Text(view.background_error);
  PutCommands(view, json);
  json.Key("slow").BeginArray();
  for (const SlowCommand& slow : view.slow) {
    json.BeginObject().Key("unix_seconds").Number(slow.unix_seconds);
    json.Key("micros").Number(slow.micros).Key("command").Text(slow.words).EndObject();
  }
  return json.EndArray().EndObject().text();
}

}  // namespace luna::top
