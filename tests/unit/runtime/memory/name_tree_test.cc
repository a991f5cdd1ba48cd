#include "runtime/memory/name_tree.h"

#include <gtest/gtest.h>

namespace luna::memory {

namespace {

using Names = std::vector<std::string>;

class Tree : public testing::Test {
 protected:
  Tree() {
    tree_.CreateDirectories("d").value();
    tree_.CreateDirectories("e").value();
  }
  std::shared_ptr<FileNode> Add(const std::string& path) {
    auto node = std::make_shared<FileNode>(next_id_++, totals_);
    tree_.Add("cannot create", path, node).value();
    return node;
  }
  // Power cut; the changes' fates by letter, k kept or l lost. No file has dirty sectors here.
  void Crash(const std::string& letters) {
    size_t asked = 0;
    tree_.Crash([&] { return letters.at(asked++) == 'k' ? Fate::kKept : Fate::kLost; });
    EXPECT_EQ(asked, letters.size());
  }
  std::shared_ptr<FileNode> At(const std::string& path) {
    return tree_.FindFile("cannot find", path).value();
  }
  Names List(const std::string& path) { return tree_.List(path).value(); }

  const std::shared_ptr<Totals> totals_ = std::make_shared<Totals>();
  uint64_t next_id_ = 0;
  NameTree tree_;
};

TEST_F(Tree, PathsMayBeSpeltInManyWays) {
  const auto node = Add("/d//a");
  EXPECT_EQ(At("d/a"), node);
  EXPECT_EQ(At("./d/./a"), node);
  EXPECT_EQ(List(""), (Names{"d", "e"}));
  EXPECT_EQ(List("/"), List("."));
}

TEST_F(Tree, TheRootIsNoName) {
  for (const Status& refused : {tree_.RemoveDirectory("/"), tree_.Rename("/", "x"),
                                tree_.Remove("/"), tree_.Rename("d", "/")}) {
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason(), Reason::kIoError);
  }
  EXPECT_TRUE(tree_.CreateDirectories("/").ok());
}

TEST_F(Tree, DirectoriesAreDurableAtOnce) {
  ASSERT_TRUE(tree_.CreateDirectories("d/x/y").ok());
  Crash("");
  EXPECT_TRUE(tree_.Exists("d/x/y"));
}

TEST_F(Tree, EachUnsyncedNameHasItsFateInOrder) {
  Add("d/c");
  Add("d/a");
  Add("e/b");
  Crash("klk");
  EXPECT_EQ(List("d"), Names{"c"});
  EXPECT_EQ(List("e"), Names{"b"});
}

TEST_F(Tree, SyncDirectoryKeepsItsOwnNamesOnly) {
  Add("d/a");
  Add("e/b");
  ASSERT_TRUE(tree_.SyncDirectory("d").ok());
  Crash("l");
  EXPECT_EQ(List("d"), Names{"a"});
  EXPECT_EQ(List("e"), Names());
}

TEST_F(Tree, ALostRenameLeavesTheOldNames) {
  const auto fresh = Add("d/a.new");
  const auto old = Add("d/a");
  ASSERT_TRUE(tree_.SyncDirectory("d").ok());
  ASSERT_TRUE(tree_.Rename("d/a.new", "d/a").ok());
  EXPECT_EQ(At("d/a"), fresh);
  Crash("l");
  EXPECT_EQ(At("d/a"), old);
  EXPECT_EQ(At("d/a.new"), fresh);
}

TEST_F(Tree, AKeptRenameNeedsNoKeptCreation) {
  const auto fresh = Add("d/a.new");
  ASSERT_TRUE(tree_.Rename("d/a.new", "d/a").ok());
  Crash("lk");
  EXPECT_EQ(List("d"), Names{"a"});
  EXPECT_EQ(At("d/a"), fresh);
}

TEST_F(Tree, ARenameBetweenDirectoriesIsOneChange) {
  const auto node = Add("d/a");
  ASSERT_TRUE(tree_.SyncDirectory("d").ok());
  ASSERT_TRUE(tree_.Rename("d/a", "e/a").ok());
  Crash("l");
  EXPECT_EQ(At("d/a"), node);
  EXPECT_FALSE(tree_.Exists("e/a"));
  for (const std::string directory : {"d", "e"}) {
    ASSERT_TRUE(tree_.Rename("d/a", "e/a").ok());
    ASSERT_TRUE(tree_.SyncDirectory(directory).ok());
    Crash("");
    EXPECT_EQ(At("e/a"), node);
    EXPECT_FALSE(tree_.Exists("d/a"));
    ASSERT_TRUE(tree_.Rename("e/a", "d/a").ok());
    ASSERT_TRUE(tree_.SyncDirectory("d").ok());
  }
}

TEST_F(Tree, SyncingARenameSyncsWhatCameBeforeItInTheOtherDirectory) {
  const auto node = Add("d/a");
  ASSERT_TRUE(tree_.Rename("d/a", "e/a").ok());
  ASSERT_TRUE(tree_.SyncDirectory("e").ok());
  Crash("");
  EXPECT_EQ(At("e/a"), node);
  EXPECT_EQ(List("d"), Names());
}

TEST_F(Tree, RemovedNamesComeBackUnlessSynced) {
  const auto node = Add("d/a");
  ASSERT_TRUE(tree_.SyncDirectory("d").ok());
  ASSERT_TRUE(tree_.Remove("d/a").ok());
  Crash("l");
  EXPECT_EQ(At("d/a"), node);
  ASSERT_TRUE(tree_.Remove("d/a").ok());
  Crash("k");
  EXPECT_EQ(List("d"), Names());
}

TEST_F(Tree, ARemovedDirectoryComesBackWithWhatWasSyncedInIt) {
  Add("d/a");
  ASSERT_TRUE(tree_.SyncDirectory("d").ok());
  ASSERT_TRUE(tree_.Remove("d/a").ok());
  ASSERT_TRUE(tree_.RemoveDirectory("d").ok());
  EXPECT_EQ(List(""), Names{"e"});
  Crash("ll");
  EXPECT_EQ(List("d"), Names{"a"});
}

TEST_F(Tree, DirectoriesStayWithinTheirParent) {
  const Status refused = tree_.Rename("d", "e/d");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kIoError);
  ASSERT_TRUE(tree_.Rename("d", "f").ok());
  Crash("l");
  EXPECT_EQ(List(""), (Names{"d", "e"}));
}

}  // namespace

}  // namespace luna::memory
