// Runs every script of this folder's sub-folders, each on a fresh universe in a simulated world.
//   LUNA_REWRITE=1      puts what came out into the files (look at the difference!)
//
// Commands:
//   database memtable_kib table_kib         a fresh universe (0: as derived); optional
//   reset k=v …                             the collection holds exactly this
//   T begin serializable|snapshot           T is any name of a transaction
//   T get K | put K V | delete K | incr K N | scan K K | commit | rollback
//   get K, scan                             what is committed
//   fill PREFIX COUNT BYTES | delete-range K K | flush | compact | stats
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "luna/luna.h"
#include "model/model_script.h"
#include "simulation/simulated_runtime.h"
#include "support/script_runner.h"

namespace luna::test {
namespace {

class ScriptWorld {
 public:
  explicit ScriptWorld(simulation::SimulatedRuntime& world) : world_(world) {}
  ~ScriptWorld() { Close(); }

  std::string Run(const std::string& input) {
    std::string output;
    for (const std::string& line : SplitAt(input, '\n')) {
      const Tokens tokens = SplitTokens(line);
      if (!tokens.empty()) {
        output += RunLine(tokens);
      }
    }
    return output;
  }

 private:
  void Close() {
    transactions_.clear();
    collection_.reset();
    database_.reset();
    universe_.reset();
  }

  void Open(uint64_t memtable_kib, uint64_t table_kib) {
    Close();
    Options options{.location = "memory:", .memory_budget_bytes = uint64_t{64} << 20};
    options.memtable_bytes = memtable_kib << 10;
    options.table_bytes = table_kib << 10;
    universe_ = Universe::Open(options, {.listener = nullptr, .runtime = &world_}).value();
    database_ = universe_->CreateDatabase("scripts").value();
    collection_ = database_->CreateCollection("scripts").value();
  }

  static std::string Told(const Status& status) {
    return status.ok() ? "" : "error: " + std::string(Name(status.error().reason())) + "\n";
  }
  static std::string Told(const Result<std::optional<std::string>>& value) {
    return !value.ok() ? Told(Status(value.error())) : value->value_or("(missing)") + "\n";
  }
  static std::string Told(Result<std::unique_ptr<Iterator>> scan) {
    if (!scan.ok()) {
      return Told(Status(scan.error()));
    }
    std::string text;
    for (; (*scan)->Valid(); (*scan)->Next()) {
      text += (text.empty() ? "" : " ") + std::string((*scan)->key()) + "=" +
              std::string((*scan)->value());
    }
    return (text.empty() ? "(nothing)" : text) + "\n" + Told((*scan)->status());
  }
  static std::string At(const Tokens& tokens, size_t place) {
    return place < tokens.size() ? tokens[place] : "";
  }

  std::string RunLine(const Tokens& tokens) {
    if (universe_ == nullptr || tokens[0] == "database") {
      tokens[0] == "database" ? Open(NumberOf(At(tokens, 1)), NumberOf(At(tokens, 2)))
                              : Open(0, 0);
      if (tokens[0] == "database") {
        return "";
      }
    }
    const std::string& verb = tokens[0];
    if (verb == "reset") {
      return Reset(tokens);
    }
    if (verb == "fill" || verb == "delete-range" || verb == "flush" || verb == "compact" ||
        verb == "stats") {
      return RunShape(tokens);
    }
    if (verb == "get") {
      return Told(collection_->Get(At(tokens, 1)));
    }
    if (verb == "scan") {
      return Told(collection_->Scan());
    }
    return RunTransaction(tokens);
  }

  std::string Reset(const Tokens& tokens) {
    transactions_.clear();
    std::string output = Told(collection_->DeleteRange("", ""));
    for (size_t i = 1; i < tokens.size(); ++i) {
      const std::vector<std::string> pair = SplitAt(tokens[i], '=');
      output += Told(collection_->Put(pair[0], pair[1]));
    }
    return output;
  }

