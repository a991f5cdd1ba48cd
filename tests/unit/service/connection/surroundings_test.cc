#include "service/connection/surroundings.h"

#include <gtest/gtest.h>

#include "runtime/posix/posix_runtime.h"

namespace luna::connection {

namespace {

TEST(Surroundings, CardsAreKeptById) {
  Surroundings all;
  std::vector<std::shared_ptr<ClientCard>> cards;
  for (int i = 0; i < 3; ++i) {
    command::Session session;
    session.id = all.NextId();
    cards.push_back(std::make_shared<ClientCard>(session));
  }
  EXPECT_LT(cards[0]->id(), cards[1]->id());
  all.Register(cards[2]);
  all.Register(cards[0]);
  all.Register(cards[1]);
  EXPECT_EQ(all.Cards(), cards);
  all.Forget(*cards[1]);
  EXPECT_EQ(all.Cards().size(), 2u);
}

class Lines final : public base::LogSink {
 public:
  bool Wants(base::LogLevel level) const override { return level >= base::LogLevel::kWarning; }
  void Write(base::LogLevel, const std::string& text) override { lines.push_back(text); }
  std::vector<std::string> lines;
};

TEST(Surroundings, ComplainsAFewTimesASecond) {
  const auto runtime = posix::NewPosixRuntime();
  Surroundings all;
  all.runtime = runtime.get();
  all.Complain("unheard", "peer", "no log");
  Lines lines;
  all.settings.log = base::Log(&lines);
  for (int i = 0; i < 1000; ++i) {
    all.Complain("trouble", "1.2.3.4:5", "a reason");
  }
  ASSERT_FALSE(lines.lines.empty());
  EXPECT_EQ(lines.lines[0], "trouble peer=1.2.3.4:5 reason=\"a reason\" untold=0");
  EXPECT_LT(lines.lines.size(), 100u);
}

TEST(Surroundings, CountsAreThoseSinceTheReset) {
  Surroundings all;
  all.Count({.commands = 5, .errors = 1, .bytes_in = 100, .bytes_out = 200});
  all.CountAccepted();
  all.CountRefused();
  command::ServiceCounts counts;
  all.Fill(counts);
  EXPECT_EQ(counts.commands, 5u);
  EXPECT_EQ(counts.errors, 1u);
  EXPECT_EQ(counts.bytes_in, 100u);
  EXPECT_EQ(counts.bytes_out, 200u);
  EXPECT_EQ(counts.connections_accepted, 1u);
  EXPECT_EQ(counts.connections_refused, 1u);
  all.ResetCounts();
  all.Count({.commands = 2, .errors = 0, .bytes_in = 1, .bytes_out = 2});
  all.open = 3;
  all.Fill(counts);
  EXPECT_EQ(counts.commands, 2u);
  EXPECT_EQ(counts.connections_accepted, 0u);
  EXPECT_EQ(counts.connections, 3u);
}

}  // namespace

}  // namespace luna::connection
