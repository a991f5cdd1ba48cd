#include "service/follower/giving_back.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace luna::follower {

namespace {

using resp::Reply;

}  // namespace

std::string Greeting(std::string_view mark) {
  const std::array<std::string_view, 3> words = {"GROUP", "LEADS", mark};
  return resp::Request(words);
}

IsGreeting JudgeGreeting(std::string_view first) {
  IsGreeting best = IsGreeting::kNo;
  for (const std::string_view greeting :
       {"*2\r\n$5\r\nGROUP\r\n$5\r\nLEADS\r\n", "*3\r\n$5\r\nGROUP\r\n$5\r\nLEADS\r\n"}) {
    if (first.starts_with(greeting)) {
      return IsGreeting::kYes;
    }
    best = greeting.starts_with(first) ? IsGreeting::kPerhaps : best;
  }
  return best;
}

std::string GivenBack(const command::Departing& client) {
  const std::string unheard = std::to_string(client.unheard);
  const std::string version = std::to_string(static_cast<int>(client.version));
  const std::array<std::string_view, 4> words = {client.introduction, unheard, version,
                                                 client.bytes};
  return resp::Request(words);
}

std::optional<command::Departing> TakenBack(Reply given) {
  const auto is_bulk = [](const Reply& one) { return one.kind == Reply::Kind::kBulk; };
  if (given.kind != Reply::Kind::kArray || given.elements.size() != 4 ||
      !std::ranges::all_of(given.elements, is_bulk)) {
    return std::nullopt;
  }
  command::Departing client;
  const std::string& unheard = given.elements[1].text;
  const char* const end = unheard.data() + unheard.size();
  const auto parsed = std::from_chars(unheard.data(), end, client.unheard);
  const std::string& version = given.elements[2].text;
  if (parsed.ec != std::errc() || parsed.ptr != end || (version != "2" && version != "3")) {
    return std::nullopt;
  }
  client.version = version == "3" ? resp::Version::k3 : resp::Version::k2;
  client.introduction = std::move(given.elements[0].text);
  client.bytes = std::move(given.elements[3].text);
  return client;
}

}  // namespace luna::follower
