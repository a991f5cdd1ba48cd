#include "service/resp/reply_parser.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "base/text.h"
#include "base/try.h"
#include "service/resp/protocol.h"

namespace luna::resp {

namespace {

constexpr size_t kMaxLineBytes = size_t{1} << 20;
constexpr size_t kMaxDepth = 64;
constexpr size_t kKeptBytes = size_t{64} << 10;

Error Bad(std::string what) {
  return {Reason::kBadInput, "the reply is no RESP: " + std::move(what) +
                                 "; check that the address is that of a Luna or Redis server"};
}

Result<int64_t> ParseNumber(std::string_view line) {
  int64_t value = 0;
  const std::string_view digits = line.starts_with('+') ? line.substr(1) : line;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return Bad("'" + base::Printable(line) + "' is no number");
  }
  return value;
}

Result<double> ParseDouble(std::string_view line) {
  if (line == "inf" || line == "-inf") {
    const double infinity = std::numeric_limits<double>::infinity();
    return line[0] == '-' ? -infinity : infinity;
  }
  if (line == "nan" || line == "-nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  double value = 0;
  const char* const end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return Bad("'" + base::Printable(line) + "' is no floating-point number");
  }
  return value;
}

Reply Text(Reply::Kind kind, std::string_view text) {
  Reply reply;
  reply.kind = kind;
  reply.text = text;
  return reply;
}

Result<Reply> ParseLine(char kind, std::string_view line) {
  Reply reply;
  switch (kind) {
    case '+':
      return Text(Reply::Kind::kSimple, line);
    case '-':
      return Text(Reply::Kind::kError, line);
    case '(':
      return Text(Reply::Kind::kBigNumber, line);
    case '_':
      return reply;
    case ':':
      reply.kind = Reply::Kind::kInteger;
      reply.integer = TRY(ParseNumber(line));
      return reply;
    case ',':
      reply.kind = Reply::Kind::kDouble;
      reply.number = TRY(ParseDouble(line));
      return reply;
    case '#':
      if (line != "t" && line != "f") {
        return Bad("a boolean is neither t nor f");
      }
      reply.kind = Reply::Kind::kBoolean;
      reply.integer = line == "t" ? 1 : 0;
      return reply;
    default:
      return Bad("no reply begins with '" + base::Printable({&kind, 1}) + "'");
  }
}

}  // namespace

void ReplyParser::Feed(std::string_view bytes) {
  if (begin_ == buffer_.size()) {
    buffer_.clear();
    begin_ = 0;
    if (buffer_.capacity() > kKeptBytes) {
      std::string().swap(buffer_);
    }
  } else if (begin_ > buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(bytes);
}

Result<std::optional<Reply>> ReplyParser::Next() {
  if (failure_) {
    return *failure_;
  }
  while (!done_) {
    const Result<bool> step = Step();
    if (!step.ok()) {
      failure_ = step.error();
      return step.error();
    }
    if (!*step) {
      return std::optional<Reply>();
    }
  }
  return std::exchange(done_, std::nullopt);
}

Result<bool> ReplyParser::Step() {
  const std::string_view there = std::string_view(buffer_).substr(begin_);
  if (there.empty()) {
    return false;
  }
  const size_t end = there.substr(0, kMaxLineBytes).find("\r\n");
  if (end == std::string_view::npos) {
    if (there.size() >= kMaxLineBytes) {
      return Bad("a line of more than 1 MiB");
    }
    return false;
  }
  if (end == 0) {
    return Bad("an empty line");
  }
  const char kind = there[0];
  const std::string_view line = there.substr(1, end - 1);
  switch (kind) {
    case '$':
    case '=':
    case '!':
      return ReadBulk(kind, line, end + 2);
    case '*':
    case '%':
    case '~':
    case '>':
    case '|':
      TRY(OpenAggregate(kind, line));
      break;
    default:
      Complete(TRY(ParseLine(kind, line)));
  }
  begin_ += end + 2;
  return true;
}

Result<bool> ReplyParser::ReadBulk(char kind, std::string_view line, size_t behind) {
  const int64_t length = TRY(ParseNumber(line));
  if (length == -1 && kind == '$') {
    begin_ += behind;
    Complete({});
    return true;
  }
  if (length < 0 || static_cast<uint64_t>(length) > Limits{}.bulk_bytes) {
    return Bad("a bulk of " + std::to_string(length) + " bytes");
  }
  const size_t bytes = static_cast<size_t>(length);
  if (buffer_.size() - begin_ < behind + bytes + 2) {
    return false;
  }
  std::string_view text = std::string_view(buffer_).substr(begin_ + behind, bytes);
  if (buffer_.compare(begin_ + behind + bytes, 2, "\r\n") != 0) {
    return Bad("a bulk longer than it says");
  }
  begin_ += behind + bytes + 2;
  if (kind == '=') {
    if (text.size() < 4 || text[3] != ':') {
      return Bad("a verbatim text without its kind");
    }
    text.remove_prefix(4);
  }
  Complete(Text(kind == '='   ? Reply::Kind::kVerbatim
                : kind == '!' ? Reply::Kind::kError
                              : Reply::Kind::kBulk,
                text));
  return true;
}

Status ReplyParser::OpenAggregate(char kind, std::string_view line) {
  const int64_t count = TRY(ParseNumber(line));
  if (count == -1 && kind == '*') {
    Complete({});
    return {};
  }
  if (count < 0 || count > std::numeric_limits<int32_t>::max()) {
    return Bad(std::to_string(count) + " elements");
  }
  if (open_.size() >= kMaxDepth) {
    return Bad("more than " + std::to_string(kMaxDepth) + " levels");
  }
  Open open;
  open.reply.kind = kind == '*'   ? Reply::Kind::kArray
                    : kind == '~' ? Reply::Kind::kSet
                    : kind == '>' ? Reply::Kind::kPush
                                  : Reply::Kind::kMap;
  open.missing = static_cast<size_t>(count) * (kind == '%' || kind == '|' ? 2 : 1);
  open.attribute = kind == '|';
  if (open.missing > 0) {
    open_.push_back(std::move(open));
  } else if (!open.attribute) {
    Complete(std::move(open.reply));
  }
  return {};
}

void ReplyParser::Complete(Reply reply) {
  while (!open_.empty()) {
    Open& top = open_.back();
    top.reply.elements.push_back(std::move(reply));
    if (--top.missing > 0) {
      return;
    }
    const bool attribute = top.attribute;
    reply = std::move(top.reply);
    open_.pop_back();
    if (attribute) {
      return;  // what it is of comes next
    }
  }
  done_ = std::move(reply);
}

std::string ReplyParser::TakeRest() {
  std::string rest = buffer_.substr(begin_);
  buffer_.clear();
  begin_ = 0;
  return rest;
}

std::string Request(std::span<const std::string_view> arguments) {
  std::string out = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string_view argument : arguments) {
    out += "$" + std::to_string(argument.size()) + "\r\n";
    out += argument;
    out += "\r\n";
  }
  return out;
}

}  // namespace luna::resp
