#include "kernel/rados/location.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/try.h"

namespace luna::rados {

namespace {

constexpr uint64_t kMaxTimeoutSeconds = 3600;

Error Bad(std::string_view url, const std::string& why) {
  return Error(Reason::kBadOption,
               "location '" + std::string(url) + "': " + why +
                   "; use rados:POOL?conf=PATH&namespace=NAME&client=NAME&timeout=SECONDS");
}

bool IsPlain(std::string_view name) {
  return !name.empty() && name.size() <= 200 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
         });
}

Status SetOption(std::string_view url, std::string_view name, std::string_view value,
                 Location& location) {
  if (name == "conf") {
    location.conf = value;
    return value.empty() ? Status(Bad(url, "conf is empty")) : Status();
  }
  if (name == "namespace" || name == "client") {
    (name == "client" ? location.client : location.name_space) = value;
    return IsPlain(value) ? Status()
                          : Status(Bad(url, std::string(name) + " '" + std::string(value) +
                                                "' is not made of A-Z a-z 0-9 . _ -"));
  }
  if (name == "timeout") {
    const char* const end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, location.timeout_seconds);
    const bool good = parsed.ec == std::errc() && parsed.ptr == end &&
                      location.timeout_seconds >= 1 &&
                      location.timeout_seconds <= kMaxTimeoutSeconds;
    return good ? Status()
                : Status(Bad(url, "timeout '" + std::string(value) + "' is not 1 to 3600 seconds"));
  }
  return Bad(url, "unknown option '" + std::string(name) + "'");
}

}  // namespace

Result<Location> ParseLocation(std::string_view url) {
  std::string_view rest = url;
  if (!rest.starts_with(kScheme) || rest.substr(kScheme.size()).substr(0, 1) != ":") {
    return Bad(url, "it does not begin with rados:");
  }
  rest.remove_prefix(kScheme.size() + 1);
  Location location;
  const size_t question = rest.find('?');
  location.pool = rest.substr(0, question);
  if (!IsPlain(location.pool)) {
    return Bad(url, "the pool '" + location.pool + "' is not made of A-Z a-z 0-9 . _ -");
  }
  rest = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  while (!rest.empty()) {
    const std::string_view option = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(option.size() + 1, rest.size()));
    const size_t equals = option.find('=');
    if (equals == std::string_view::npos) {
      return Bad(url, "'" + std::string(option) + "' is no NAME=VALUE");
    }
    TRY(SetOption(url, option.substr(0, equals), option.substr(equals + 1), location));
  }
  return location;
}

}  // namespace luna::rados