  std::string RunTransaction(const Tokens& tokens) {
    const std::string& name = tokens[0];
    const std::string verb = At(tokens, 1);
    if (verb == "begin") {
      TransactionOptions options;
      options.isolation =
          At(tokens, 2) == "snapshot" ? Isolation::kSnapshot : Isolation::kSerializable;
      transactions_[name] = database_->Begin(options).value();
      return "";
    }
    if (!transactions_.contains(name)) {
      return "error: no such command or transaction: " + name + "\n";
    }
    Transaction& transaction = *transactions_[name];
    const std::string key = At(tokens, 2);
    const std::string value = At(tokens, 3);
    if (verb == "get") {
      return Told(transaction.Get(*collection_, key));
    }
    if (verb == "put") {
      return Told(transaction.Put(*collection_, key, value));
    }
    if (verb == "delete") {
      return Told(transaction.Delete(*collection_, key));
    }
    if (verb == "incr") {
      return Told(transaction.Increment(*collection_, key, std::stoll(value)));
    }
    if (verb == "scan") {
      ScanOptions options;
      options.begin = key;
      options.end = value;
      return Told(transaction.Scan(*collection_, options));
    }
    if (verb == "rollback") {
      transaction.Rollback();
      return "";
    }
    const auto committed = transaction.Commit();
    return committed.ok() ? "committed\n" : Told(Status(committed.error()));
  }

  std::string RunShape(const Tokens& tokens) {
    const std::string& verb = tokens[0];
    if (verb == "flush") {
      return Told(collection_->Flush());
    }
    if (verb == "compact") {
      return Told(collection_->Compact());
    }
    if (verb == "delete-range") {
      return Told(collection_->DeleteRange(At(tokens, 1), At(tokens, 2)));
    }
    if (verb == "fill") {
      WriteBatch batch;
      for (uint64_t i = 0; i < NumberOf(At(tokens, 2)); ++i) {
        const std::string number = std::to_string(100'000 + i).substr(1);
        batch.Put(*collection_, At(tokens, 1) + number, ValueOf("v*" + At(tokens, 3)));
      }
      const auto written = database_->Write(batch);
      return written.ok() ? "" : Told(Status(written.error()));
    }
    return Shape();
  }

  // Which levels hold tables, and whether anything is in memory; sizes would change too often.
  std::string Shape() {
    const CollectionStats stats = collection_->Stats().value();
    std::string text;
    for (size_t level = 0; level < stats.levels.size(); ++level) {
      if (stats.levels[level].tables > 0) {
        text += "level " + std::to_string(level) + ": " +
                std::to_string(stats.levels[level].tables) + " tables\n";
      }
    }
    return text + "entries: " + std::to_string(stats.entries_estimate) + "\nfrozen: " +
           std::to_string(stats.immutable_memtables) + "\n";
  }

  simulation::SimulatedRuntime& world_;
  std::unique_ptr<Universe> universe_;
  std::shared_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;
  std::map<std::string, std::unique_ptr<Transaction>> transactions_;
};

std::vector<std::string> ScriptFiles() {
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::recursive_directory_iterator(LUNA_SCRIPTS)) {
    if (file.path().extension() == ".txt" && file.path().filename() != "CMakeLists.txt") {
      files.push_back(file.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

class Scripts : public testing::TestWithParam<std::string> {};

TEST_P(Scripts, GiveWhatTheyPromise) {
  simulation::SimulatedRuntime world(1);
  std::string mismatch;
  world.Run([&] {
    ScriptWorld script(world);
    mismatch = RunScriptFile(
        GetParam(), [&](const std::string& input) { return script.Run(input); },
        std::getenv("LUNA_REWRITE") != nullptr);
  });
  EXPECT_EQ(mismatch, "");
}

INSTANTIATE_TEST_SUITE_P(All, Scripts, testing::ValuesIn(ScriptFiles()), [](const auto& script) {
  std::string name = std::filesystem::path(script.param).stem();
  return name;
});

TEST(ScriptRunner, ComparesBlocksAndRewritesThem) {
  const auto echo = [](const std::string& input) { return input; };
  EXPECT_EQ(RunScriptText("# note\na\nb\n----\na\nb\n\nc\n----\nc\n", echo).mismatch, "");
  const ScriptResult wrong = RunScriptText("# note\na\n----\nx\n\nb\n----\nb\n", echo);
  EXPECT_NE(wrong.mismatch.find("line 2"), std::string::npos) << wrong.mismatch;
  EXPECT_EQ(wrong.text, "# note\na\n----\na\n\nb\n----\nb\n");
  EXPECT_NE(RunScriptText("a\n\nb\n----\n", echo).mismatch, "");
  EXPECT_NE(RunScriptFile("no-such-file.txt", echo, false), "");
}

}  // namespace
}  // namespace luna::test
