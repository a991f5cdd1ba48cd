#include "service/server/settings.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace luna::server {
namespace {

using Kind = Setting::Kind;

const Setting& Named(std::string_view name) {
  return *FindSetting(name);
}

TEST(Settings, NamesAreUniqueAndDescribed) {
  std::set<std::string_view> names;
  for (const Setting& setting : AllSettings()) {
    EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
    EXPECT_FALSE(setting.description.empty()) << setting.name;
  }
  EXPECT_EQ(FindSetting("nothing"), nullptr);
  EXPECT_EQ(FindSetting("MEMORY"), &Named("memory"));
}

TEST(Settings, EverySettingTakesWhatItShows) {
  Settings given;
  given.listen = {"a:1", "b:2"};
  given.memory = (int64_t{100} << 20) + 1;
  given.is_protected = false;
  given.log_level = "error";
  given.slowlog_micros = -1;
  for (const Setting& setting : AllSettings()) {
    Settings taken;
    ASSERT_TRUE(TakeText(setting, TextOf(setting, given), taken).ok()) << setting.name;
    EXPECT_TRUE(IsSame(setting, given, taken)) << setting.name;
  }
}

TEST(Settings, DefaultsAreInTheirRange) {
  Settings settings;
  for (const Setting& setting : AllSettings()) {
    EXPECT_TRUE(TakeText(setting, TextOf(setting, Settings()), settings).ok()) << setting.name;
  }
  EXPECT_TRUE(CheckTogether(settings).ok());
}

TEST(Settings, OnlyMemoryMayBeAuto) {
  Settings settings;
  settings.memory = 1;
  EXPECT_TRUE(TakeText(Named("memory"), "auto", settings).ok());
  EXPECT_EQ(settings.memory, 0);
  EXPECT_EQ(TextOf(Named("memory"), settings), "auto");
  EXPECT_FALSE(TakeText(Named("memory"), "0", settings).ok());
  EXPECT_FALSE(TakeText(Named("output-hard"), "auto", settings).ok());
}

TEST(Settings, RefusesWhatDoesNotFit) {
  struct Case {
    const char* name;
    const char* text;
    const char* wanted;
  };
  for (const Case& one :
       {Case{"memory", "lots", "a size from 64MiB"}, Case{"memory", "1MiB", "a size from 64MiB"},
        Case{"memory", "99999TiB", "a size from 64MiB"}, Case{"handlers", "0", "from 1 to 256"},
        Case{"handlers", "257", "from 1 to 256"}, Case{"maxclients", "ten", "a whole number"},
        Case{"maxclients", "99999999999999999999", "a whole number"},
        Case{"protected", "perhaps", "true or false"},
        Case{"durability", "Device", "\"device\", \"process\", \"relaxed\""},
        Case{"slowlog-micros", "-2", "from -1"}}) {
    Settings settings;
    const Status taken = TakeText(Named(one.name), one.text, settings);
    ASSERT_FALSE(taken.ok()) << one.name << " " << one.text;
    EXPECT_EQ(taken.error().reason(), Reason::kBadOption);
    EXPECT_TRUE(taken.error().message().starts_with(one.name)) << taken.error().message();
    EXPECT_NE(taken.error().message().find(one.wanted), std::string::npos)
        << taken.error().message();
    EXPECT_TRUE(IsSame(Named(one.name), settings, Settings())) << "unchanged";
  }
}

TEST(Settings, NumbersOfAnotherKindAreRefused) {
  Settings settings;
  EXPECT_TRUE(TakeNumber(Named("readers"), 2, settings).ok());
  EXPECT_EQ(settings.readers, 2);
  EXPECT_EQ(TakeNumber(Named("universe"), 2, settings).error().reason(), Reason::kBadOption);
}

TEST(Settings, SecretsAreNotShown) {
  Settings settings;
  settings.password = "open sesame";
  EXPECT_EQ(TextOf(Named("password"), settings), "(hidden)");
  EXPECT_EQ(TextOf(Named("password"), Settings()), "");
}

TEST(Settings, NearestNameIsFound) {
  EXPECT_EQ(NearestSetting("memroy"), "memory");
  EXPECT_EQ(NearestSetting("max-clients"), "maxclients");
  EXPECT_EQ(NearestSetting("slowlog_micros"), "slowlog-micros");
  EXPECT_EQ(NearestSetting("qqqqqqqqqqqqq"), "");
  EXPECT_EQ(NearestSetting(""), "");
}

TEST(Settings, SizesAreExact) {
  EXPECT_EQ(ExactBytes(0), "0");
  EXPECT_EQ(ExactBytes(1023), "1023");
  EXPECT_EQ(ExactBytes(1536), "1536");
  EXPECT_EQ(ExactBytes(2048), "2KiB");
  EXPECT_EQ(ExactBytes(int64_t{3} << 30), "3GiB");
}

TEST(Settings, TogetherTheyMakeSense) {
  const auto wrong = [](auto change) {
    Settings settings;
    change(settings);
    const Status checked = CheckTogether(settings);
    return checked.ok() ? std::string() : checked.error().message();
  };
  EXPECT_NE(wrong([](Settings& s) { s.listen = {}; }), "");
  EXPECT_NE(wrong([](Settings& s) { s.listen = {"nowhere"}; }), "");
  EXPECT_NE(wrong([](Settings& s) { s.listen = {"0.0.0.0:1"}; }).find("LUNA_PASSWORD"),
            std::string::npos);
  EXPECT_EQ(wrong([](Settings& s) { s.listen = {"[::1]:1", "127.0.0.2:0", "localhost:9"}; }), "");
  EXPECT_EQ(wrong([](Settings& s) {
              s.listen = {"0.0.0.0:1"};
              s.password = "x";
            }),
            "");
  EXPECT_EQ(wrong([](Settings& s) {
              s.listen = {"0.0.0.0:1"};
              s.is_protected = false;
            }),
            "");
  EXPECT_NE(wrong([](Settings& s) {
              s.password = "x";
              s.password_file = "y";
            }),
            "");
  EXPECT_NE(wrong([](Settings& s) { s.output_soft = s.output_hard + 1; }), "");
  EXPECT_NE(wrong([](Settings& s) { s.tls_listen = {"127.0.0.1:1"}; }), "");
  EXPECT_EQ(wrong([](Settings& s) {
              s.listen = {};
              s.tls_listen = {"127.0.0.1:1"};
              s.tls_cert = s.tls_key = "x";
            }),
            "");
  EXPECT_NE(wrong([](Settings& s) { s.tls_client_auth = "required"; }), "");
  EXPECT_NE(wrong([](Settings& s) {
              s.http_listen = "0.0.0.0:1";
              s.password = "x";
            }),
            "");
}

TEST(Settings, ATabletServerIsReachedByOthers) {
  const auto wrong = [](auto change) {
    Settings settings;
    settings.role = "tablet-server";
    settings.universe = "rados:luna?conf=c";
    change(settings);
    const Status checked = CheckTogether(settings);
    return checked.ok() ? std::string() : checked.error().message();
  };
  EXPECT_EQ(wrong([](Settings&) {}), "");
  EXPECT_NE(wrong([](Settings& s) { s.universe = "./here"; }).find("not './here'"),
            std::string::npos);
  EXPECT_NE(wrong([](Settings& s) { s.listen = {"127.0.0.1:0"}; }).find("other than 0"),
            std::string::npos);
  EXPECT_NE(wrong([](Settings& s) {
              s.listen = {"0.0.0.0:7"};
              s.password = "x";
            }).find("set advertise"),
            std::string::npos);
  EXPECT_EQ(wrong([](Settings& s) {
              s.listen = {"0.0.0.0:7"};
              s.password = "x";
              s.advertise = "a:7";
            }),
            "");
  EXPECT_NE(wrong([](Settings& s) { s.advertise = "nowhere"; }).find("advertise: "),
            std::string::npos);
  EXPECT_NE(wrong([](Settings& s) { s.http_listen = "127.0.0.1:0"; }).find("http-listen"),
            std::string::npos);
  EXPECT_NE(wrong([](Settings& s) { s.durability = "relaxed"; }).find("durability"),
            std::string::npos);
  EXPECT_NE(wrong([](Settings& s) {
              s.role = "universe";
              s.advertise = "a:7";
            }).find("needs role"),
            std::string::npos);
}

TEST(Settings, ATabletServerWithTlsPassesOnWithTls) {
  const auto wrong = [](auto change) {
    Settings settings;
    settings.role = "tablet-server";
    settings.universe = "rados:luna?conf=c";
    settings.tls_listen = {"127.0.0.1:8"};
    settings.tls_cert = settings.tls_key = settings.tls_ca = "x";
    change(settings);
    const Status checked = CheckTogether(settings);
    return checked.ok() ? std::string() : checked.error().message();
  };
  EXPECT_EQ(wrong([](Settings&) {}), "");
  EXPECT_EQ(wrong([](Settings& s) { s.listen = {}; }), "");
  EXPECT_NE(wrong([](Settings& s) { s.tls_cert = ""; }).find("needs tls-cert"), std::string::npos);
  EXPECT_NE(wrong([](Settings& s) { s.tls_ca = ""; }).find("whom to trust to be the leader"),
            std::string::npos);
  EXPECT_NE(wrong([](Settings& s) { s.tls_listen = {"127.0.0.1:0"}; }).find("other than 0"),
            std::string::npos);
  EXPECT_NE(wrong([](Settings& s) {
              s.tls_listen = {"0.0.0.0:8"};
              s.password = "x";
            }).find("tls-listen: 0.0.0.0:8 leads nobody here; set advertise"),
            std::string::npos);
  // Clients of listen would be let in by this server's certificate.
  EXPECT_NE(wrong([](Settings& s) { s.tls_client_auth = "required"; }).find("set listen = []"),
            std::string::npos);
  EXPECT_EQ(wrong([](Settings& s) {
              s.tls_client_auth = "required";
              s.listen = {};
            }),
            "");
  EXPECT_EQ(wrong([](Settings& s) { s.tls_client_auth = "optional"; }), "");
  EXPECT_EQ(wrong([](Settings& s) {
              s.tls_client_auth = "required";
              s.writes = "refuse";
            }),
            "");
  EXPECT_EQ(wrong([](Settings& s) {
              s.tls_ca = "";
              s.writes = "refuse";
            }),
            "");
}

TEST(Settings, OthersReachAServerWithTlsWhereItSpeaksThat) {
  Settings settings;
  EXPECT_EQ(AdvertisedAddress(settings), "127.0.0.1:6479");
  settings.tls_listen = {"127.0.0.1:8", "127.0.0.1:9"};
  EXPECT_EQ(AdvertisedAddress(settings), "127.0.0.1:8");
  settings.listen = {};
  EXPECT_EQ(AdvertisedAddress(settings), "127.0.0.1:8");
  settings.advertise = "a:7";
  EXPECT_EQ(AdvertisedAddress(settings), "a:7");
  settings = Settings{};
  settings.listen = {};
  EXPECT_EQ(AdvertisedAddress(settings), "");
}

TEST(Settings, WorkersShareAUniverseAndOnlyTabletServersOffload) {
  Settings worker;
  worker.role = "worker";
  EXPECT_NE(CheckTogether(worker).error().message().find("role = worker needs a universe"),
            std::string::npos);
  worker.universe = "rados:luna?conf=c";
  worker.http_listen = "127.0.0.1:0";  // nobody looks for it under its old address
  EXPECT_TRUE(CheckTogether(worker).ok());
  worker.offload = true;
  EXPECT_NE(CheckTogether(worker).error().message().find("offload needs role = tablet-server"),
            std::string::npos);
  worker.role = "tablet-server";
  worker.http_listen = "";
  EXPECT_TRUE(CheckTogether(worker).ok());
}

TEST(Settings, ServersTalkOverNetworksWithTlsOnly) {
  const auto wrong = [](auto change) {
    Settings settings;
    settings.role = "tablet-server";
    settings.universe = "rados:luna?conf=c";
    settings.peer_listen = "127.0.0.1:7479";
    change(settings);
    const Status checked = CheckTogether(settings);
    return checked.ok() ? std::string() : checked.error().message();
  };
  const auto with_tls = [](Settings& s) { s.peer_tls_ca = s.peer_tls_cert = s.peer_tls_key = "x"; };
  EXPECT_EQ(wrong([](Settings&) {}), "");
  EXPECT_EQ(wrong(with_tls), "");
  EXPECT_NE(wrong([](Settings& s) { s.peer_listen = "10.0.0.1:7"; }).find("without TLS"),
            std::string::npos);
  EXPECT_EQ(wrong([&](Settings& s) {
              with_tls(s);
              s.peer_listen = "10.0.0.1:7";
            }),
            "");
  EXPECT_NE(wrong([&](Settings& s) {
              with_tls(s);
              s.peer_listen = "0.0.0.0:7";
            }).find("set peer-advertise"),
            std::string::npos);
  EXPECT_EQ(wrong([&](Settings& s) {
              with_tls(s);
              s.peer_listen = "0.0.0.0:7";
              s.peer_advertise = "a:7";
            }),
            "");
  EXPECT_NE(wrong([](Settings& s) { s.peer_tls_ca = "x"; }).find("need one another"),
            std::string::npos);
  EXPECT_NE(wrong([](Settings& s) { s.peer_listen = "127.0.0.1:0"; }).find("other than 0"),
            std::string::npos);
  EXPECT_NE(wrong([](Settings& s) { s.peer_listen = "nowhere"; }).find("peer-listen: "),
            std::string::npos);
  EXPECT_NE(wrong([&](Settings& s) {
              s.peer_listen = "";
              with_tls(s);
            }).find("need peer-listen"),
            std::string::npos);
  EXPECT_NE(wrong([](Settings& s) {
              s.role = "universe";
              s.universe = "./here";
            }).find("peer-listen needs role"),
            std::string::npos);
}

TEST(Settings, PeersReachWhatIsAdvertisedToThem) {
  Settings settings;
  EXPECT_EQ(PeerAddress(settings), "");
  settings.peer_listen = "127.0.0.1:7479";
  EXPECT_EQ(PeerAddress(settings), "127.0.0.1:7479");
  settings.peer_advertise = "a:7";
  EXPECT_EQ(PeerAddress(settings), "a:7");
}

TEST(Settings, AdvertisedIsTheFirstOfListenUnlessSaid) {
  Settings settings;
  settings.listen = {"[::1]:7", "b:8"};
  EXPECT_EQ(AdvertisedAddress(settings), "[::1]:7");
  settings.advertise = "c:9";
  EXPECT_EQ(AdvertisedAddress(settings), "c:9");
}

}  // namespace
}  // namespace luna::server
