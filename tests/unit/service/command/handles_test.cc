#include "service_support/command_test.h"

namespace luna::command {
namespace {

using service_support::Has;

class HandlesTest : public service_support::CommandTest {
 protected:
  std::string Begin(std::string_view options = "") {
    const std::string reply = Do("TXN BEGIN " + std::string(options));
    return reply.substr(1, reply.size() - 3);
  }
};

TEST_F(HandlesTest, TwoTransactionsShareAConnection) {
  const std::string first = Begin();
  const std::string second = Begin();
  EXPECT_EQ(Do("TXN RUN " + first + " SET a 1"), "+OK\r\n");
  EXPECT_EQ(Do("TXN RUN " + second + " GET a"), "$-1\r\n");
  EXPECT_EQ(Do("TXN RUN " + first + " GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  EXPECT_TRUE(Has(Do("TXN LIST"), "open"));
  EXPECT_EQ(Do("TXN COMMIT " + first).front(), '$');
  EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Do("TXN ROLLBACK " + second), "+OK\r\n");
  EXPECT_EQ(Do("TXN LIST"), "*0\r\n");
  EXPECT_TRUE(Has(Do("TXN STATUS " + first), "committed"));
  EXPECT_TRUE(Has(Do("TXN STATUS " + second), "rolled-back"));
  EXPECT_TRUE(Has(Do("TXN STATUS 12345"), "unknown"));
}

TEST_F(HandlesTest, SelectAndSavepointsBelongToTheTransaction) {
  const std::string id = Begin();
  EXPECT_EQ(Do("TXN RUN " + id + " SELECT 4"), "+OK\r\n");
  EXPECT_EQ(Do("TXN RUN " + id + " SET a 4"), "+OK\r\n");
  EXPECT_EQ(session_.collection->name(), "0");
  EXPECT_EQ(Do("TXN RUN " + id + " SAVEPOINT s"), "+OK\r\n");
  EXPECT_EQ(Do("TXN RUN " + id + " DEL a"), ":1\r\n");
  EXPECT_EQ(Do("TXN RUN " + id + " ROLLBACK TO s"), "+OK\r\n");
  EXPECT_EQ(Do("TXN COMMIT " + id).front(), '$');
  Do("SELECT 4");
  EXPECT_EQ(Do("GET a"), "$1\r\n4\r\n");
}

TEST_F(HandlesTest, RefusalsLeaveTheTransactionOpen) {
  const std::string id = Begin();
  EXPECT_TRUE(Do("TXN RUN " + id + " nothing").starts_with("-ERR unknown command"));
  EXPECT_TRUE(Do("TXN RUN " + id + " GET").starts_with("-ERR wrong number"));
  for (const char* line : {"COMPACT", "MULTI", "COMMIT", "ROLLBACK", "PING", "TXN LIST"}) {
    EXPECT_TRUE(Do("TXN RUN " + id + " " + line).starts_with("-INTXN ")) << line;
  }
  EXPECT_FALSE(session_.interactive);
  EXPECT_EQ(Do("TXN RUN " + id + " SET a 1"), "+OK\r\n");
  EXPECT_EQ(Do("TXN RUN x GET a").substr(0, 4), "-ERR");
  EXPECT_TRUE(Do("TXN RUN 999 GET a").starts_with("-NOTXN "));
  EXPECT_EQ(Do("TXN BEGIN FOO"), "-ERR syntax error\r\n");
}

TEST_F(HandlesTest, ConflictAtCommitEndsIt) {
  const std::string id = Begin();
  Do("TXN RUN " + id + " GET a");
  Do("TXN RUN " + id + " SET b 1");
  Do("SET a 1");
  EXPECT_TRUE(Do("TXN COMMIT " + id).starts_with("-CONFLICT "));
  EXPECT_TRUE(Do("TXN COMMIT " + id).starts_with("-NOTXN "));
}

TEST_F(HandlesTest, ReadOnlyOneReadsItsSnapshot) {
  Do("SET a 1");
  const std::string id = Begin("READONLY");
  Do("SET a 2");
  EXPECT_EQ(Do("TXN RUN " + id + " GET a"), "$1\r\n1\r\n");
  EXPECT_TRUE(Do("TXN RUN " + id + " SET a 3").starts_with("-INTXN "));
  EXPECT_EQ(Do("TXN COMMIT " + id).front(), '$');
}

}  // namespace
}  // namespace luna::command
