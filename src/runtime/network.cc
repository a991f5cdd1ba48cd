#include "runtime/network.h"

#include <charconv>

#include "base/text.h"

namespace luna::runtime {

Result<HostAndPort> ParseAddress(std::string_view address) {
  const auto refuse = [&](std::string_view why) {
    return Error(Reason::kBadOption, "the address \"" + base::Printable(address) + "\" " +
                                         std::string(why) +
                                         "; write HOST:PORT, as 127.0.0.1:6479 or [::1]:6479");
  };
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) {
    return refuse("has no port");
  }
  std::string_view host = address.substr(0, colon);
  const std::string_view digits = address.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of("[]:") != std::string_view::npos) {
    return refuse("has a host that is none (IPv6 stands in brackets)");
  }
  if (host.empty() || host.find_first_of(" \t\r\n/") != std::string_view::npos) {
    return refuse("has no host");
  }
  HostAndPort parsed{.host = std::string(host)};
  const char* end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, parsed.port);
  if (failure != std::errc() || stop != end) {
    return refuse("has a port that is no number of 0 to 65535");
  }
  return parsed;
}

std::string FormatAddress(const HostAndPort& address) {
  const std::string port = ":" + std::to_string(address.port);
  return address.is_v6() ? "[" + address.host + "]" + port : address.host + port;
}

}  // namespace luna::runtime
