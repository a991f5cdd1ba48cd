#include "service/command/user.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace luna::command {
namespace {

class UserTest : public testing::Test {
 protected:
  void Take(std::initializer_list<std::string_view> rules) {
    for (const std::string_view rule : rules) {
      EXPECT_EQ(user_.Apply(table_, rule), "") << rule;
    }
  }
  // "": allowed; else what is refused.
  std::string Ask(std::initializer_list<std::string_view> words,
                  std::string_view database = "default") {
    const std::span arguments(words.begin(), words.size());
    const Command* command = table_.Find(arguments);
    return user_.Judge(*command, arguments, database).object;
  }

  const CommandTable& table_ = CommandTable::All();
  User user_{"bob"};
};

TEST_F(UserTest, RulesAreDescribedAsRedisDoes) {
  EXPECT_EQ(user_.Describe(), "off resetchannels -@all");
  EXPECT_EQ(User::Unrestricted("x").Describe(), "on nopass ~* &* +@all");
  Take({"ON", ">pw", "~a:*", "%R~b:*", "%w~c:*", "&ch*", "+get", "+@write", "-set", "+config|get",
        "-acl|load"});
  EXPECT_EQ(user_.Describe(),
            "on #30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4 ~a:* %R~b:* "
            "%W~c:* resetchannels &ch* -@all +get +@write -set +config|get -acl|load");
  Take({"-@write", "+@all", "-config|set", "resetpass", "db:x", "allchannels", "allkeys"});
  EXPECT_EQ(user_.Describe(), "on ~* &* db:x +@all -config|set");
  Take({"-config", "alldbs"});
  EXPECT_EQ(user_.Describe(), "on ~* &* +@all -config");
  Take({"reset"});
  EXPECT_EQ(user_.Describe(), "off resetchannels -@all");
}

TEST_F(UserTest, DescriptionsLeadToTheSameUser) {
  Take({"on", "nopass", "%R~r*", "~k", "+@read", "-get", "+acl|whoami", "db:a", "db:b", "&c"});
  User again{"bob"};
  const std::string text = user_.Describe();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    EXPECT_EQ(again.Apply(table_, std::string_view(text).substr(begin, end - begin)), "");
    begin = end + 1;
  }
  EXPECT_EQ(again.Describe(), text);
}

TEST_F(UserTest, WrongRulesAreNamedInRedisWords) {
  const std::string digest(64, 'a');
  for (const std::string rule : {"foo", "", "%Z~x", "%R", "(+get)", "db:", "~a b"}) {
    EXPECT_EQ(user_.Apply(table_, rule), "Syntax error") << rule;
  }
  for (const std::string rule : {"+nosuch", "-nosuch", "+@nosuch", "+config|zz", "+get|x"}) {
    EXPECT_EQ(user_.Apply(table_, rule), "Unknown command or category name in ACL") << rule;
  }
  for (const std::string& rule :
       {std::string("#12"), "!12" + digest, "#" + digest.substr(1) + "A"}) {
    EXPECT_TRUE(user_.Apply(table_, rule).starts_with("The password hash must be")) << rule;
  }
  for (const std::string& rule : {std::string("<none"), "!" + digest}) {
    EXPECT_TRUE(user_.Apply(table_, rule).starts_with("The password you are trying")) << rule;
  }
  EXPECT_EQ(user_.Describe(), "off resetchannels -@all");
  Take({"allkeys", "allchannels"});
  EXPECT_TRUE(user_.Apply(table_, "~x").starts_with("Adding a pattern after the *"));
  EXPECT_TRUE(user_.Apply(table_, "&x").starts_with("Adding a pattern after the *"));
}

TEST_F(UserTest, CommandsAndTheirPartsAreAllowedOneByOne) {
  Take({"allkeys", "+get", "+config|get", "+@hash"});
  EXPECT_EQ(Ask({"GET", "k"}), "");
  EXPECT_EQ(Ask({"SET", "k", "v"}), "set");
  EXPECT_EQ(Ask({"CONFIG", "GET", "x"}), "");
  EXPECT_EQ(Ask({"CONFIG", "SET", "x", "y"}), "config|set");
  Take({"+@all", "-@dangerous", "-set"});
  EXPECT_EQ(Ask({"CONFIG", "GET", "x"}), "config|get");
  EXPECT_EQ(Ask({"SET", "k", "v"}), "set");
  EXPECT_EQ(Ask({"MGET", "k"}), "");
  EXPECT_FALSE(user_.unrestricted());
  Take({"+@all"});
  EXPECT_TRUE(user_.unrestricted());
}

TEST_F(UserTest, KeysAreCheckedWhereTheTableSaysTheyAre) {
  Take({"+@all", "~a*", "%R~r*", "%W~w*"});
  EXPECT_EQ(Ask({"MGET", "a", "r1", "b"}), "b");
  EXPECT_EQ(Ask({"MSET", "a", "x", "w", "x"}), "");
  EXPECT_EQ(Ask({"MSET", "a", "x", "r", "x"}), "r");
  EXPECT_EQ(Ask({"GET", "w"}), "w");
  EXPECT_EQ(Ask({"EXISTS", "w", "r"}), "");
  EXPECT_EQ(Ask({"INCR", "w"}), "w");
  EXPECT_EQ(Ask({"SET", "w", "x"}), "");
  EXPECT_EQ(Ask({"SET", "w", "x", "GET"}), "w");
  EXPECT_EQ(Ask({"COPY", "r", "w"}), "");
  EXPECT_EQ(Ask({"COPY", "w", "r"}), "w");
  EXPECT_EQ(Ask({"RENAME", "a", "w"}), "");
  EXPECT_EQ(Ask({"RENAME", "r", "w"}), "r");
  EXPECT_EQ(Ask({"SCAN", "0"}), "");
  EXPECT_EQ(Ask({"PING"}), "");
}

TEST_F(UserTest, RangesNeedAllKeys) {
  Take({"+@all", "~a*"});
  EXPECT_EQ(Ask({"RANGE", "PREFIX", "a"}), "*");
  EXPECT_EQ(Ask({"DELRANGE", "PREFIX", "a"}), "*");
  EXPECT_EQ(Ask({"SIZE", "RANGE", "PREFIX", "a"}), "*");
  Take({"%R~*"});
  EXPECT_EQ(Ask({"RANGE", "PREFIX", "a"}), "");
  EXPECT_EQ(Ask({"DELRANGE", "PREFIX", "a"}), "*");
}

TEST_F(UserTest, DatabasesBindASession) {
  Take({"+@all", "allkeys", "db:orders"});
  EXPECT_EQ(Ask({"GET", "k"}), "default");
  EXPECT_EQ(Ask({"GET", "k"}, "orders"), "");
  EXPECT_EQ(Ask({"PING"}), "");
  EXPECT_EQ(Ask({"USE", "orders"}), "");
  EXPECT_EQ(Ask({"USE", "default"}, "orders"), "default");
  EXPECT_EQ(Ask({"BEGIN"}), "default");
  EXPECT_EQ(Ask({"DATABASE", "CREATE", "x"}, "orders"), "database|create");
  EXPECT_EQ(Ask({"FLUSHALL"}, "orders"), "flushall");
  EXPECT_EQ(user_.first_database(), "orders");
  EXPECT_FALSE(user_.unrestricted());
}

}  // namespace
}  // namespace luna::command
