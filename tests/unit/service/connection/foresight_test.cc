#include "service/connection/foresight.h"

#include <gtest/gtest.h>

#include <string>

namespace luna::connection {
namespace {

using Keys = std::vector<std::string>;

// Keeps what it is told to expect.
class Listening final : public Collection {
 public:
  const std::string& name() const override { return name_; }
  uint64_t id() const override { return 1; }
  Result<std::optional<std::string>> Get(std::string_view, const ReadOptions&) override {
    return Nothing();
  }
  Result<std::optional<Value>> GetValue(std::string_view, const ReadOptions&) override {
    return Nothing();
  }
  Result<std::vector<std::optional<std::string>>> MultiGet(std::span<const std::string_view>,
                                                           const ReadOptions&) override {
    return Nothing();
  }
  void Expect(std::span<const std::string_view> keys) override {
    told.emplace_back(keys.begin(), keys.end());
  }
  Result<std::unique_ptr<Iterator>> Scan(const ScanOptions&) override { return Nothing(); }
  Status Put(std::string_view, std::string_view, const WriteOptions&) override { return Nothing(); }
  Status Delete(std::string_view, const WriteOptions&) override { return Nothing(); }
  Status DeleteRange(std::string_view, std::string_view, const WriteOptions&) override {
    return Nothing();
  }
  Result<int64_t> Increment(std::string_view, int64_t, const WriteOptions&) override {
    return Nothing();
  }
  Status Append(std::string_view, std::string_view, const WriteOptions&) override {
    return Nothing();
  }
  Status Flush() override { return Nothing(); }
  Status Compact(std::string_view, std::string_view) override { return Nothing(); }
  Result<CollectionStats> Stats() override { return Nothing(); }

  std::vector<Keys> told;

 private:
  static Error Nothing() { return {Reason::kCollectionMissing, "nothing is here"}; }
  const std::string name_ = "listening";
};

std::string Get(const std::string& key) {
  return "*2\r\n$3\r\nGET\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
}

// What a collection is told while a connection runs all requests of two words in `bytes`.
std::vector<Keys> Told(const std::string& bytes) {
  Listening collection;
  Foresight foresight;
  resp::RequestParser parser;
  parser.Feed(bytes);
  std::vector<std::string_view> arguments;
  while (parser.Next(arguments).value()) {
    if (arguments.size() == 2) {
      foresight.Read(arguments, parser, collection);
    }
  }
  return collection.told;
}

TEST(Foresight, TellsOfTheReadsThatFollow) {
  EXPECT_EQ(Told(Get("a") + Get("b") + Get("c")), (std::vector<Keys>{{"a", "b", "c"}}));
}

TEST(Foresight, AReadAloneIsNotWorthIt) {
  EXPECT_EQ(Told(Get("a")), std::vector<Keys>());
  EXPECT_EQ(Told(Get("a") + "PING\r\n" + Get("b")), std::vector<Keys>());
}

TEST(Foresight, TellsOfEveryKeyOnceHoweverManyThereAre) {
  std::string bytes;
  Keys sent;
  for (int i = 0; i < 100; ++i) {
    sent.push_back("key" + std::to_string(i));
    bytes += Get(sent.back());
  }
  Keys all;
  for (const Keys& some : Told(bytes)) {
    EXPECT_LE(some.size(), Foresight::kAtOnce);
    all.insert(all.end(), some.begin(), some.end());
  }
  EXPECT_EQ(all, sent);
}

// What is told of `bytes`, of a connection that has read a key before.
std::string Single(const std::string& bytes) {
  Listening collection;
  Foresight foresight;
  resp::RequestParser parser;
  parser.Feed(Get("before"));
  EXPECT_EQ(foresight.Single(parser), std::nullopt);  // it may be anything
  std::vector<std::string_view> arguments;
  EXPECT_TRUE(parser.Next(arguments).value());
  foresight.Read(arguments, parser, collection);
  parser.Feed(bytes);
  return std::string(foresight.Single(parser).value_or("-"));
}

TEST(Foresight, ASingleReadIsToldApart) {
  EXPECT_EQ(Single(Get("a")), "a");
  EXPECT_EQ(Single(Get("a") + "*2"), "a");
  EXPECT_EQ(Single(Get("a") + Get("b")), "-");  // a run, which the connection tells of
  EXPECT_EQ(Single("*2\r\n$3\r\nDEL\r\n$1\r\na\r\n"), "-");
  EXPECT_EQ(Single(Get("a").substr(0, 19)), "-");
  EXPECT_EQ(Single(""), "-");
}

TEST(Foresight, ARunEndsAtAnythingElse) {
  EXPECT_EQ(Told(Get("a") + Get("b") + "PING\r\n" + Get("c") + Get("d")),
            (std::vector<Keys>{{"a", "b"}, {"c", "d"}}));
}

}  // namespace
}  // namespace luna::connection
