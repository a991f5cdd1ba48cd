#include "service/connection/foresight.h"

#include <gtest/gtest.h>

#include <string>

namespace luna::connection {
namespace {

using Keys = std::vector<std::string>;

// Keeps what it is asked for; every key has itself as its value, and of "?" nothing is known.
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
  Result<std::optional<PinnedValue>> GetPinned(std::string_view, const ReadOptions&) override {
    return Nothing();
  }
  Result<std::vector<std::optional<std::string>>> MultiGet(std::span<const std::string_view>,
                                                           const ReadOptions&) override {
    return Nothing();
  }
  void Peek(std::span<const std::string_view> keys, std::span<Peeked> answers) override {
    told.emplace_back(keys.begin(), keys.end());
    ASSERT_EQ(keys.size(), answers.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      if (keys[i] != "?") {
        answers[i] = {.known = true, .value = PinnedValue{.bytes = keys[i], .pin = nullptr}};
      }
    }
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

// What is known of each read in `bytes` before it runs, "-" for nothing. A read of "skipped" is
// refused before it gets there; before a read of "else" another command runs.
Keys Foreseen(const std::string& bytes, std::vector<Keys>* told = nullptr) {
  Listening collection;
  Foresight foresight;
  resp::RequestParser parser;
  parser.Feed(bytes);
  std::vector<std::string_view> arguments;
  Keys foreseen;
  while (parser.Next(arguments).value()) {
    if (arguments[1] == "skipped") {
      continue;
    }
    if (arguments[1] == "else") {
      foresight.Forget();
    }
    const command::Foreseen* const found = foresight.Read(arguments, parser, collection);
    EXPECT_TRUE(found == nullptr || (found->collection == 1 && found->key == arguments[1]));
    foreseen.emplace_back(found != nullptr ? found->value->bytes : "-");
  }
  if (told != nullptr) {
    *told = collection.told;
  }
  return foreseen;
}

TEST(Foresight, KnowsTheAnswersOfARun) {
  EXPECT_EQ(Foreseen(Get("a")), (Keys{"-"}));
  EXPECT_EQ(Foreseen(Get("a") + Get("b") + Get("a")), (Keys{"a", "b", "a"}));
}

TEST(Foresight, BehindWhatIsNotKnownItAsksAgain) {
  std::vector<Keys> told;
  EXPECT_EQ(Foreseen(Get("a") + Get("?") + Get("b") + Get("c"), &told), (Keys{"a", "-", "b", "c"}));
  EXPECT_EQ(told, (std::vector<Keys>{{"a", "?", "b", "c"}, {"b", "c"}}));
}

TEST(Foresight, WhatIsForgottenIsAskedAgain) {
  std::vector<Keys> told;
  EXPECT_EQ(Foreseen(Get("a") + Get("else") + Get("b"), &told), (Keys{"a", "else", "b"}));
  EXPECT_EQ(told, (std::vector<Keys>{{"a", "else", "b"}, {"else", "b"}}));
}

TEST(Foresight, AReadThatWasRefusedLeavesItsAnswerToNobody) {
  std::vector<Keys> told;
  EXPECT_EQ(Foreseen(Get("a") + Get("skipped") + Get("b") + Get("c"), &told),
            (Keys{"a", "b", "c"}));
  EXPECT_EQ(told, (std::vector<Keys>{{"a", "skipped", "b", "c"}, {"b", "c"}}));
}

TEST(Foresight, KnowsWhatItsHandlerFound) {
  Listening collection;
  Foresight foresight;
  resp::RequestParser parser;
  parser.Feed(Get("a"));
  std::vector<std::string_view> arguments;
  ASSERT_TRUE(parser.Next(arguments).value());
  const auto read = [&] { return foresight.Read(arguments, parser, collection); };
  const PinnedValue value = {.bytes = "found", .pin = nullptr};
  foresight.Found(7, "a", {.known = true, .value = value});
  const command::Foreseen* const found = read();
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->value->bytes, "found");
  EXPECT_EQ(found->collection, 7u);
  EXPECT_EQ(read(), nullptr);  // once
  foresight.Found(7, "a", {.known = true, .value = value});
  foresight.Forget();
  EXPECT_EQ(read(), nullptr);
  foresight.Found(7, "a", {.known = false, .value = {}});
  EXPECT_EQ(read(), nullptr);
  foresight.Found(7, "b", {.known = true, .value = value});
  EXPECT_EQ(read(), nullptr);
  EXPECT_TRUE(collection.told.empty());
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
