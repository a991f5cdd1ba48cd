#include "service/command/help.h"

#include "service_support/command_test.h"

namespace luna::command {
namespace {

using HelpTest = service_support::CommandTest;

TEST_F(HelpTest, ListsSubcommandsWithSyntaxAndSummary) {
  EXPECT_EQ(Do("SIZE HELP").substr(0, 115),
            "*5\r\n+SIZE <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n+HELP\r\n"
            "+    Shows what the subcommands do.\r\n"
            "+RA");
}

TEST_F(HelpTest, EveryContainerHasIt) {
  for (const Command* row : host_.commands().all()) {
    if (!row->subcommands.empty()) {
      EXPECT_EQ(Do(std::string(row->name) + " help").front(), '*') << row->name;
    }
  }
}

}  // namespace
}  // namespace luna::command
