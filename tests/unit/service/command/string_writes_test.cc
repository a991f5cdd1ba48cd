#include <gtest/gtest.h>

#include <string>

#include "service_support/test_host.h"

namespace luna::command {
namespace {

class StringWrites : public testing::Test {
 protected:
  std::string Do(std::string_view line) { return host_.Line(session_, line); }
  std::string Version(std::string_view key) {
    return std::to_string(session_.collection->GetValue(key).value()->timestamp);
  }

  service_support::TestHost host_;
  Session session_ = host_.NewSession();
};

constexpr std::string_view kOk = "+OK\r\n";
constexpr std::string_view kNull = "$-1\r\n";
constexpr std::string_view kSyntax = "-ERR syntax error\r\n";

TEST_F(StringWrites, SetTakesTheExpiryAway) {
  EXPECT_EQ(Do("SET k v PXAT 9999999999999"), kOk);
  EXPECT_EQ(Do("PEXPIRETIME k"), ":9999999999999\r\n");
  EXPECT_EQ(Do("SET k w KEEPTTL"), kOk);
  EXPECT_EQ(Do("PEXPIRETIME k"), ":9999999999999\r\n");
  EXPECT_EQ(Do("SET k w"), kOk);
  EXPECT_EQ(Do("TTL k"), ":-1\r\n");
  EXPECT_EQ(Do("SET k w EX 100"), kOk);
  EXPECT_EQ(Do("TTL k"), ":100\r\n");
  EXPECT_EQ(Do("SET k w EX 5 EX 200"), kOk);
  EXPECT_EQ(Do("TTL k"), ":200\r\n");
  EXPECT_EQ(Do("SET k w EXAT 1"), kOk);
  EXPECT_EQ(Do("GET k"), kNull);
  EXPECT_TRUE(Do("SET " + std::string((64 << 10) + 1, 'k') + " v").starts_with("-TOOLARGE "));
}

TEST_F(StringWrites, SetMindsItsConditions) {
  EXPECT_EQ(Do("SET k v XX"), kNull);
  EXPECT_EQ(Do("SET k v NX"), kOk);
  EXPECT_EQ(Do("SET k w nx"), kNull);
  EXPECT_EQ(Do("SET k w XX GET"), "$1\r\nv\r\n");
  EXPECT_EQ(Do("SET k x NX GET"), "$1\r\nw\r\n");
  EXPECT_EQ(Do("SET new x GET"), kNull);
  EXPECT_EQ(Do("GET new"), "$1\r\nx\r\n");
  EXPECT_EQ(Do("SET k y IFEQ w"), kOk);
  EXPECT_EQ(Do("SET k z IFEQ w"), kNull);
  EXPECT_EQ(Do("SET k z IFEQ w GET"), "$1\r\ny\r\n");
  EXPECT_EQ(Do("SET missing z IFEQ w"), kNull);
}

TEST_F(StringWrites, SetMindsAVersion) {
  EXPECT_EQ(Do("SET k v IFVER 5"), kNull);
  EXPECT_EQ(Do("SET k v IFVER 0"), kOk);
  EXPECT_EQ(Do("SET k w IFVER 0"), kNull);
  EXPECT_EQ(Do("SET k w IFVER " + Version("k")), kOk);
  EXPECT_EQ(Do("SET k x IFVER 1"), kNull);
  EXPECT_EQ(Do("SET k x IFVER v"), "-" + std::string(kNotInteger) + "\r\n");
}

TEST_F(StringWrites, OwnWritesFulfilNoVersion) {
  Do("SET k v");
  const std::string version = Version("k");
  auto transaction = session_.database->Begin().value();
  const auto run = [&](std::initializer_list<std::string_view> words) {
    std::string out;
    resp::ReplyWriter reply(out, session_.version);
    const std::span arguments(words.begin(), words.size());
    command::Run(*host_.commands().Find(arguments), session_, host_, arguments, transaction.get(),
                 reply);
    return out;
  };
  EXPECT_EQ(run({"SET", "k", "w", "IFVER", version}), kOk);
  EXPECT_EQ(run({"GETVER", "k"}), "*2\r\n$1\r\nw\r\n:0\r\n");
  EXPECT_EQ(run({"SET", "k", "x", "IFVER", version}), kNull);
  EXPECT_EQ(run({"SET", "k", "x", "IFVER", "0"}), kNull);
  EXPECT_EQ(run({"DELEX", "k", "IFVER", version}), ":0\r\n");
}

TEST_F(StringWrites, SetRefusesBadOptions) {
  for (const std::string_view options :
       {"NX XX", "NX IFEQ v", "IFEQ v XX", "IFEQ v IFVER 1", "IFEQ", "EX", "EX 5 PX 5",
        "EX 5 KEEPTTL", "KEEPTTL EX 5", "PERSIST", "maybe"}) {
    EXPECT_EQ(Do("SET k v " + std::string(options)), kSyntax) << options;
  }
  EXPECT_EQ(Do("SET k v EX 0"), "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(Do("SET k v PX x"), "-" + std::string(kNotInteger) + "\r\n");
  EXPECT_EQ(Do("EXISTS k"), ":0\r\n");
}

TEST_F(StringWrites, SetnxSetexPsetexGetset) {
  EXPECT_EQ(Do("SETNX k v"), ":1\r\n");
  EXPECT_EQ(Do("SETNX k w"), ":0\r\n");
  EXPECT_EQ(Do("GETSET k w"), "$1\r\nv\r\n");
  EXPECT_EQ(Do("GETSET new w"), kNull);
  EXPECT_EQ(Do("SETEX k 100 v"), kOk);
  EXPECT_EQ(Do("TTL k"), ":100\r\n");
  EXPECT_EQ(Do("PSETEX k 200000 v"), kOk);
  EXPECT_EQ(Do("TTL k"), ":200\r\n");
  EXPECT_EQ(Do("SETEX k 0 v"), "-ERR invalid expire time in 'setex' command\r\n");
  EXPECT_EQ(Do("PSETEX k -1 v"), "-ERR invalid expire time in 'psetex' command\r\n");
}

TEST_F(StringWrites, GetdelTakesTheKey) {
  Do("SET k v");
  EXPECT_EQ(Do("GETDEL k"), "$1\r\nv\r\n");
  EXPECT_EQ(Do("GETDEL k"), kNull);
}

TEST_F(StringWrites, GetexChangesTheExpiryOnly) {
  EXPECT_EQ(Do("GETEX k EX 0"), kNull);
  Do("SET k v");
  EXPECT_EQ(Do("GETEX k"), "$1\r\nv\r\n");
  EXPECT_EQ(Do("GETEX k EX 100"), "$1\r\nv\r\n");
  EXPECT_EQ(Do("TTL k"), ":100\r\n");
  EXPECT_EQ(Do("GETEX k"), "$1\r\nv\r\n");
  EXPECT_EQ(Do("TTL k"), ":100\r\n");
  EXPECT_EQ(Do("GETEX k PERSIST"), "$1\r\nv\r\n");
  EXPECT_EQ(Do("TTL k"), ":-1\r\n");
  EXPECT_EQ(Do("GETEX k EX 0"), "-ERR invalid expire time in 'getex' command\r\n");
  EXPECT_EQ(Do("GETEX k EX 5 PERSIST"), kSyntax);
  EXPECT_EQ(Do("GETEX k NX"), kSyntax);
  EXPECT_EQ(Do("GETEX k EXAT 1"), "$1\r\nv\r\n");
  EXPECT_EQ(Do("EXISTS k"), ":0\r\n");
}

TEST_F(StringWrites, MsetWritesAllOrNothing) {
  EXPECT_EQ(Do("MSET a 1 b 2"), kOk);
  EXPECT_EQ(Do("MSET a 1 b"), "-ERR wrong number of arguments for 'mset' command\r\n");
  EXPECT_EQ(Do("MSETNX b 3 c 4"), ":0\r\n");
  EXPECT_EQ(Do("EXISTS c"), ":0\r\n");
  EXPECT_EQ(Do("MSETNX c 3 d 4"), ":1\r\n");
  EXPECT_EQ(Do("MSETNX c 3 d"), "-ERR wrong number of arguments for 'msetnx' command\r\n");
  EXPECT_TRUE(Do("MSET e 1 " + std::string((64 << 10) + 1, 'k') + " 2").starts_with("-TOOLARGE "));
  EXPECT_EQ(Do("EXISTS e"), ":0\r\n");
}

TEST_F(StringWrites, AppendAndSetrangeKeepTheExpiry) {
  EXPECT_EQ(Do("APPEND k ab"), ":2\r\n");
  Do("PEXPIREAT k 9999999999999");
  EXPECT_EQ(Do("APPEND k cd"), ":4\r\n");
  EXPECT_EQ(Do("SETRANGE k 1 XX"), ":4\r\n");
  EXPECT_EQ(Do("GET k"), "$4\r\naXXd\r\n");
  EXPECT_EQ(Do("SETRANGE k 5 Y"), ":6\r\n");
  EXPECT_EQ(Do("GET k"), std::string("$6\r\naXXd\0Y\r\n", 12));
  EXPECT_EQ(Do("PEXPIRETIME k"), ":9999999999999\r\n");
}

TEST_F(StringWrites, SetrangeMindsItsOffset) {
  EXPECT_EQ(host_.Do(session_, {"SETRANGE", "k", "5", ""}), ":0\r\n");
  EXPECT_EQ(Do("EXISTS k"), ":0\r\n");
  EXPECT_EQ(Do("SETRANGE k -1 v"), "-ERR offset is out of range\r\n");
  EXPECT_EQ(Do("SETRANGE k x v"), "-" + std::string(kNotInteger) + "\r\n");
  const std::string too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
  EXPECT_EQ(Do("SETRANGE k 536870912 v"), too_long);
  EXPECT_EQ(Do("SETRANGE k 9223372036854775807 v"), too_long);
}

TEST_F(StringWrites, DeletesIfStillTheSame) {
  Do("MSET a 1 b 2 c 3");
  EXPECT_EQ(Do("DELEX a IFEQ 2"), ":0\r\n");
  EXPECT_EQ(Do("DELEX a IFEQ 1"), ":1\r\n");
  EXPECT_EQ(Do("DELEX a"), ":0\r\n");
  EXPECT_EQ(Do("DELEX b IFVER 7"), ":0\r\n");
  EXPECT_EQ(Do("DELEX b IFVER " + Version("b")), ":1\r\n");
  EXPECT_EQ(Do("DELEX missing IFVER 0"), ":0\r\n");
  EXPECT_EQ(Do("DELIFEQ c 4"), ":0\r\n");
  EXPECT_EQ(Do("DELIFEQ c 3"), ":1\r\n");
  EXPECT_EQ(Do("DELEX c NX"), kSyntax);
}

TEST_F(StringWrites, OtherTypesAreOverwrittenOnlyWithoutLooking) {
  const auto put = [&] {
    session_.database
        ->Transact([&](Transaction& transaction) {
          return transaction.Put(*session_.collection, "k", "v", {}, 9);
        })
        .value();
  };
  put();
  for (const std::string_view line :
       {"SET k x GET", "SET k x IFEQ v", "GETSET k x", "GETDEL k", "GETEX k", "APPEND k x",
        "SETRANGE k 0 x", "DELIFEQ k v", "DELEX k IFEQ v"}) {
    EXPECT_EQ(Do(line), "-" + std::string(kWrongType) + "\r\n") << line;
  }
  EXPECT_EQ(Do("SET k x XX"), kOk);
  EXPECT_EQ(Do("TYPE k"), "+string\r\n");
}

}  // namespace
}  // namespace luna::command
