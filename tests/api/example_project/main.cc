// The example of README.md as a program. Argument: the directory of the universe.
#include <luna/luna.h>

#include <iostream>
#include <memory>
#include <string>

namespace {

// Moves 30 from alice to bob, all or nothing.
luna::Status Transfer(luna::Transaction& transaction, luna::Collection& accounts) {
  auto alice = transaction.Get(accounts, "alice");
  if (!alice.ok()) {
    return alice.error();
  }
  const int balance = std::stoi((*alice).value_or("0"));
  auto put = transaction.Put(accounts, "alice", std::to_string(balance - 30));
  if (!put.ok()) {
    return put;
  }
  return transaction.Increment(accounts, "bob", 30);
}

int Fail(const luna::Error& error) {
  std::cerr << error.ToString() << "\n";
  return 1;
}

int Run(const std::string& directory) {
  luna::Options options;
  options.location = directory;
  auto universe = luna::Universe::Open(options);
  if (!universe.ok()) {
    return Fail(universe.error());
  }
  auto database = (*universe)->OpenOrCreateDatabase("shop");
  if (!database.ok()) {
    return Fail(database.error());
  }
  auto accounts = (*database)->OpenOrCreateCollection("accounts").value();
  if (auto put = accounts->Put("alice", "100"); !put.ok()) {
    return Fail(put.error());
  }
  auto committed = (*database)->Transact(
      [&](luna::Transaction& transaction) { return Transfer(transaction, *accounts); });
  if (!committed.ok()) {
    return Fail(committed.error());
  }
  auto snapshot = (*database)->GetSnapshot().value();
  if (auto gone = accounts->DeleteRange("a", "b"); !gone.ok()) {
    return Fail(gone.error());
  }
  auto kept = snapshot->Get(*accounts, "alice").value();
  auto now = accounts->Get("alice").value();
  auto scan = accounts->Scan().value();
  for (; scan->Valid(); scan->Next()) {
    std::cout << scan->key() << "=" << scan->value() << "\n";
  }
  return scan->status().ok() && kept == "70" && !now.has_value() ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  return Run(count > 1 ? arguments[1] : "memory:");
}
