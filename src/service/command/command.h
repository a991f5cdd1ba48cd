// Command: one row of the table that COMMAND, COMMAND DOCS, the dispatcher, ACL and the luna client
// read; and Call, one execution of it. A file a family holds rows and functions.
// Thread rule: Command is immutable; Call is owned by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "luna/status.h"
#include "service/command/access.h"
#include "service/command/host.h"
#include "service/command/session.h"
#include "service/resp/reply_writer.h"

namespace luna::command {

// Where a command runs.
enum class Place : uint8_t {
  kConnection,  // on the connection's own thread: touches the session and the host, no data
  kRead,        // reads data; on the connection's thread or a reader worker
  kWrite,       // writes data; on the writer worker, in the transaction of its round
  kCommit,      // ends a transaction of its own (EXEC, COMMIT) or changes names (DATABASE CREATE):
                // on the writer worker, between rounds
  kSlow,        // may take seconds (BACKUP, COMPACT, VERIFY); on a reader worker
};

// Redis' words, shown by COMMAND INFO; see https://redis.io/commands/command.
enum Flag : uint32_t {
  kFlagWrite = 1u << 0,
  kFlagReadOnly = 1u << 1,
  kFlagDenyOom = 1u << 2,
  kFlagAdmin = 1u << 3,
  kFlagNoScript = 1u << 4,
  kFlagLoading = 1u << 5,
  kFlagStale = 1u << 6,
  kFlagFast = 1u << 7,
  kFlagNoAuth = 1u << 8,          // allowed before AUTH
  kFlagAllowInMulti = 1u << 9,    // runs at once inside MULTI instead of being queued (EXEC, ...)
  kFlagNoMulti = 1u << 10,        // refused inside MULTI
  kFlagPartial = 1u << 11,        // may fail after its first write: the writer sets a savepoint
  kFlagNoTransaction = 1u << 12,  // refused between BEGIN and COMMIT
  kFlagConfirms = 1u << 13,       // asks the ReadGate itself: where there is one, it is kSlow
  kFlagOpensView = 1u << 14,      // chooses the moment it reads at: kSlow, gated, while following
  kFlagAnywhere = 1u << 15,       // also of a server that follows, before READONLY
};

struct Call;
using Function = void (*)(Call&);

struct Command {
  std::string_view name;  // lower case; of a subcommand "client|list"
  int arity = 0;          // with the name; negative: at least
  Place place = Place::kRead;
  uint32_t flags = 0;
  int first_key = 0;  // positions of keys, as in COMMAND INFO; 0 = none
  int last_key = 0;   // negative: from the end
  int key_step = 0;
  std::string_view group;    // "string", "generic", "connection", "transactions", "server", "luna"
  std::string_view since;    // of Redis, or "luna 0.2.0"
  std::string_view summary;  // one line for COMMAND DOCS and hints
  std::string_view syntax;   // the arguments, as redis-cli hints them: "key [NX | XX] [GET]"
  Function run = nullptr;    // null: only subcommands
  std::span<const Command> subcommands = {};
};

// One execution. A function writes exactly one reply, or calls Fail once and returns.
struct Call {
  const Command& command;
  Session& session;
  Host& host;
  Access& access;                               // the data, as this call sees it
  std::span<const std::string_view> arguments;  // [0] is the name as the client wrote it
  resp::ReplyWriter& reply;
  size_t reply_begin = 0;  // reply.size() before this call
  bool failed = false;
  // Of kCommit: something was committed, or may have been. Then no ReadGate is asked: the commit is
  // the proof, and an open outcome must stay what the client is told.
  bool committed = false;

  // The reply becomes this error: "ERR no such key". What was written of it is taken back.
  void Fail(std::string_view text);
  // The engine's error, with the RESP word of docs/errors.md.
  void Fail(const Error& error);
  // "OK", or the error.
  void Answer(const Status& status);
  // Whether the reply may have so many bytes; if not, the call has failed.
  bool MayReply(uint64_t bytes);
  // The session's collection.
  Collection& collection() { return *session.collection; }
};

// Redis' words for frequent failures.
inline constexpr std::string_view kSyntaxError = "ERR syntax error";
inline constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kNotFloat = "ERR value is not a valid float";
inline constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr std::string_view kNoSuchKey = "ERR no such key";
// And Luna's own.
inline constexpr std::string_view kTooMuchHeld =
    "TOOLARGE MULTI and WATCH hold at most 1 GiB; send EXEC or DISCARD, then begin again";
inline constexpr size_t kNameBytesMax = 1024;  // of what clients name for themselves
inline constexpr std::string_view kNameTooLong = "TOOLARGE a name has at most 1024 bytes";

// The first word of the error reply for a reason.
std::string_view RespWord(Reason reason);

// Strict decimal numbers as Redis takes them: no spaces, no plus, no leading zeros.
bool ParseInteger(std::string_view text, int64_t& value);
bool ParseFloat(std::string_view text, long double& value);
// Of ASCII letters; all other bytes stay.
constexpr char LowerLetter(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
}
// Words of options, without regard to case.
bool IsWord(std::string_view argument, std::string_view word);

}  // namespace luna::command
