// The example at the head of <luna/luna.h>, as it stands there.
#include <gtest/gtest.h>
#include <luna/luna.h>

#include <string>

namespace {

TEST(ThirtyLines, DoWhatTheySay) {
  auto universe = luna::Universe::Open({.location = "memory:"});
  ASSERT_TRUE(universe.ok()) << universe.error().ToString();
  auto database = (*universe)->OpenOrCreateDatabase("shop").value();
  auto accounts = database->OpenOrCreateCollection("accounts").value();

  luna::Status put = accounts->Put("alice", "100");
  ASSERT_TRUE(put.ok());
  EXPECT_EQ(accounts->Get("alice").value(), "100");

  auto committed = database->Transact([&](luna::Transaction& t) -> luna::Status {
    auto from = t.Get(*accounts, "alice");
    if (!from.ok()) {
      return from.error();
    }
    int balance = std::stoi(from->value_or("0"));
    if (auto s = t.Put(*accounts, "alice", std::to_string(balance - 30)); !s.ok()) {
      return s;
    }
    return t.Increment(*accounts, "bob", 30);
  });
  ASSERT_TRUE(committed.ok()) << committed.error().ToString();

  std::string seen;
  auto scan = accounts->Scan({.prefix = "a"}).value();
  for (; scan->Valid(); scan->Next()) {
    seen += std::string(scan->key()) + "=" + std::string(scan->value()) + "\n";
  }
  EXPECT_TRUE(scan->status().ok());
  EXPECT_EQ(seen, "alice=70\n");
  EXPECT_EQ(accounts->Get("bob").value(), "30");

  auto snapshot = database->GetSnapshot().value();
  ASSERT_TRUE(accounts->DeleteRange("a", "b").ok());
  EXPECT_EQ(snapshot->Get(*accounts, "alice").value(), "70");
  EXPECT_EQ(accounts->Get("alice").value(), std::nullopt);
}

}  // namespace
