#include "simulation/sim_kernel/objects.h"

#include "unit/simulation/sim_kernel/sim_world.h"

namespace luna::sim_kernel {
namespace {

class ObjectsTest : public SimWorld {
 protected:
  Put Write(const std::string& name, const std::string& bytes) {
    return objects_.Write(name, std::make_shared<const std::string>(bytes)).value();
  }

  const std::shared_ptr<Endpoint> endpoint_ = Server();
  Objects objects_{endpoint_};
};

TEST_F(ObjectsTest, AnObjectIsKnownByNameAndId) {
  EXPECT_EQ(objects_.Look("b/one").value().id, 0u);
  EXPECT_EQ(Write("b/one", "bytes"), Put::kDone);
  const KnownObject known = objects_.Look("b/one").value();
  EXPECT_NE(known.id, 0u);
  EXPECT_EQ(known.size, 5u);
  EXPECT_EQ(objects_.Read(known, 1, 3).value(), "yte");
  KnownObject other = known;
  ++other.id;
  EXPECT_FALSE(objects_.Read(other, 1, 3).value().has_value());
  ASSERT_TRUE(objects_.Remove(other).ok());
  EXPECT_EQ(objects_.Look("b/one").value().id, known.id);
  ASSERT_TRUE(objects_.Remove(known).ok());
  EXPECT_EQ(objects_.Look("b/one").value().id, 0u);
  EXPECT_FALSE(objects_.Read(known, 1, 3).value().has_value());
}

TEST_F(ObjectsTest, ANameStaysTakenWhenItsObjectIsGone) {
  EXPECT_FALSE(objects_.Look("b/one").value().taken);
  EXPECT_EQ(Write("b/one", "bytes"), Put::kDone);
  EXPECT_EQ(Write("b/one", "bytes"), Put::kTaken);
  ASSERT_TRUE(objects_.Remove(objects_.Look("b/one").value()).ok());
  EXPECT_TRUE(objects_.Look("b/one").value().taken);
  EXPECT_EQ(Write("b/one", "bytes"), Put::kTaken);
}

TEST_F(ObjectsTest, ListsByPrefixAndSorted) {
  for (const char* name : {"b/2", "a/1", "b/1", "bb/1"}) {
    EXPECT_EQ(Write(name, ""), Put::kDone);
  }
  EXPECT_EQ(objects_.List("b/").value(), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(objects_.List("").value().size(), 4u);
  EXPECT_TRUE(objects_.List("c").value().empty());
}

TEST_F(ObjectsTest, LinksOnceAndSaysWhatIsInTheWay) {
  EXPECT_EQ(objects_.Link("b/one", "sim:copy").value(), Put::kMissing);
  EXPECT_EQ(Write("b/one", "bytes"), Put::kDone);
  EXPECT_EQ(objects_.Link("b/one", "sim:copy").value(), Put::kDone);
  EXPECT_EQ(objects_.Link("b/one", "sim:copy").value(), Put::kDone);
  EXPECT_EQ(objects_.Link("b/one", "copy").error().reason(), Reason::kBadOption);
  Objects others(Server({}, "other"));
  EXPECT_EQ(others.Write("b/one", std::make_shared<const std::string>("x")).value(), Put::kDone);
  EXPECT_EQ(objects_.Link("b/one", "sim:other").value(), Put::kTaken);
  store_.SetFull(true);
  EXPECT_EQ(objects_.Link("b/one", "sim:third").value(), Put::kFull);
  EXPECT_EQ(Write("b/two", "bytes"), Put::kFull);
}

TEST_F(ObjectsTest, WhatReadersHaveGoesWithTheLastOfThem) {
  EXPECT_EQ(Write("b/one", "bytes"), Put::kDone);
  const KnownObject known = objects_.Look("b/one").value();
  EXPECT_FALSE(objects_.RemoveLater(known));
  EXPECT_TRUE(objects_.Take("b/one"));
  EXPECT_TRUE(objects_.Take("b/one"));
  EXPECT_FALSE(objects_.IsRemoved("b/one"));
  EXPECT_TRUE(objects_.RemoveLater(known));
  EXPECT_TRUE(objects_.IsRemoved("b/one"));
  EXPECT_FALSE(objects_.Take("b/one"));
  objects_.Give("b/one");
  EXPECT_TRUE(store_.space("u").objects.contains("b/one"));
  objects_.Give("b/one");
  EXPECT_FALSE(store_.space("u").objects.contains("b/one"));
  EXPECT_FALSE(objects_.IsRemoved("b/one"));
  EXPECT_EQ(objects_.Missing("b/one").reason(), Reason::kObjectMissing);
  EXPECT_EQ(objects_.Full("b/one").reason(), Reason::kDiskFull);
}

}  // namespace
}  // namespace luna::sim_kernel
