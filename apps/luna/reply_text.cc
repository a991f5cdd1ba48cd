#include "apps/luna/reply_text.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "apps/output/escape.h"
#include "apps/output/json.h"

namespace luna::cli {
namespace {

using resp::Reply;
using Kind = resp::Reply::Kind;

constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kCyan = "\x1b[36m";
constexpr std::string_view kGrey = "\x1b[90m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string DoubleText(double number) {
  if (std::isnan(number)) {
    return "nan";
  }
  if (std::isinf(number)) {
    return number < 0 ? "-inf" : "inf";
  }
  char digits[64];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), number);
  return {digits, end};
}

std::string Quoted(std::string_view bytes) {
  std::string quoted = "\"";
  for (const char c : output::Escape(bytes)) {
    if (c == '"') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + "\"";
}

// What a person reads on a terminal.
class Pretty {
 public:
  explicit Pretty(bool colours) : colours_(colours) {}

  // Without a line end; lines after the first are indented by `indent`.
  std::string Of(const Reply& reply, size_t indent) const {
    switch (reply.kind) {
      case Kind::kSimple:
        return output::Escape(reply.text, output::Keep::kLines);
      case Kind::kError:
        return In(kRed, "(error) " + output::Escape(reply.text, output::Keep::kBackslashes));
      case Kind::kInteger:
        return In(kCyan, "(integer) " + std::to_string(reply.integer));
      case Kind::kBulk:
        return Quoted(reply.text);
      case Kind::kVerbatim:
        return output::Escape(Unix(reply.text), output::Keep::kLines);
      case Kind::kNull:
        return In(kGrey, "(nil)");
      case Kind::kDouble:
        return In(kCyan, "(double) " + DoubleText(reply.number));
      case Kind::kBoolean:
        return In(kCyan, reply.integer != 0 ? "(true)" : "(false)");
      case Kind::kBigNumber:
        return In(kCyan, "(big number) " + reply.text);
      case Kind::kMap:
        return Pairs(reply, indent);
      case Kind::kArray:
      case Kind::kSet:
      case Kind::kPush:
        break;
    }
    return Elements(reply, indent);
  }

 private:
  std::string In(std::string_view colour, const std::string& text) const {
    return colours_ ? std::string(colour) + text + std::string(kPlain) : text;
  }

  static std::string Unix(std::string_view text) {
    std::string lines;
    for (const char c : text) {
      if (c != '\r') {
        lines += c;
      }
    }
    return lines;
  }

  std::string Index(size_t number, size_t count, char mark) const {
    const std::string digits = std::to_string(number);
    const size_t width = std::to_string(count).size();
    return std::string(width - digits.size(), ' ') + In(kGrey, digits + mark) + " ";
  }

  std::string Elements(const Reply& reply, size_t indent) const {
    if (reply.elements.empty()) {
      return In(kGrey, reply.kind == Kind::kSet ? "(empty set)" : "(empty array)");
    }
    const size_t count = reply.elements.size();
    const size_t inner = indent + std::to_string(count).size() + 2;
    std::string text;
    for (size_t i = 0; i < count; ++i) {
      text += i == 0 ? "" : "\n" + std::string(indent, ' ');
      text += Index(i + 1, count, reply.kind == Kind::kSet ? '~' : ')');
      text += Of(reply.elements[i], inner);
    }
    return text;
  }

  std::string Pairs(const Reply& reply, size_t indent) const {
    if (reply.elements.empty()) {
      return In(kGrey, "(empty map)");
    }
    const size_t count = reply.elements.size() / 2;
    const size_t inner = indent + std::to_string(count).size() + 2;
    std::string text;
    for (size_t i = 0; i < count; ++i) {
      const Reply& value = reply.elements[2 * i + 1];
      text += i == 0 ? "" : "\n" + std::string(indent, ' ');
      text += Index(i + 1, count, '#') + Of(reply.elements[2 * i], inner) + " => ";
      const bool below = !value.elements.empty();
      text += below ? "\n" + std::string(inner, ' ') : "";
      text += Of(value, inner);
    }
    return text;
  }

  const bool colours_;
};

// A leaf as it is, without quotes.
std::string Plain(const Reply& reply) {
  switch (reply.kind) {
    case Kind::kInteger:
      return std::to_string(reply.integer);
    case Kind::kBoolean:
      return reply.integer != 0 ? "true" : "false";
    case Kind::kDouble:
      return DoubleText(reply.number);
    default:
      return reply.text;
  }
}

bool IsAggregate(const Reply& reply) {
  return reply.kind == Kind::kArray || reply.kind == Kind::kMap || reply.kind == Kind::kSet ||
         reply.kind == Kind::kPush;
}

void AppendLines(const Reply& reply, std::string& lines) {
  if (!IsAggregate(reply)) {
    lines += Plain(reply) + "\n";
    return;
  }
  for (const Reply& element : reply.elements) {
    AppendLines(element, lines);
  }
}

void AppendCells(const Reply& reply, std::string& cells) {
  if (IsAggregate(reply)) {
    for (const Reply& element : reply.elements) {
      AppendCells(element, cells);
    }
    return;
  }
  cells += cells.empty() ? "" : ",";
  if (reply.kind == Kind::kInteger || reply.kind == Kind::kDouble || reply.kind == Kind::kNull) {
    cells += Plain(reply);
    return;
  }
  cells += '"';
  for (const char c : Plain(reply)) {
    cells += c == '"' ? "\"\"" : std::string(1, c);
  }
  cells += '"';
}

void AppendJson(const Reply& reply, output::Json& json) {
  // What a double holds exactly; greater integers (timestamps) become strings.
  constexpr int64_t kExact = int64_t{1} << 53;
  switch (reply.kind) {
    case Kind::kInteger:
      if (reply.integer > kExact || reply.integer < -kExact) {
        json.Text(std::to_string(reply.integer));
      } else {
        json.Number(reply.integer);
      }
      return;
    case Kind::kNull:
      json.Null();
      return;
    case Kind::kBoolean:
      json.Bool(reply.integer != 0);
      return;
    case Kind::kDouble:
      std::isfinite(reply.number) ? json.Literal(DoubleText(reply.number))
                                  : json.Text(DoubleText(reply.number));
      return;
    case Kind::kError:
      json.BeginObject().Key("error").Text(reply.text).EndObject();
      return;
    case Kind::kMap:
      json.BeginObject();
      for (size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
        const std::string name = Plain(reply.elements[i]);
        json.Key(output::IsUtf8(name) ? name : output::Escape(name));
        AppendJson(reply.elements[i + 1], json);
      }
      json.EndObject();
      return;
    case Kind::kArray:
    case Kind::kSet:
    case Kind::kPush:
      json.BeginArray();
      for (const Reply& element : reply.elements) {
        AppendJson(element, json);
      }
      json.EndArray();
      return;
    default:
      json.Bytes(reply.text);
  }
}

}  // namespace

std::string TextOf(const Reply& reply, Look look, bool colours) {
  std::string text;
  switch (look) {
    case Look::kJson: {
      output::Json json;
      AppendJson(reply, json);
      return json.text() + "\n";
    }
    case Look::kCsv:
      AppendCells(reply, text);
      return text + "\n";
    case Look::kLines:
    case Look::kRaw:
      if (reply.kind == Kind::kNull) {
        return text;
      }
      if (look == Look::kRaw && (reply.kind == Kind::kBulk || reply.kind == Kind::kVerbatim)) {
        return reply.text;
      }
      AppendLines(reply, text);
      return text;
    default:
      break;
  }
  text = Pretty(colours).Of(reply, 0);
  return text.ends_with('\n') ? text : text + "\n";
}

std::string ErrorText(const Reply& reply, bool colours) {
  return Pretty(colours).Of(reply, 0) + "\n";
}

}  // namespace luna::cli
