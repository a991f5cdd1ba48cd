#include "service/server/config.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace luna::server {
namespace {

Config::Variable Environment(const std::map<std::string, std::string>& values) {
  return [values](const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : found->second.c_str();
  };
}

std::string Refused(std::string_view text) {
  Config config;
  const Status taken = config.TakeFile(text, "luna.toml");
  if (taken.ok()) {
    return "";
  }
  EXPECT_EQ(taken.error().reason(), Reason::kBadOption);
  return taken.error().message();
}

Status Flag(Config& config, std::string_view name, std::vector<std::string> texts) {
  return config.TakeFlag(*FindSetting(name), texts);
}

TEST(Config, ReadsAFile) {
  Config config;
  config
      .TakeFile(
          "# comment\nuniverse = \"/data\"\nlisten = [\"a:1\", \"b:2\"]\nmemory = \"512MiB\"\n"
          "protected = false\nmaxclients = 7\nlog-level = \"debug\"\n",
          "luna.toml")
      .value();
  const Settings& settings = config.settings();
  EXPECT_EQ(settings.universe, "/data");
  EXPECT_EQ(settings.listen, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_EQ(settings.memory, int64_t{512} << 20);
  EXPECT_FALSE(settings.is_protected);
  EXPECT_EQ(settings.maxclients, 7);
  EXPECT_EQ(settings.log_level, "debug");
  EXPECT_EQ(config.OriginOf(*FindSetting("maxclients")), "luna.toml:6");
  EXPECT_EQ(config.OriginOf(*FindSetting("timeout")), "default");
}

TEST(Config, MistakesAreNamedWithTheirLine) {
  EXPECT_EQ(Refused("timeout = 1\nmemroy = \"1GiB\"\n"),
            "luna.toml:2: no setting is called 'memroy'; is 'memory' meant?");
  EXPECT_EQ(Refused("\n\nhandlers = \"four\"\n"),
            "luna.toml:3: handlers: wanted is a whole number from 1 to 256");
  EXPECT_EQ(Refused("handlers = 1000"),
            "luna.toml:1: handlers: '1000' is not a whole number from 1 to 256");
  EXPECT_NE(Refused("memory = 1.5").find("luna.toml:1: memory: wanted is a size"),
            std::string::npos);
  EXPECT_NE(Refused("protected = \"false\"").find("true or false"), std::string::npos);
  EXPECT_NE(Refused("listen = \"a:1\"").find("a list of texts"), std::string::npos);
  EXPECT_NE(Refused("listen = [1]").find("a list of texts"), std::string::npos);
  EXPECT_NE(Refused("timeout = 1\n[server]\nport = 1\n").find("luna.toml:2: there are no sections"),
            std::string::npos);
  EXPECT_NE(Refused("durability = \"none\"").find("one of \"device\""), std::string::npos);
  EXPECT_NE(Refused("Memory = \"1GiB\"").find("is 'memory' meant?"), std::string::npos);
  EXPECT_NE(Refused("timeout = 1\ntimeout = 2\n").find("luna.toml:2: this is no TOML"),
            std::string::npos);
  EXPECT_NE(Refused("timeout 1\n").find("luna.toml:1: this is no TOML"), std::string::npos);
  EXPECT_NE(Refused("\xff\xfe").find("this is no TOML"), std::string::npos);
  EXPECT_EQ(Refused(""), "");
}

TEST(Config, FirstMistakeOfTheFileIsTheOneNamed) {
  EXPECT_NE(Refused("zzz = 1\naaa = 1\n").find("luna.toml:1"), std::string::npos);
}

TEST(Config, LaterSourcesWin) {
  Config config;
  config.TakeFile("timeout = 1\nreaders = 1\nhandlers = 1\n", "luna.toml").value();
  config
      .TakeEnvironment(Environment({{"LUNA_READERS", "2"},
                                    {"LUNA_HANDLERS", "2"},
                                    {"LUNA_SLOWLOG_KEPT", "5"},
                                    {"LUNA_LISTEN", "a:1,b:2"},
                                    {"LUNA_UNIVERSE", ""},
                                    {"LUNA_NO_SETTING", "x"}}))
      .value();
  Flag(config, "handlers", {"3"}).value();
  EXPECT_EQ(config.settings().timeout, 1);
  EXPECT_EQ(config.settings().readers, 2);
  EXPECT_EQ(config.settings().handlers, 3);
  EXPECT_EQ(config.settings().slowlog_kept, 5);
  EXPECT_EQ(config.settings().listen, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_EQ(config.settings().universe, "./luna-data") << "empty is not set";
  EXPECT_EQ(config.OriginOf(*FindSetting("timeout")), "luna.toml:1");
  EXPECT_EQ(config.OriginOf(*FindSetting("readers")), "LUNA_READERS");
  EXPECT_EQ(config.OriginOf(*FindSetting("handlers")), "command line");
}

TEST(Config, MistakesOfOtherSourcesAreNamedToo) {
  Config config;
  EXPECT_TRUE(config.TakeEnvironment(Environment({{"LUNA_MEMORY", "lots"}}))
                  .error()
                  .message()
                  .starts_with("LUNA_MEMORY: memory: 'lots' is not a size"));
  EXPECT_TRUE(Flag(config, "protected", {"maybe"})
                  .error()
                  .message()
                  .starts_with("--protected: protected: 'maybe' is not true or false"));
}

TEST(Config, ListFlagsAddUpAndOthersReplace) {
  Config config;
  Flag(config, "listen", {"a:1", "b:2,c:3"}).value();
  EXPECT_EQ(config.settings().listen, (std::vector<std::string>{"a:1", "b:2", "c:3"}));
  Flag(config, "readers", {"2", "3"}).value();
  EXPECT_EQ(config.settings().readers, 3);
}

TEST(Config, PrintedConfigIsAFileThatSaysTheSame) {
  Config config;
  config
      .TakeFile(
          "universe = \"a \\\"b\\\" \\\\ \\u0001 \\u007f ä\"\nmemory = \"100000KiB\"\n"
          "listen = []\nprotected = false\nslowlog-micros = -1\n",
          "luna.toml")
      .value();
  Config again;
  again.TakeFile(config.ToToml(), "printed").value();
  for (const Setting& setting : AllSettings()) {
    EXPECT_TRUE(IsSame(setting, config.settings(), again.settings())) << setting.name;
  }
}

TEST(Config, PrintedConfigKeepsSecrets) {
  Config config;
  Flag(config, "password", {"sesame"}).value();
  const std::string text = config.ToToml();
  EXPECT_EQ(text.find("sesame"), std::string::npos);
  EXPECT_NE(text.find("# password = \"(hidden)\""), std::string::npos) << text;
  Config again;
  again.TakeFile(text, "printed").value();
  EXPECT_EQ(again.settings().password, "");
}

TEST(Config, OriginCannotForgeALine) {
  Config config;
  config.TakeFile("timeout = 3\n", "evil\nmaxclients = 1").value();
  Config again;
  again.TakeFile(config.ToToml(), "printed").value();
  EXPECT_EQ(again.settings().maxclients, Settings().maxclients);
}

}  // namespace
}  // namespace luna::server
