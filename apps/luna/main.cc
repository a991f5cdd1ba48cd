// luna: the command line. This file alone knows CLI11: it turns arguments into a Request and calls
// the verb; everything else is in the verbs' files.
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "apps/bench/bench.h"
#include "apps/luna/bench_flags.h"
#include "apps/luna/request.h"
#include "apps/luna/verbs.h"
#include "apps/luna/word.h"
#include "apps/output/escape.h"
#include "apps/output/screen.h"
#include "apps/top/line.h"
#include "apps/top/top.h"
#include "base/text.h"
#include "base/writer.h"

namespace luna::cli {
namespace {

// The command tree, and which function each verb calls.
class CommandLine {
 public:
  CommandLine() {
    app_.name("luna");
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.set_version_flag("--version", base::WriterName());
    app_.footer(
        "Options may follow the verb: luna get KEY --universe PATH. See luna VERB --help.\n"
        "Exit codes: 0 done, 1 the answer is no (no such key, damage found), 2 wrong usage, 3 "
        "error.");
    app_.failure_message([](const CLI::App*, const CLI::Error& error) {
      return "luna: " + std::string(error.what()) + "; see luna --help\n";
    });
    AddPlace();
    AddReads();
    AddWrites();
    AddNames();
    AddTransfer();
    AddUpkeep();
    AddDemo();
    AddBench();
  }

  int Run(int count, char** arguments) {
    try {
      app_.parse(count, arguments);
    } catch (const CLI::ParseError& error) {
      if (const std::string unknown = Unknown(error); !unknown.empty()) {
        std::cerr << "luna: " << unknown << '\n';
        return output::kExitUsage;
      }
      return app_.exit(error) == 0 ? output::kExitOk : output::kExitUsage;
    }
    const CLI::App* const chosen = app_.get_subcommands().front();
    Result<int> exit = chosen == bench_ ? Bench()
                       : chosen == top_ ? Top()
                                        : verbs_.at(chosen)(request_);
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
  // What to say of a verb or an argument that nobody knows; empty for other errors.
  std::string Unknown(const CLI::ParseError& error) const {
    const auto rest = app_.remaining(true);
    if (rest.empty()) {
      return {};
    }
    const std::string word = "'" + output::Escape(rest.front()) + "'";
    if (app_.get_subcommands().empty()) {
      const std::string_view closest = Closest(rest.front(), shown_);
      return word + " is no verb; " +
             (closest.empty() ? "" : "did you mean '" + std::string(closest) + "'? ") +
             "see luna --help";
    }
    const std::string verb = "luna " + app_.get_subcommands().front()->get_name();
    return error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)
               ? word + " is no argument of " + verb + "; see " + verb + " --help"
               : "";
  }

  CLI::App* Add(const char* name, const std::string& what, Verb verb) {
    CLI::App* sub = app_.add_subcommand(name, what);
    verbs_[sub] = verb;
    shown_.push_back(name);
    return sub;
  }

  void AddPlace() {
    app_.add_option("--universe", request_.universe, "directory of the universe [./luna-data]")
        ->envname("LUNA_UNIVERSE");
    app_.add_option("--database", request_.database, "name of the database [default]");
    app_.add_option("--collection", request_.collection, "name of the collection [0]");
    app_.add_flag("--json", request_.json, "results as JSON, for machines");
    app_.add_flag("--escaped", request_.escaped,
                  "keys and values on the command line have escapes: \\\\ \\t \\n \\r \\xNN");
    app_.add_option_function<std::string>(
            "--durability",
            [this](const std::string& level) {
              request_.durability = level == "device"    ? Durability::kDevice
                                    : level == "process" ? Durability::kProcess
                                                         : Durability::kRelaxed;
            },
            "what a write survives: device (power loss), process (a killed process), relaxed "
            "(nothing for 0.1 s) [device]")
        ->check(CLI::IsMember({"device", "process", "relaxed"}))
        ->type_name("LEVEL");
    app_.add_option_function<std::string>(
            "--memory",
            [this](const std::string& text) {
              const auto bytes = base::ParseBytes(text);
              if (!bytes.has_value()) {
                throw CLI::ValidationError("--memory", "'" + text + "' is no size, like 512MiB");
              }
              request_.memory_bytes = *bytes;
            },
            "memory for everything Luna holds, at least 64MiB [256MiB]")
        ->type_name("SIZE");
  }

  CLI::Option* AddKey(CLI::App* sub) { return sub->add_option("KEY", request_.key, "key"); }

  void AddRange(CLI::App* sub) {
    sub->add_option("--begin", request_.begin, "first key, inclusive");
    sub->add_option("--end", request_.end, "first key that is left out");
    sub->add_option("--prefix", request_.prefix, "only keys that begin so");
  }

  void AddAt(CLI::App* sub) {
    sub->add_option("--at", request_.at, "as of this timestamp, if it is still kept")
        ->check(WhyNoCount);
  }

  void AddRaw(CLI::App* sub) {
    sub->add_flag("--raw", request_.raw, "bytes as they are, without escapes");
  }

