#include "service/server/open_names.h"

#include "service_support/command_test.h"

namespace luna::server {
namespace {

using OpenNamesTest = service_support::CommandTest;

TEST_F(OpenNamesTest, KeepsHandlesUntilForgotten) {
  OpenNames names(host_.universe());
  const auto database = names.FindDatabase("default").value();
  EXPECT_EQ(names.FindDatabase("default").value(), database);
  const auto collection = names.FindCollection(*database, "7").value();
  EXPECT_EQ(names.FindCollection(*database, "7").value(), collection);
  names.ForgetCollection(*database, "7");
  names.ForgetCollection(*database, "7");
  EXPECT_NE(names.FindCollection(*database, "7").value(), collection);
  names.ForgetDatabase("default");
  EXPECT_EQ(names.FindDatabase("default").value()->name(), "default");
}

TEST_F(OpenNamesTest, MakesNumberedCollectionsOnly) {
  OpenNames names(host_.universe());
  EXPECT_EQ(names.FindDatabase("nowhere").error().reason(), Reason::kDatabaseMissing);
  const auto database = names.FindDatabase("default").value();
  EXPECT_TRUE(names.FindCollection(*database, "15").ok());
  for (const char* name : {"16", "007", "x", "-1"}) {
    EXPECT_EQ(names.FindCollection(*database, name).error().reason(), Reason::kCollectionMissing)
        << name;
  }
}

TEST_F(OpenNamesTest, WhoOnlyLooksKeepsAndMakesNothing) {
  OpenNames names(host_.universe(), true);
  const auto database = names.FindDatabase("default").value();
  EXPECT_EQ(names.FindCollection(*database, "3").error().reason(), Reason::kCollectionMissing);
  const auto made = database->CreateCollection("3").value();
  EXPECT_EQ(names.FindCollection(*database, "3").value()->id(), made->id());
  ASSERT_TRUE(database->RenameCollection("3", "old").ok());
  EXPECT_EQ(names.FindCollection(*database, "3").error().reason(), Reason::kCollectionMissing);
  EXPECT_EQ(names.FindCollection(*database, "old").value()->id(), made->id());
}

}  // namespace
}  // namespace luna::server
