#include "service/connection/client_card.h"

#include <gtest/gtest.h>

namespace luna::connection {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

TEST(ClientCard, ShowsWhatWasPublished) {
  command::Session session;
  session.id = 7;
  session.peer = "1.2.3.4:5";
  session.local = "127.0.0.1:6479";
  session.connected_nanos = 10 * kSecond;
  ClientCard card(session);
  EXPECT_EQ(card.id(), 7u);
  session.active_nanos = 12 * kSecond;
  session.version = resp::Version::k3;
  session.queueing = true;
  session.queue.resize(3);
  session.name = "me";
  session.user = "somebody";
  session.library_name = "lib";
  session.library_version = "1.2";
  card.Publish(session, 11, 22);
  EXPECT_EQ(card.Row(20 * kSecond).name, "");
  card.PublishNames(session);
  const command::ClientRow row = card.Row(20 * kSecond);
  EXPECT_EQ(row.id, 7u);
  EXPECT_EQ(row.peer, "1.2.3.4:5");
  EXPECT_EQ(row.local, "127.0.0.1:6479");
  EXPECT_EQ(row.name, "me");
  EXPECT_EQ(row.user, "somebody");
  EXPECT_EQ(row.library_name, "lib");
  EXPECT_EQ(row.library_version, "1.2");
  EXPECT_EQ(row.age_seconds, 10u);
  EXPECT_EQ(row.idle_seconds, 8u);
  EXPECT_EQ(row.input_bytes, 11u);
  EXPECT_EQ(row.output_bytes, 22u);
  EXPECT_EQ(row.version, 3);
  EXPECT_EQ(row.queued, 3);
  EXPECT_EQ(row.last_command, "");
}

TEST(ClientCard, ClocksThatLagAreNoAge) {
  command::Session session;
  session.connected_nanos = 10 * kSecond;
  const ClientCard card(session);
  EXPECT_EQ(card.Row(9 * kSecond).age_seconds, 0u);
}

}  // namespace

}  // namespace luna::connection
