#include "service/connection/surroundings.h"

#include <gtest/gtest.h>

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

TEST(Surroundings, RatesAreThoseBetweenTwoSamples) {
  constexpr uint64_t kSecond = 1'000'000'000;
  Surroundings all;
  command::ServiceCounts counts;
  all.Count({.commands = 1000});
  all.SampleRates(10 * kSecond);
  all.Fill(counts);
  EXPECT_EQ(counts.commands_per_second, 0u);  // nobody knows since when
  all.Count({.commands = 300, .bytes_in = 50, .bytes_out = 600});
  all.SampleRates(12 * kSecond);
  all.Fill(counts);
  EXPECT_EQ(counts.commands_per_second, 150u);
  EXPECT_EQ(counts.bytes_in_per_second, 25u);
  EXPECT_EQ(counts.bytes_out_per_second, 300u);
  all.SampleRates(13 * kSecond);
  all.SampleRates(13 * kSecond);
  all.Fill(counts);
  EXPECT_EQ(counts.commands_per_second, 0u);
}

}  // namespace

}  // namespace luna::connection
