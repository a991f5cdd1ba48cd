#include "service/resp/reply_parser.h"
#include "service_support/command_test.h"

namespace luna::command {
namespace {

class CommandDocsTest : public service_support::CommandTest {
 protected:
  resp::Reply Ask(std::string_view line) {
    resp::ReplyParser parser;
    parser.Feed(Do(line));
    return *parser.Next().value();
  }
};

TEST_F(CommandDocsTest, RowsHaveTheFormOfRedis) {
  EXPECT_EQ(Do("COMMAND INFO get"),
            "*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"
            "*3\r\n+@read\r\n+@string\r\n+@fast\r\n*0\r\n*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n"
            "+access\r\n$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n"
            "*2\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n"
            "$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n"
            ":0\r\n*0\r\n");
  EXPECT_EQ(Do("COMMAND INFO nothing"), "*1\r\n$-1\r\n");
  EXPECT_EQ(Ask("COMMAND INFO client|list").elements[0].elements[0].text, "client|list");
  EXPECT_EQ(Do("COMMAND INFO client|nothing"), "*1\r\n$-1\r\n");
}

TEST_F(CommandDocsTest, ListsAreTheWholeTable) {
  const size_t count = host_.commands().all().size();
  EXPECT_EQ(Ask("COMMAND").elements.size(), count);
  EXPECT_EQ(Ask("COMMAND INFO").elements.size(), count);
  EXPECT_EQ(Ask("COMMAND LIST").elements.size(), count);
  EXPECT_EQ(Ask("COMMAND DOCS").elements.size(), 2 * count);
  EXPECT_EQ(Ask("COMMAND COUNT").integer, static_cast<int64_t>(count));
  EXPECT_EQ(Do("COMMAND LIST FILTERBY PATTERN ec?o"), "*1\r\n$4\r\necho\r\n");
  EXPECT_GT(Ask("COMMAND LIST FILTERBY ACLCAT write").elements.size(), 5u);
  EXPECT_EQ(Do("COMMAND LIST FILTERBY MODULE x"), "*0\r\n");
  EXPECT_EQ(Do("COMMAND LIST FILTERBY FOO x"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("COMMAND LIST FOO"), "-ERR syntax error\r\n");
}

TEST_F(CommandDocsTest, ReadTheSameInRespThree) {
  Do("HELLO 3");
  EXPECT_EQ(Ask("COMMAND DOCS").elements.size(), 2 * host_.commands().all().size());
  EXPECT_EQ(Ask("COMMAND DOCS").kind, resp::Reply::Kind::kMap);
}

TEST_F(CommandDocsTest, DocsTellTheArguments) {
  EXPECT_EQ(Do("COMMAND DOCS nothing"), "*0\r\n");
  EXPECT_EQ(Do("COMMAND DOCS ping"),
            "*2\r\n$4\r\nping\r\n*8\r\n$7\r\nsummary\r\n$34\r\nReturns PONG, or the given string."
            "\r\n$5\r\nsince\r\n$5\r\n1.0.0\r\n$5\r\ngroup\r\n$10\r\nconnection\r\n$9\r\narguments"
            "\r\n*1\r\n*8\r\n$4\r\nname\r\n$7\r\nmessage\r\n$4\r\ntype\r\n$6\r\nstring\r\n$12\r\n"
            "display_text\r\n$7\r\nmessage\r\n$5\r\nflags\r\n*1\r\n+optional\r\n");
}

TEST_F(CommandDocsTest, GetkeysFindsKeys) {
  EXPECT_EQ(Do("COMMAND GETKEYS MSET a 1 b 2"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(Do("COMMAND GETKEYSANDFLAGS GET a"), "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+RO\r\n+access\r\n");
  EXPECT_EQ(Do("COMMAND GETKEYS nothing a"), "-ERR Invalid command specified\r\n");
  EXPECT_EQ(Do("COMMAND GETKEYS GET a b"),
            "-ERR Invalid number of arguments specified for command\r\n");
  EXPECT_EQ(Do("COMMAND GETKEYS PING a"), "-ERR The command has no key arguments\r\n");
}

}  // namespace
}  // namespace luna::command
