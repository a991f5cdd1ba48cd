// What servers of a group say to one another, as plain values. The lists are closed: a peer that
// asks anything else is of a newer build and is told so (kNotSupported).
// Every request may be handled twice, or late, after its sender gave up: none of them is wrong
// then.
// Thread rule: immutable values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace luna::wire {

// A server by the two addresses others know it by. Both are "HOST:PORT".
struct Server {
  std::string clients = {};  // where it talks to clients: its name in the group
  std::string peers = {};    // where it listens to other servers; empty: nowhere, or not known
  bool operator==(const Server&) const = default;
};

// --- Requests ---
// Of a follower, for a strong read: how far must it have applied the stream to have everything that
// was acknowledged, or read, before it asked; and how far may it tell what it has? Answered while
// the leader's lease, or a question to the stream, says that it still leads.
struct ReadIndex {
  std::string group = {};
  uint64_t epoch = 0;  // the newest that the follower knows
  bool operator==(const ReadIndex&) const = default;
};
// Of the leader, a hint: its stream has grown. One is on its way to a follower at a time.
struct Appended {
  std::string group = {};
  uint64_t epoch = 0;
  uint64_t tail = 0;    // the newest sequence that was acknowledged
  uint64_t closed = 0;  // the timestamp in force there; 0: it does not say
  bool last = false;    // the server leads no more
  // With `last`: to whom it gave its lead, after the record at `tail`; empty: to whoever comes
  // first, or that is not known.
  std::string target = {};
  uint64_t end = 0;  // with `last`: where the stream ended, as StreamState's; 0: it does not say
  bool operator==(const Appended&) const = default;
};
// Of anyone. Servers ask their leader once a second; so it knows whom to send hints to.
struct AskStanding {
  std::string group = {};
  Server from = {};      // who asks; empty: somebody who wants no hints
  uint64_t applied = 0;  // there: the sequence up to which everything is
  bool operator==(const AskStanding&) const = default;
};
// Of the leader of that epoch to the one that it gives the lead to next, whatever that answers:
// catch up now.
struct Prepare {
  std::string group = {};
  uint64_t epoch = 0;
  bool operator==(const Prepare&) const = default;
};
using Request = std::variant<ReadIndex, Appended, AskStanding, Prepare>;

// --- Replies ---
struct ReadIndexReply {
  uint64_t epoch = 0;
  uint64_t sequence = 0;   // to be reached
  uint64_t published = 0;  // the leader's readers see everything up to it; 0: an older build
  bool operator==(const ReadIndexReply&) const = default;
};
struct AppendedReply {
  bool operator==(const AppendedReply&) const = default;
};
struct StandingReply {
  static constexpr uint64_t kNever = ~uint64_t{0};
  Server server = {};
  std::string role = {};  // as GROUP STATUS calls it: "leading", "following"
  uint64_t epoch = 0;
  Server leader = {};                     // as far as known
  uint64_t applied = 0;                   // the sequence up to which everything is
  uint64_t complete_age_millis = kNever;  // of the newest moment whose past it knows whole
  std::string build = {};
  bool operator==(const StandingReply&) const = default;
};
struct PrepareReply {
  uint64_t applied = 0;
  bool ready = false;  // it could take the lead with what it has
  bool operator==(const PrepareReply&) const = default;
};
// To what only a leader answers.
struct NotLeader {
  Server leader = {};  // as far as known
  bool operator==(const NotLeader&) const = default;
};
using Reply = std::variant<ReadIndexReply, AppendedReply, StandingReply, PrepareReply, NotLeader>;

}  // namespace luna::wire
