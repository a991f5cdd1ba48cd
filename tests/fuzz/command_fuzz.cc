// Fuzzes commands: the lines of an input run in two sessions of one host, through Decide and Run as
// the service runs them. Each request gets exactly one whole reply (CLIENT REPLY apart), what fails
// leaves the collection as it was, and RESET makes every session answer PING again.
//
// A line is one request; "2:" before it chooses the second session. Words are apart by spaces; a
// byte from 0x80 on and the byte behind it are a word of the commands' names and syntax, so that
// mutations of any kind stay near real requests.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "service/resp/reply_parser.h"
#include "service_support/test_host.h"

namespace {

using namespace luna;
using command::Session;
using service_support::TestHost;

constexpr size_t kMostLines = 40;
constexpr size_t kMostWords = 24;
// Offsets and lengths above this only fill memory.
constexpr int64_t kLargestNumber = 100'000;

void AddWords(std::string_view text, std::set<std::string>& words) {
  std::string word;
  for (const char letter : text) {
    if (std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-') {
      word += letter;
    } else if (!word.empty()) {
      words.insert(std::exchange(word, {}));
    }
  }
  if (!word.empty()) {
    words.insert(word);
  }
}

// All words that the table's commands are made of, and arguments that mean something.
std::vector<std::string> Vocabulary() {
  std::set<std::string> words = {"a",   "b",        "c",   "0",    "1",   "-1",     "2",
                                 "100", "*",        "3.5", "-inf", "+",   "[a",     "(b",
                                 "-",   "default",  "15",  "{a}",  "16",  "nan",    "k*",
                                 "#",   "99999999", "x",   "",     "200", "\"a b\""};
  const command::CommandTable& table = command::CommandTable::All();
  for (const command::Command* row : table.all()) {
    AddWords(row->name, words);
    AddWords(row->syntax, words);
    for (const command::Command& subcommand : row->subcommands) {
      AddWords(subcommand.name, words);
      AddWords(subcommand.syntax, words);
    }
  }
  return {words.begin(), words.end()};
}

std::vector<std::string> WordsOf(std::string_view line) {
  static const std::vector<std::string> vocabulary = Vocabulary();
  std::vector<std::string> words(1);
  for (size_t i = 0; i < line.size() && words.size() <= kMostWords; ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if (byte == ' ') {
      words.emplace_back();
    } else if (byte >= 0x80 && i + 1 < line.size()) {
      const size_t number = (byte - size_t{0x80}) * 256 + static_cast<unsigned char>(line[++i]);
      words.back() += vocabulary[number % vocabulary.size()];
    } else {
      words.back() += line[i];
    }
  }
  return words;
}

// Commands that touch the real disk, sleep, or take memory by the number.
bool IsExcluded(const std::vector<std::string>& words) {
  bool reserves = false;
  bool large = false;
  for (const std::string& word : words) {
    for (const std::string_view name :
         {"backup", "checkpoint", "restore", "sleep", "debug|sleep"}) {
      if (command::IsWord(word, name)) {
        return true;
      }
    }
    int64_t number = 0;
    reserves = reserves || command::IsWord(word, "setrange");
    large = large || (command::ParseInteger(word, number) && number > kLargestNumber);
  }
  return reserves && large;
}

// The one reply in `bytes`; nothing if they are empty.
std::optional<resp::Reply> OnlyReply(std::string_view bytes) {
  if (bytes.empty()) {
    return std::nullopt;
  }
  resp::ReplyParser parser;
  parser.Feed(bytes);
  auto reply = parser.Next();
  LUNA_ASSERT(reply.ok() && *reply);
  parser.Feed("+end\r\n");  // nothing was left before it
  auto end = parser.Next();
  LUNA_ASSERT(end.ok() && *end && (*end)->text == "end");
  LUNA_ASSERT(parser.Next().ok());
  return std::move(**reply);
}

// What a collection holds, without what may expire at any moment.
using Content = std::map<std::string, std::string>;

Content Read(Result<std::unique_ptr<Iterator>> opened) {
  Content content;
  if (!opened.ok()) {
    return content;  // a collection that was dropped
  }
  for (Iterator& entry = **opened; entry.Valid(); entry.Next()) {
    if (entry.expiry_millis() == 0) {
      content.emplace(entry.key(), entry.value());
    }
  }
  return content;
}

Content Committed(const Session& session) {
  return Read(session.collection->Scan());
}

// What the session's own transaction sees; only the first session's is looked at, for a scan makes
// later commits of others conflict with it.
Content Seen(const Session& session) {
  const bool open = session.interactive && session.interactive->transaction;
  return open ? Read(session.interactive->transaction->Scan(*session.collection)) : Content();
}

void CheckReply(Session::Replies before, const Session& session, bool is_due,
                const std::optional<resp::Reply>& reply) {
  using Replies = Session::Replies;
  if (session.closing) {
    return;  // another protocol's first words get none
  }
  if (is_due && before == Replies::kOn && session.replies == Replies::kOn) {
    LUNA_ASSERT(reply.has_value());
  }
  if (session.replies == Replies::kOff || session.replies == Replies::kSkipNext) {
    LUNA_ASSERT(!reply.has_value());
  }
}

void RunLine(TestHost& host, Session& session, bool is_first, std::string_view line) {
  const std::vector<std::string> words = WordsOf(line);
  if (words[0].empty() || IsExcluded(words)) {
    return;
  }
  const std::vector<std::string_view> arguments(words.begin(), words.end());
  // As every request begins: what an earlier one renamed or swapped is not this one's doing.
  RefreshNames(host, session);
  const Session::Replies replies = session.replies;
  // A second MONITOR gets no reply, as Redis gives none.
  const bool is_due = !session.monitoring || !command::IsWord(words[0], "monitor");
  const std::shared_ptr<Collection> collection = session.collection;
  const bool was_open = session.interactive && !session.interactive->timed_out;
  const Content committed = Committed(session);
  const Content seen = is_first ? Seen(session) : Content();
  const std::optional<resp::Reply> reply = OnlyReply(host.Do(session, arguments));
  CheckReply(replies, session, is_due, reply);
  if (reply && reply->failed()) {
    LUNA_ASSERT(session.collection->id() == collection->id());
    LUNA_ASSERT(Committed(session) == committed);
    const bool is_open = session.interactive && !session.interactive->timed_out;
    LUNA_ASSERT(!is_first || was_open != is_open || Seen(session) == seen);
  }
}

void CheckSanity(TestHost& host, Session& session) {
  host.Do(session, {"RESET"});
  LUNA_ASSERT(host.Do(session, {"PING"}) == "+PONG\r\n");
  LUNA_ASSERT(!session.queueing && !session.interactive && session.watched.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  TestHost host;
  host.settings = {{"maxclients", "100"}, {"timeout", "0"}};
  std::array<Session, 2> sessions = {host.NewSession(), host.NewSession()};
  for (size_t lines = 0; !rest.empty() && lines < kMostLines; ++lines) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const bool second = line.starts_with("2:");
    line.remove_prefix(second ? 2 : 0);
    Session& session = sessions[second ? 1 : 0];
    if (session.closing) {
      session = host.NewSession();
    }
    RunLine(host, session, !second, line);
  }
  for (Session& session : sessions) {
    CheckSanity(host, session);
  }
  return 0;
}
