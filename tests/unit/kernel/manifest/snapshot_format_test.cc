#include "kernel/manifest/snapshot_format.h"

#include "base/coding.h"
#include "unit/kernel/manifest/manifest_place.h"

namespace luna::manifest {
namespace {

Snapshot Example() {
  Snapshot snapshot{.position = 42, .salt = {.high = 1, .low = 2}, .nonces = {}, .state = "state"};
  snapshot.nonces.Add({.high = 3, .low = 4});
  snapshot.nonces.Add({.high = 5, .low = 6});
  return snapshot;
}

TEST(SnapshotFormat, NamesSortByPositionAndBelongToOneManifest) {
  EXPECT_EQ(SnapshotName("m", 42), "m.0000000000000042");
  EXPECT_EQ(SnapshotPosition("m", "m.0000000000000042"), 42u);
  EXPECT_EQ(SnapshotPosition("m", "m.x.0000000000000042"), std::nullopt);
  EXPECT_EQ(SnapshotPosition("m", "m.000000000000004x"), std::nullopt);
  EXPECT_EQ(SnapshotPosition("m", "n.0000000000000042"), std::nullopt);
  EXPECT_EQ(SnapshotPosition("m", "m-0000000000000042"), std::nullopt);
  EXPECT_EQ(SnapshotPosition("m", "m.42"), std::nullopt);
}

TEST(SnapshotFormat, ASnapshotComesBack) {
  const Snapshot snapshot = Example();
  const Snapshot back = DecodeSnapshot(EncodeSnapshot(snapshot), "here").value();
  EXPECT_EQ(back.position, 42u);
  EXPECT_EQ(back.salt, snapshot.salt);
  EXPECT_EQ(back.nonces.nonces(), snapshot.nonces.nonces());
  EXPECT_EQ(back.state, "state");
}

TEST(SnapshotFormat, EveryFlippedBitAndEveryCutIsBadChecksum) {
  const std::string bytes = EncodeSnapshot(Example());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto decoded = DecodeSnapshot(bad, "object x");
    ASSERT_FALSE(decoded.ok()) << bit;
    EXPECT_EQ(decoded.error().reason(), Reason::kBadChecksum);
    EXPECT_NE(decoded.error().message().find("object x"), std::string::npos);
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeSnapshot(std::string_view(bytes).substr(0, size), "").ok()) << size;
  }
}

// The example with one byte changed and the checksum made anew: why it is refused.
Reason RefusedWith(size_t offset, char byte) {
  const Snapshot snapshot = Example();
  std::string bytes = EncodeSnapshot(snapshot);
  bytes[offset] = byte;
  bytes.resize(bytes.size() - 8);
  base::PutFixed64(bytes, base::Hash(bytes, base::Mix(snapshot.salt, 0)));
  return DecodeSnapshot(bytes, "").error().reason();
}

TEST(SnapshotFormat, ANewerVersionIsRefusedAsSuch) {
  EXPECT_EQ(RefusedWith(8, 2), Reason::kNewerFormat);
}

TEST(SnapshotFormat, WhatNoVersionWritesIsBadFormat) {
  EXPECT_EQ(RefusedWith(8, 0), Reason::kBadFormat);
  EXPECT_EQ(RefusedWith(36 + 1, 0x7F), Reason::kBadFormat);  // more than 1024 nonces
}

class ReadSnapshotTest : public ManifestPlace {
 protected:
  SnapshotMark Store(const Snapshot& snapshot) {
    const std::string bytes = EncodeSnapshot(snapshot);
    const std::string object = SnapshotName("x", snapshot.position);
    auto writer = storage_->Create("meta", object).value();
    writer->Append(bytes).value();
    writer->Finish().value();
    return MarkOf(bytes, snapshot, object);
  }
};

TEST_F(ReadSnapshotTest, TheMarkedObjectIsRead) {
  const SnapshotMark mark = Store(Example());
  EXPECT_EQ(mark.covered, 42u);
  EXPECT_EQ(ReadSnapshot(*storage_, "meta", mark).value().state, "state");
}

TEST_F(ReadSnapshotTest, AnIntactObjectThatIsNotTheMarkedOneIsBadChecksum) {
  SnapshotMark mark = Store(Example());
  mark.salt.low ^= 1;
  EXPECT_EQ(ReadSnapshot(*storage_, "meta", mark).error().reason(), Reason::kBadChecksum);
  mark.salt.low ^= 1;
  mark.covered = 41;
  EXPECT_EQ(ReadSnapshot(*storage_, "meta", mark).error().reason(), Reason::kBadChecksum);
}

TEST_F(ReadSnapshotTest, AMissingObjectIsMissing) {
  SnapshotMark mark = Store(Example());
  mark.object = "nothing";
  EXPECT_EQ(ReadSnapshot(*storage_, "meta", mark).error().reason(), Reason::kObjectMissing);
}

}  // namespace
}  // namespace luna::manifest
