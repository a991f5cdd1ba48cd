#include "kernel/rados/location.h"

#include <gtest/gtest.h>

namespace luna::rados {

namespace {

TEST(Location, NeedsOnlyAPool) {
  const Location location = ParseLocation("rados:luna").value();
  EXPECT_EQ(location, (Location{.pool = "luna"}));
  EXPECT_EQ(location.name_space, "luna");
  EXPECT_EQ(location.client, "admin");
  EXPECT_EQ(location.timeout_seconds, 30u);
}

TEST(Location, TakesEveryOption) {
  const Location location =
      ParseLocation("rados:p-1?conf=/etc/ceph/a b.conf&namespace=db.1&client=luna&timeout=5")
          .value();
  EXPECT_EQ(location, (Location{.pool = "p-1",
                                .conf = "/etc/ceph/a b.conf",
                                .name_space = "db.1",
                                .client = "luna",
                                .timeout_seconds = 5}));
  EXPECT_EQ(ParseLocation("rados:p?timeout=60&timeout=4").value().timeout_seconds, 4u);
}

TEST(Location, RefusesWhatItDoesNotKnow) {
  for (const char* url :
       {"rados", "rados:", "file:x", "rados:a/b", "rados:p?", "rados:p?namespace=", "rados:p?x=1",
        "rados:p?conf", "rados:p?conf=", "rados:p?namespace=a b", "rados:p?client=",
        "rados:p?timeout=0", "rados:p?timeout=3601", "rados:p?timeout=5s", "rados:p?timeout="}) {
    const auto location = ParseLocation(url);
    if (std::string_view(url) == "rados:p?") {
      EXPECT_TRUE(location.ok());  // no options are no options
      continue;
    }
    ASSERT_FALSE(location.ok()) << url;
    EXPECT_EQ(location.error().reason(), Reason::kBadOption);
    EXPECT_NE(location.error().message().find("rados:POOL?conf="), std::string::npos);
  }
}

TEST(Location, KnowsItsCluster) {
  const Location location = ParseLocation("rados:p?conf=c&namespace=a").value();
  EXPECT_TRUE(location.SameCluster(ParseLocation("rados:q?conf=c&namespace=b").value()));
  EXPECT_FALSE(location.SameCluster(ParseLocation("rados:p?conf=d&namespace=a").value()));
  EXPECT_FALSE(location.SameCluster(ParseLocation("rados:p?conf=c&client=x").value()));
}

}  // namespace

}  // namespace luna::rados
