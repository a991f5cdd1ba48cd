// A command of the command line, commands of standard input, help.
#include "apps/luna/command.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>
#include <utility>

#include "apps/luna/command_docs.h"
#include "apps/luna/quoting.h"
#include "apps/luna/reply_text.h"
#include "apps/luna/verbs.h"
#include "apps/output/escape.h"
#include "apps/output/screen.h"
#include "base/try.h"
#include "service/command/command_table.h"

namespace luna::cli {
namespace {

Result<std::string> ReadStandardInput() {
  std::string bytes;
  char chunk[64 << 10];
  for (size_t got = 0; (got = std::fread(chunk, 1, sizeof(chunk), stdin)) > 0;) {
    bytes.append(chunk, got);
  }
  if (std::ferror(stdin) != 0) {
    return Error(Reason::kIoError, "standard input cannot be read; pipe the argument into luna");
  }
  return bytes;
}

// The arguments as bytes: escapes undone, standard input read.
Result<std::vector<std::string>> WordsOf(const Request& request) {
  std::vector<std::string> words = request.command;
  if (request.escaped) {
    for (std::string& word : words) {
      std::optional<std::string> bytes = output::Unescape(word);
      if (!bytes.has_value()) {
        return Error(Reason::kBadInput, "'" + word +
                                            "' has a backslash that is no escape; with --escaped "
                                            "write \\\\ \\t \\n \\r or \\xNN");
      }
      word = std::move(*bytes);
    }
  }
  if (request.last_from_input) {
    words.push_back(TRY(ReadStandardInput()));
  }
  return words;
}

// The answer is no: nothing there, or damage found.
bool IsNo(const std::vector<std::string>& words, const resp::Reply& reply) {
  if (reply.kind == resp::Reply::Kind::kNull) {
    return true;
  }
  if (UpperCase(words[0]) != "VERIFY" || reply.kind != resp::Reply::Kind::kMap) {
    return false;
  }
  for (size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    if (reply.elements[i].text == "damage") {
      return !reply.elements[i + 1].elements.empty();
    }
  }
  return false;
}

std::string Lines(std::string_view text) {
  return output::Escape(text, output::Keep::kBackslashes);
}

}  // namespace

bool IsTerminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

bool WantsColours() {
  const char* refused = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && (refused == nullptr || *refused == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

Look LookOf(const Request& request) {
  if (request.look != Look::kFitting) {
    return request.look;
  }
  return isatty(STDOUT_FILENO) == 1 ? Look::kPretty : Look::kLines;
}

bool Writes(const std::vector<std::string>& words) {
  const command::CommandTable& table = command::CommandTable::All();
  const std::vector<std::string_view> views(words.begin(), words.end());
  const command::Command* found = table.Find(views);
  return found != nullptr &&
         ((found->flags & command::kFlagWrite) != 0 || found->name == "restore");
}

bool IsMeant(const Request& request, const std::vector<std::string>& words) {
  const std::string name = UpperCase(words[0]);
  const std::string second = words.size() > 1 ? UpperCase(words[1]) : "";
  const bool drops = (name == "DATABASE" || name == "COLLECTION") && second == "DROP";
  if (request.yes || !IsTerminal() || (name != "FLUSHALL" && name != "FLUSHDB" && !drops)) {
    return true;
  }
  output::Print(name + (drops ? " " + second : "") + " deletes everything in it. Do it? [y/N] ");
  std::fflush(stdout);
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "Y" || answer == "yes");
}

Result<Answered> CallAndShow(client::Client& client, const Request& request,
                             const std::vector<std::string>& words) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  resp::Reply reply = TRY(client.Call(views));
  if (reply.failed()) {
    const bool pretty = LookOf(request) == Look::kPretty;
    const std::string text =
        pretty ? ErrorText(reply, WantsColours()) : "luna: " + Lines(reply.text) + "\n";
    std::fflush(stdout);
    std::fwrite(text.data(), 1, text.size(), stderr);
    return Answered{std::move(reply), output::kExitNegative};
  }
  output::Print(TextOf(reply, LookOf(request), WantsColours()));
  // What a monitor is told ends with the connection, or when somebody interrupts it.
  while (UpperCase(words.front()) == "MONITOR") {
    std::fflush(stdout);
    output::Print(TextOf(TRY(client.Receive()), LookOf(request), WantsColours()));
  }
  const int exit = IsNo(words, reply) ? output::kExitNegative : output::kExitOk;
  return Answered{std::move(reply), exit};
}

Result<int> RunCommand(const Request& request) {
  const std::vector<std::string> words = TRY(WordsOf(request));
  if (!IsMeant(request, words)) {
    return output::kExitNegative;
  }
  client::Target target = request.target;
  target.make_universe = Writes(words);
  const auto client = TRY(client::Client::Connect(target));
  const Answered answered = TRY(CallAndShow(*client, request, words));
  TRY(client->Close());
  return answered.exit;
}

Result<int> RunStandardInput(const Request& request) {
  client::Target target = request.target;
  target.make_universe = true;
  const auto client = TRY(client::Client::Connect(target));
  int exit = output::kExitOk;
  std::string line;
  for (uint64_t number = 1; std::getline(std::cin, line); ++number) {
    const auto words = SplitWords(line);
    if (!words.has_value()) {
      output::PrintError("luna",
                         Error(Reason::kBadInput, "standard input line " + std::to_string(number) +
                                                      ": the quotes do not fit"));
      exit = output::kExitNegative;
    } else if (words->empty() || words->front().starts_with('#')) {
      continue;
    } else if (UpperCase(words->front()) == "QUIT") {
      break;
    } else {
      const Answered answered = TRY(CallAndShow(*client, request, *words));
      exit = std::max(exit, answered.exit);
    }
    if (exit != output::kExitOk && request.stop_on_error) {
      break;
    }
  }
  TRY(client->Close());
  return exit;
}

Result<int> ShowHelp(const Request& request) {
  const auto client = TRY(client::Client::Connect(request.target));
  const CommandDocs docs = TRY(CommandDocs::Read(*client));
  output::Print(docs.Help(request.command));
  TRY(client->Close());
  return request.command.empty() || docs.Find(request.command) != nullptr ? output::kExitOk
                                                                          : output::kExitNegative;
}

}  // namespace luna::cli
