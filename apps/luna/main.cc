// luna: the command line. This file knows CLI11: it turns arguments into a Request and calls the
// verb; everything else is in the verbs' files.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/bench/bench.h"
#include "apps/client/server_network.h"
#include "apps/luna/bench_flags.h"
#include "apps/luna/command.h"
#include "apps/luna/password.h"
#include "apps/luna/request.h"
#include "apps/luna/verbs.h"
#include "apps/output/escape.h"
#include "apps/output/screen.h"
#include "apps/top/top.h"
#include "base/text.h"
#include "base/try.h"
#include "base/writer.h"
#include "runtime/posix/posix_limits.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::cli {
namespace {

constexpr uint64_t kPatienceMillis = 10'000;  // of luna top

// The command tree, and which function each verb calls.
class CommandLine {
 public:
  CommandLine() {
    app_.name("luna");
    app_.fallthrough();
    app_.prefix_command();  // the first word that is no verb is a command; all behind it is its own
    app_.set_version_flag("--version", base::WriterName());
    app_.footer(
        "COMMAND is one of the service, like GET, SET, RANGE, BEGIN; luna help lists them. Without "
        "one\ncommands come from a prompt, or from standard input.\n"
        "Exit codes: 0 done, 1 the answer is no (no such key, an error reply), 2 wrong usage, 3 "
        "not reached, or an error.");
    app_.failure_message([](const CLI::App*, const CLI::Error& error) {
      return "luna: " + std::string(error.what()) + "; see luna --help\n";
    });
    AddPlace();
    AddCredentials();
    AddTls();
    AddDirectory();
    AddLook();
    AddTransfer();
    AddAttach();
    AddDemo();
    AddBench();
    help_ = app_.add_subcommand("help", "List the commands of the service, or tell more of one");
    help_->add_option("COMMAND", request_.command, "its name");
  }

  int Run(int count, char** arguments) {
    try {
      app_.parse(count, arguments);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? output::kExitOk : output::kExitUsage;
    }
    Result<int> exit = Execute();
    if (const Status written = output::FinishOutput(); exit.ok() && !written.ok()) {
      exit = written.error();
    }
    if (exit.ok()) {
      return *exit;
    }
    output::PrintError("luna", exit.error());
    return exit.error().reason() == Reason::kBadOption ? output::kExitUsage : output::kExitError;
  }

 private:
  Result<int> Execute() {
    TRY(Settle());
    if (!app_.get_subcommands().empty()) {
      const CLI::App* const chosen = app_.get_subcommands().front();
      if (const auto unknown = app_.remaining(true); !unknown.empty()) {
        const std::string verb = "luna " + chosen->get_name();
        return Error(Reason::kBadOption, "'" + output::Escape(unknown.front()) +
                                             "' is no argument of " + verb + "; see " + verb +
                                             " --help");
      }
      return chosen == bench_  ? Bench()
             : chosen == top_  ? Top()
             : chosen == help_ ? ShowHelp(request_)
                               : verbs_.at(chosen)(request_);
    }
    request_.command = app_.remaining();
    if (!request_.command.empty() && request_.command.front() == "--") {
      request_.command.erase(request_.command.begin());
    }
    if (!request_.command.empty() && request_.command.front().starts_with("-")) {
      return Error(Reason::kBadOption, "'" + output::Escape(request_.command.front()) +
                                           "' is no option; see luna --help");
    }
    if (request_.command.empty() && request_.last_from_input) {
      return Error(Reason::kBadOption, "-x needs a command; see luna --help");
    }
    return !request_.command.empty() ? RunCommand(request_)
           : IsTerminal()            ? RunPrompt(request_)
                                     : RunStandardInput(request_);
  }

  // Where, from options and environment, and the password.
  Status Settle() {
    const auto given = [](const char* name) -> std::string {
      const char* value = std::getenv(name);
      return value == nullptr ? "" : value;
    };
    if (!universe_.empty() && !server_.empty()) {
      return Error(Reason::kBadOption, "--server and --universe exclude each other; give one");
    }
    if (universe_.empty() && server_.empty()) {
      server_ = given("LUNA_SERVER");
      universe_ = server_.empty() ? given("LUNA_UNIVERSE") : "";
    }
    if (!universe_.empty()) {
      request_.target.universe = request_.universe = universe_;
    }
    if (!server_.empty()) {
      request_.target.server = server_;
    }
    if (const std::string password = given("LUNA_PASSWORD"); !password.empty()) {
      request_.target.password = password;
    }
    if (!password_file_.empty()) {
      request_.target.password = TRY(PasswordFrom(password_file_));
    }
    if (ask_) {
      request_.target.password = TRY(AskForPassword());
    }
    return {};
  }

