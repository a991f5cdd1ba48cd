#include "apps/top/sample.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/text.h"

namespace luna::top {
namespace {

constexpr size_t kWordsBytesMax = 60;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::string TextOf(const resp::Reply& reply) {
  switch (reply.kind) {
    case resp::Reply::Kind::kInteger:
      return std::to_string(reply.integer);
    case resp::Reply::Kind::kDouble:
      return std::to_string(reply.number);
    default:
      return reply.text;
  }
}

}  // namespace

std::optional<double> Sample::Number(std::string_view name) const {
  const std::string text = Text(name);
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (text.empty() || failure != std::errc() || rest != end) {
    return std::nullopt;
  }
  return number;
}

std::string Sample::Text(std::string_view name) const {
  for (const Fields* fields : {&info, &stats}) {
    if (const auto found = fields->find(name); found != fields->end()) {
      return found->second;
    }
  }
  return "";
}

Fields ParseInfo(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    const size_t colon = line.find(':');
    if (!line.starts_with('#') && colon != std::string_view::npos) {
      fields.emplace(line.substr(0, colon), line.substr(colon + 1));
    }
  }
  return fields;
}

Fields ParsePairs(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos) {
      fields.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    }
  }
  return fields;
}

Fields ParseStats(const resp::Reply& reply) {
  Fields fields;
  for (size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    fields.emplace(reply.elements[i].text, TextOf(reply.elements[i + 1]));
  }
  return fields;
}

std::vector<SlowCommand> ParseSlow(const resp::Reply& reply) {
  std::vector<SlowCommand> slow;
  for (const resp::Reply& row : reply.elements) {
    if (row.elements.size() < 4) {
      continue;
    }
    SlowCommand command = {.id = row.elements[0].integer,
                           .unix_seconds = row.elements[1].integer,
                           .micros = row.elements[2].integer,
                           .words = {}};
    for (const resp::Reply& word : row.elements[3].elements) {
      command.words += (command.words.empty() ? "" : " ") + base::Printable(word.text, 24);
    }
    if (command.words.size() > kWordsBytesMax) {
      command.words = command.words.substr(0, kWordsBytesMax - 3) + "...";
    }
    slow.push_back(std::move(command));
  }
  return slow;
}

Kinds ParseKinds(const resp::Reply& reply) {
  Kinds kinds;
  for (const resp::Reply& row : reply.elements) {
    if (row.elements.size() < 3) {
      continue;
    }
    for (const resp::Reply& flag : row.elements[2].elements) {
      if (flag.text == "write") {
        kinds.writes.insert(Lower(row.elements[0].text));
      } else if (flag.text == "readonly") {
        kinds.reads.insert(Lower(row.elements[0].text));
      }
    }
  }
  return kinds;
}

}  // namespace luna::top
