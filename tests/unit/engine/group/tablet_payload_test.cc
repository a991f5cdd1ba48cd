#include "engine/group/tablet_payload.h"

#include <gtest/gtest.h>

namespace luna::group {
namespace {

TEST(TabletPayload, ComesBackAndRefusesOtherText) {
  EXPECT_EQ(ParseTabletPayload(TabletPayload(12, 345)), (std::pair<DatabaseId, TabletId>{12, 345}));
  for (const char* text : {"", "12", "12/", "/3", "a/3", "1/2/3", "1/2 "}) {
    EXPECT_FALSE(ParseTabletPayload(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace luna::group
