// Elsewhere: what a server that follows does with requests: those it answers itself, those it
// refuses, and how a client that goes on elsewhere is introduced there.
// A connection begins here. Whatever says who the client is, or where it goes on, is answered and
// kept in its session; READONLY keeps it here. The first request for the leader sends it there: the
// session is said to the leader as requests of its own, whose replies the client does not hear.
// When the lead moves, connections between two requests go on in the same way: from the service
// that ends to the port that begins, and back.
// Thread rule: pure functions; Departing is owned by one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "luna/status.h"
#include "runtime/network.h"
#include "service/command/command.h"
#include "service/resp/protocol.h"

namespace luna::command {

class CommandTable;

// Of who goes on elsewhere: bytes that were received and that nobody began. Who has more is closed.
inline constexpr size_t kCarriedBytes = size_t{1} << 20;

// A mark: the word by which a server that is passed a client gives it back to the one that passed
// it on, amid the client's replies. Whoever dials makes it, for one connection; a client that knew
// one could have another client go on as whom it likes.
inline constexpr size_t kMarkDigits = 32;  // hexadecimal, in lower case
bool IsMark(std::string_view word);

// A client on its way to whoever answers it next.
struct Departing {
  std::unique_ptr<runtime::Socket> client;
  // Requests that make a new session what its session was; empty: it has a new one. They are said
  // and answered before anything of the client's. An error ends the connection: what the client
  // asks for would be done as another user, or in another collection.
  std::string introduction = {};
  size_t unheard = 0;      // replies to them, which are not for the client
  std::string bytes = {};  // what the client asked for and nobody began, as far as it was read
  resp::Version version = resp::Version::k2;  // of the replies it expects
  bool for_leader = false;  // a server that follows sent it away: it does not go back there
  // Of the server that passed it on to here, and is what `client` connects to: it is given back by
  // this word. Empty: nobody did.
  std::string mark = {};
};

// The error where the leader has this address; empty: nobody is known to lead.
std::string RefusalText(std::string_view leader);
// The same where the leader of the host's group is.
std::string RefusalText(Host& host);

// Whether a server that follows answers the request, of a session that did not say READONLY: who
// logs in or names a collection must be known here, else the leader may know better. Null: false.
bool IsAnsweredHere(const Command* command, const Session& session, Host& host,
                    std::span<const std::string_view> arguments);
// Whether it refuses the command of a session that did.
bool NeedsLeader(const Command& command);

// Whether Introduce says everything that makes the session what it is: not within MULTI, WATCH or
// BEGIN, and not when nobody knows the password any more.
bool MayBeIntroduced(const Session& session, Host& host);
// Makes a new session elsewhere what this one is.
void Introduce(const Session& session, Departing& departing);
// Says the introduction here, to a new session. False: it is for the leader, unheard. An error is
// its text, with the word before it, as the client is to hear it.
Result<bool> TakeIntroduction(const CommandTable& table, Session& session, Host& host,
                              std::string_view introduction);

}  // namespace luna::command
