// Elsewhere: what a server that follows does with requests: those it answers itself, those it
// refuses, and how a client whose request is for the leader is introduced there.
// A connection begins here. Whatever says who the client is, or where it goes on, is answered and
// kept in its session; READONLY keeps it here. The first request for the leader sends it there: the
// session is said to the leader as requests of its own, whose replies the client does not hear.
// Thread rule: pure functions; Departing is owned by one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "runtime/network.h"
#include "service/command/command.h"

namespace luna::command {

// A client on its way to the leader, with what is to be sent there before anything else of it.
struct Departing {
  std::unique_ptr<runtime::Socket> client;
  std::string bytes = {};  // its introduction, then what it asked for and nobody answered
  size_t unheard = 0;      // the first so many replies are to the introduction
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

// Makes a new session at the leader what this one is.
void Introduce(const Session& session, Departing& departing);

}  // namespace luna::command