  void AddReads() {
    CLI::App* get = Add("get", "Print the value of a key", &Get);
    AddKey(get)->required();
    AddRaw(get);
    AddAt(get);
    CLI::App* scan = Add("scan", "Print keys and values in order", &Scan);
    AddRange(scan);
    scan->add_flag("--reverse", request_.reverse, "from the largest key down");
    scan->add_option("--limit", request_.limit, "at most so many")->check(WhyNoCount);
    scan->add_flag("--keys-only", request_.keys_only, "no values");
    AddRaw(scan);
    AddAt(scan);
    CLI::App* count = Add("count", "Count keys", &Count);
    AddRange(count);
    AddAt(count);
    Add("stats", "Print levels, sizes, amplification and memory", &ShowStats);
  }

  void AddWrites() {
    CLI::App* put = Add("put", "Store a value under a key", &Put);
    AddKey(put)->required();
    put->add_option("VALUE", request_.value, "value; - reads it from standard input")->required();
    put->add_option("--ttl", request_.ttl_seconds, "seconds after which the entry expires")
        ->check(WhyNoSeconds);
    CLI::App* erase = Add("delete", "Delete a key, or all keys of a range", &Delete);
    AddKey(erase);
    AddRange(erase);
    CLI::App* increment = Add("increment", "Add to a value that is a whole number", &Increment);
    AddKey(increment)->required();
    increment->add_option("AMOUNT", request_.delta, "what to add, may be negative [1]")
        ->check(WhyNoInteger);
  }

  void AddKindAndName(CLI::App* sub) {
    sub->add_option("KIND", request_.kind, "database or collection")
        ->required()
        ->check(CLI::IsMember({"database", "collection"}))
        ->type_name("");
    sub->add_option("NAME", request_.name, "its name")->required();
  }

  void AddNames() {
    Add("databases", "List the databases", &ListDatabases);
    Add("collections", "List the collections of the database", &ListCollections);
    AddKindAndName(Add("create", "Make a database or a collection", &Create));
    AddKindAndName(Add("drop", "Delete a database or a collection with all in it", &Drop));
    CLI::App* rename = Add("rename", "Rename a collection", &Rename);
    rename->add_option("NAME", request_.name, "its name")->required();
    rename->add_option("NEW", request_.new_name, "its new name")->required();
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
    AddRange(save);
    AddAt(save);
  }

  void AddDirectory(CLI::App* sub, const std::string& what) {
    sub->add_option("DIRECTORY", request_.directory, what)->required();
  }

  void AddUpkeep() {
    Add("flush", "Write the collection's memory to tables", &Flush);
    CLI::App* compact = Add("compact", "Merge the collection's tables", &Compact);
    compact->add_option("--begin", request_.begin, "first key, inclusive");
    compact->add_option("--end", request_.end, "first key that is left out");
    Add("verify", "Read everything and check every checksum", &Verify);
    AddDirectory(Add("checkpoint", "Make a second universe of links", &Checkpoint),
                 "where; missing or empty");
    AddDirectory(Add("backup", "Bring a backup of the database up to date", &Backup),
                 "of the backup; made if missing");
    CLI::App* restore = Add("restore", "Make a database from a backup", &Restore);
    AddDirectory(restore, "of the backup");
    restore->add_option("NAME", request_.name, "of the database to make")->required();
  }

  void AddDemo() {
    CLI::App* demo = Add("demo", "Show Luna at work on a Debian package index", &Demo);
    demo->add_option("--index,--input", request_.file, "output of apt-cache dumpavail")->required();
    CLI::App* load = Add("demo-load", "The process that the demonstration kills", &DemoLoad);
    load->group("");  // not for people
    shown_.pop_back();
    load->add_option("--index", request_.file)->required();
  }

  void AddBench() {
    bench_ = app_.add_subcommand("bench", "Load on a server, and how it bears it");
    shown_.push_back("bench");
    AddBenchFlags(*bench_, bench_settings_);
    top_ = app_.add_subcommand("top", "What a server does, each second");
    shown_.push_back("top");
    AddTopFlags(*top_, bench_settings_, top_settings_);
  }

  Result<int> Bench() {
    if (request_.json) {
      bench_settings_.format = bench::Format::kJson;
    }
    return bench::RunBench(bench_settings_);
  }

  Result<int> Top() {
    top_settings_.json = request_.json;
    return top::RunTop(bench_settings_, top_settings_);
  }

  Request request_;
  bench::Settings bench_settings_;
  CLI::App* bench_ = nullptr;
  top::Settings top_settings_;
  CLI::App* top_ = nullptr;
  CLI::App app_{"Luna: a transactional, ordered key-value store in a directory"};
  std::map<const CLI::App*, Verb> verbs_;
  std::vector<std::string_view> shown_;  // names of the verbs
};

}  // namespace
}  // namespace luna::cli

int main(int count, char** arguments) {
  return luna::cli::CommandLine().Run(count, arguments);
}
