#include "service/command/latency_graph.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace luna::command {
namespace {

constexpr size_t kColumns = 80;
constexpr size_t kRows = 4;
constexpr std::string_view kTops = "_o#";  // a third, two thirds and all of a row

struct Column {
  size_t height = 0;  // in thirds of a row, above the least
  std::string age;
};

std::string AgeText(uint64_t seconds) {
  constexpr uint64_t kMinute = 60;
  constexpr uint64_t kHour = 60 * kMinute;
  constexpr uint64_t kDay = 24 * kHour;
  if (seconds < kMinute) {
    return std::to_string(seconds) + "s";
  }
  if (seconds < kHour) {
    return std::to_string(seconds / kMinute) + "m";
  }
  return seconds < kDay ? std::to_string(seconds / kHour) + "h"
                        : std::to_string(seconds / kDay) + "d";
}

char Letter(const Column& column, size_t row) {
  const size_t top = column.height / kTops.size();
  if (row > top) {
    return ' ';
  }
  return row == top ? kTops[column.height % kTops.size()] : '|';
}

std::string Draw(std::span<const Column> columns) {
  std::string text;
  for (size_t row = kRows; row-- > 0;) {
    for (const Column& column : columns) {
      text += Letter(column, row);
    }
    text += "\n";
  }
  text += std::string(columns.size(), ' ') + "\n";
  size_t longest = 0;
  for (const Column& column : columns) {
    longest = std::max(longest, column.age.size());
  }
  for (size_t i = 0; i < longest; ++i) {
    for (const Column& column : columns) {
      text += i < column.age.size() ? column.age[i] : ' ';
    }
    text += "\n";
  }
  return text;
}

}  // namespace

std::string LatencyGraph(const LatencyRow& row, uint64_t now_unix_seconds) {
  constexpr size_t kSteps = kRows * kTops.size();
  const auto [least, greatest] = std::ranges::minmax(row.samples, {}, &LatencySample::millis);
  const uint64_t range = std::max<uint64_t>(greatest.millis - least.millis, 1);
  std::vector<Column> columns;
  for (const LatencySample& sample : row.samples) {
    const uint64_t height = (sample.millis - least.millis) * kSteps / range;
    columns.push_back(
        {.height = std::min<uint64_t>(height, kSteps - 1),
         .age = AgeText(now_unix_seconds - std::min(now_unix_seconds, sample.unix_seconds))});
  }
  std::string text = row.event + " - high " + std::to_string(greatest.millis) + " ms, low " +
                     std::to_string(least.millis) + " ms (all time high " +
                     std::to_string(row.most_millis) + " ms)\n" + std::string(kColumns, '-') + "\n";
  for (size_t begin = 0; begin < columns.size(); begin += kColumns) {
    text += begin == 0 ? "" : "\n";
    text += Draw(std::span(columns).subspan(begin, std::min(kColumns, columns.size() - begin)));
  }
  return text;
}

}  // namespace luna::command