  CLI::App* Add(const char* name, const std::string& what, Verb verb) {
    CLI::App* sub = app_.add_subcommand(name, what);
    verbs_[sub] = verb;
    return sub;
  }

  void AddPlace() {
    app_.add_option("--server", server_, "address of the server [127.0.0.1:6479]; or LUNA_SERVER")
        ->type_name("HOST:PORT");
    app_.add_option("--database", request_.target.database, "name of the database [default]");
    app_.add_option("--collection", request_.target.collection, "name of the collection [0]");
    app_.add_option_function<std::string>(
            "--timeout",
            [this](const std::string& text) {
              double seconds = 0;
              const bool number = CLI::detail::lexical_cast(text, seconds);
              if (!number || !(seconds >= 0.001 && seconds <= 1e6)) {
                throw CLI::ValidationError("--timeout", "'" + text + "' is no number of seconds");
              }
              request_.target.reply_millis = static_cast<uint64_t>(seconds * 1000);
              request_.target.connect_millis = request_.target.reply_millis;
            },
            "seconds to wait for a connection and for each reply [5, and for ever]")
        ->type_name("SECONDS");
  }

  void AddCredentials() {
    app_.add_option("--user", request_.target.user, "who we are [default]");
    app_.add_option_function<std::string>(
        "--password", [this](const std::string& word) { request_.target.password = word; },
        "better from LUNA_PASSWORD, which other users do not see");
    app_.add_option("--password-file", password_file_, "file whose first line is the password")
        ->type_name("PATH");
    app_.add_flag("--ask", ask_, "ask for the password on the terminal");
  }

  void AddTls() {
    client::TlsTarget& tls = request_.target.tls;
    app_.add_flag("--tls", tls.wanted, "speak TLS; the server's certificate must be valid");
    app_.add_option("--tls-ca", tls.authorities_file,
                    "PEM file whose certificates are trusted [the system's]")
        ->type_name("PATH");
    app_.add_option("--tls-cert", tls.certificate_file, "our own certificate, if it is asked for")
        ->type_name("PATH");
    app_.add_option("--tls-key", tls.key_file, "its key")->type_name("PATH");
  }

  void AddDirectory() {
    app_.add_option("--universe", universe_,
                    "directory to work on without a server; or LUNA_UNIVERSE")
        ->type_name("PATH");
    app_.add_option_function<std::string>(
            "--durability",
            [this](const std::string& level) {
              request_.target.durability = level == "device"    ? Durability::kDevice
                                           : level == "process" ? Durability::kProcess
                                                                : Durability::kRelaxed;
            },
            "with --universe, what a write survives: device (power loss), process (a killed "
            "process), relaxed (nothing for 0.1 s) [device]")
        ->check(CLI::IsMember({"device", "process", "relaxed"}))
        ->type_name("LEVEL");
    app_.add_option_function<std::string>(
            "--memory",
            [this](const std::string& text) {
              const auto bytes = base::ParseBytes(text);
              if (!bytes.has_value()) {
                throw CLI::ValidationError("--memory", "'" + text + "' is no size, like 512MiB");
              }
              request_.target.memory_bytes = *bytes;
            },
            "with --universe, memory for everything Luna holds, at least 64MiB [256MiB]")
        ->type_name("SIZE");
  }

  void AddLook() {
    const auto look = [this](const char* name, Look chosen, const char* what) {
      app_.add_flag_callback(name, [this, chosen] { request_.look = chosen; }, what);
    };
    look("--json", Look::kJson, "replies as JSON, for machines");
    look("--csv", Look::kCsv, "replies as CSV, a line each");
    look("--raw", Look::kRaw, "strings as they are; nothing behind a lone one");
    look("--pretty", Look::kPretty, "replies as on a terminal");
    app_.add_flag("--escaped", request_.escaped,
                  "arguments of the command have escapes: \\\\ \\t \\n \\r \\xNN");
    app_.add_flag("-x", request_.last_from_input, "the last argument is read from standard input");
    app_.add_flag("-e,--stop-on-error", request_.stop_on_error,
                  "commands of standard input end with the first that fails");
    app_.add_flag("-y,--yes", request_.yes, "do not ask before deleting much");
  }

