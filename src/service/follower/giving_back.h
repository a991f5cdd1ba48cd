// giving_back: how a server that was passed a client, and leads no more, gives it back to the
// server that passed it on, from which it goes on to the next leader. Who passes a client on makes
// a mark for the connection and says it in its greeting:
//
//   GROUP LEADS mark
//
// Whoever then leads no more answers what it began, and after the last reply writes
//
//   mark                                        bare, between two replies; then it reads on until
//                                               the other side's end, which the mark calls for
//   *4 introduction, unheard, version, bytes    as of a Departing; version is 2 or 3; then its end
//
// What was sent before that end and nobody began is the last of `bytes`: nothing is done twice, and
// nothing is left out.
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "service/command/elsewhere.h"
#include "service/resp/reply_parser.h"

namespace luna::follower {

// Of a client that is given back: what it asked for and nobody began. Who asked for more is closed.
inline constexpr size_t kGivenBytes = 2 * command::kCarriedBytes;

std::string Greeting(std::string_view mark);
// Whether what begins with `first` is a greeting, with or without a mark.
enum class IsGreeting : uint8_t { kNo, kPerhaps, kYes };
IsGreeting JudgeGreeting(std::string_view first);

// The array behind the mark; of `client` the socket is not used, nor whom it is for.
std::string GivenBack(const command::Departing& client);
// What the array says, without a socket; nothing: this is no such array.
std::optional<command::Departing> TakenBack(resp::Reply given);

}  // namespace luna::follower