  void AddTransfer() {
    CLI::App* load = Add("load", "Load records from text into the collection", &Load);
    load->add_option("FILE", request_.file, "file; - reads standard input")->required();
    load->add_option("--format", request_.format, "tsv, csv, jsonl or deb822")
        ->required()
        ->check(CLI::IsMember({"tsv", "csv", "jsonl", "deb822"}))
        ->type_name("FORMAT");
    load->add_option("--key", request_.key_field, "field (name or number) that is the key");
    load->add_option("--value", request_.value_field,
                     "field that is the value; without it the whole record is, if --key is given");
    load->add_flag("--skip-bad", request_.skip_bad, "leave out records that do not parse");
    load->add_flag("--raw", request_.raw, "tsv: bytes as they are, without escapes");
    CLI::App* save = Add("export", "Write the collection as text that load reads", &Export);
    save->add_option("FILE", request_.file, "file to make; - is standard output")->required();
    save->add_option("--format", request_.format, "tsv, csv or jsonl")
        ->required()
        ->check(CLI::IsMember({"tsv", "csv", "jsonl"}))
        ->type_name("FORMAT");
    save->add_option("--begin", request_.begin, "first key, inclusive");
    save->add_option("--end", request_.end, "first key that is left out");
    save->add_option("--prefix", request_.prefix, "only keys that begin so");
  }

  void AddAttach() {
    CLI::App* attach =
        Add("attach", "Copy the universe of a directory to where servers share it", &Attach);
    attach->add_option("DIRECTORY", request_.file, "the universe; nobody may have it open")
        ->required();
    attach->add_option("LOCATION", request_.to, "rados:POOL?conf=PATH&namespace=NAME; empty")
        ->required();
    attach->add_flag("--replace", request_.replace, "an attach that was not finished is there");
  }

  void AddDemo() {
    CLI::App* demo = Add("demo", "Show Luna at work on a Debian package index", &Demo);
    demo->add_option("--index,--input", request_.file, "output of apt-cache dumpavail")->required();
    CLI::App* load = Add("demo-load", "The process that the demonstration kills", &DemoLoad);
    load->group("");  // not for people
    load->add_option("--index", request_.file)->required();
  }

  void AddBench() {
    bench_ = app_.add_subcommand("bench", "Load on a server, and how it bears it");
    AddBenchFlags(*bench_, bench_settings_);
    top_ = app_.add_subcommand("top", "What a server does, each second");
    AddTopFlags(*top_, top_settings_);
  }

  Result<int> Bench() {
    if (request_.json()) {
      bench_settings_.format = bench::Format::kJson;
    }
    const client::Target& target = request_.target;
    if (target.universe.has_value()) {
      return Error(Reason::kBadOption, "luna bench needs a server; leave out --universe");
    }
    bench_settings_.server = target.server;
    bench_settings_.user = target.user == "default" ? "" : target.user;
    bench_settings_.password = target.password.value_or("");
    // The place of new connections need not be said, nor does every server know others.
    bench_settings_.database = target.database == "default" ? "" : target.database;
    bench_settings_.collection = target.collection == "0" ? "" : target.collection;
    const std::unique_ptr<runtime::Runtime> runtime = posix::NewPosixRuntime();
    client::ServerNetwork servers(*runtime, target.tls);
    posix::RaiseDescriptorLimit();
    return bench::RunBench(*runtime, servers.network(), bench_settings_);
  }

  Result<int> Top() {
    top_settings_.json = request_.json();
    client::Target target = request_.target;
    target.reply_millis = target.reply_millis == 0 ? kPatienceMillis : target.reply_millis;
    top_settings_.server = target.universe.value_or(target.server);
    return top::RunTop(top_settings_, [&target]() -> Result<top::Ask> {
      const std::shared_ptr<client::Client> client = TRY(client::Client::Connect(target));
      return top::Ask(
          [client](std::span<const std::string_view> words) { return client->Call(words); });
    });
  }

  Request request_;
  std::string server_;  // as given
  std::string universe_;
  std::string password_file_;
  bool ask_ = false;
  CLI::App* help_ = nullptr;
  bench::Settings bench_settings_;
  CLI::App* bench_ = nullptr;
  top::Settings top_settings_;
  CLI::App* top_ = nullptr;
  CLI::App app_{"Luna: commands to a server, or to the directory of a universe"};
  std::map<const CLI::App*, Verb> verbs_;
};

}  // namespace
}  // namespace luna::cli

int main(int count, char** arguments) {
  return luna::cli::CommandLine().Run(count, arguments);
}
