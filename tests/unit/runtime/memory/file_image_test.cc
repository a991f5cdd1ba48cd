#include "runtime/memory/file_image.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace luna::memory {

namespace {

std::string Bytes(const FileImage& image) {
  std::string bytes(image.size(), '?');
  bytes.resize(image.Read(0, bytes.size(), bytes.data()));
  return bytes;
}

// Fates by letter: k kept, l lost; `asked` ends as how many were asked for.
std::function<Fate()> Script(const std::string& letters, size_t& asked) {
  return [&asked, letters] { return letters.at(asked++) == 'k' ? Fate::kKept : Fate::kLost; };
}

FileImage Synced(const std::string& bytes) {
  FileImage image;
  EXPECT_TRUE(image.Write(0, bytes));
  image.Sync();
  return image;
}

TEST(FileImage, WritesAreTornAtSectors) {
  FileImage image = Synced(std::string(2000, 'o'));
  ASSERT_TRUE(image.Write(500, std::string(1000, 'n')));
  size_t asked = 0;
  image.Crash(Script("klk", asked));
  EXPECT_EQ(asked, 3u);
  EXPECT_EQ(Bytes(image), std::string(500, 'o') + std::string(12, 'n') + std::string(512, 'o') +
                              std::string(476, 'n') + std::string(500, 'o'));
}

TEST(FileImage, ExtensionEndsWithItsLastKeptSector) {
  FileImage image = Synced(std::string(100, 'o'));
  ASSERT_TRUE(image.Write(100, std::string(1900, 'n')));  // sectors 0 to 3
  size_t asked = 0;
  image.Crash(Script("llkl", asked));
  EXPECT_EQ(Bytes(image), std::string(100, 'o') + std::string(924, '\0') + std::string(512, 'n'));
}

TEST(FileImage, LostExtensionLeavesTheSyncedSize) {
  FileImage image = Synced("abc");
  ASSERT_TRUE(image.Write(3, std::string(5000, 'n')));
  image.Crash([] { return Fate::kLost; });
  EXPECT_EQ(Bytes(image), "abc");
}

TEST(FileImage, CutBytesComeBackWhenTheCutIsLost) {
  FileImage image = Synced(std::string(1200, 'o'));
  ASSERT_TRUE(image.Truncate(100));
  ASSERT_TRUE(image.Write(100, "nn"));
  FileImage kept = image;
  image.Crash([] { return Fate::kLost; });
  EXPECT_EQ(Bytes(image), std::string(1200, 'o'));
  kept.Crash([] { return Fate::kKept; });
  EXPECT_EQ(Bytes(kept), std::string(100, 'o') + "nn");
}

TEST(FileImage, GrowingAsksOneFateForTheSize) {
  for (const bool kept : {true, false}) {
    FileImage image = Synced("abc");
    ASSERT_TRUE(image.Truncate(1'000'000));
    size_t asked = 0;
    image.Crash(Script(kept ? "k" : "l", asked));
    EXPECT_EQ(asked, 1u);
    EXPECT_EQ(image.size(), kept ? 1'000'000u : 3u);
    EXPECT_EQ(Bytes(image).substr(0, 3), "abc");
  }
}

TEST(FileImage, SyncedBytesAskForNothing) {
  FileImage image = Synced(std::string(5000, 'o'));
  size_t asked = 0;
  image.Crash(Script("", asked));
  EXPECT_EQ(asked, 0u);
  EXPECT_EQ(Bytes(image), std::string(5000, 'o'));
}

TEST(FileImage, ImpossibleSizesChangeNothing) {
  FileImage image = Synced("abc");
  EXPECT_FALSE(image.Write(std::numeric_limits<uint64_t>::max() - 1, "xyz"));
  EXPECT_FALSE(image.Write(std::numeric_limits<uint64_t>::max() / 2, "xyz"));
  EXPECT_FALSE(image.Truncate(std::numeric_limits<uint64_t>::max() / 2 + 1));
  EXPECT_EQ(Bytes(image), "abc");
}

// Against two whole copies: losing all gives the synced one, keeping all the written one.
TEST(FileImage, CrashGivesOneOfTheTwoImagesWhateverWasDone) {
  std::mt19937_64 random(7);
  for (int run = 0; run < 300; ++run) {
    FileImage image;
    std::string written;
    std::string synced;
    for (int step = 0; step < 40; ++step) {
      const size_t offset = random() % 6000;
      switch (random() % 8) {
        case 0:
          image.Sync();
          synced = written;
          break;
        case 1:
          ASSERT_TRUE(image.Truncate(offset));
          written.resize(offset);
          break;
        default: {
          const std::string bytes(1 + random() % 1500, static_cast<char>('a' + random() % 26));
          ASSERT_TRUE(image.Write(offset, bytes));
          written.resize(std::max(written.size(), offset + bytes.size()));
          written.replace(offset, bytes.size(), bytes);
        }
      }
      ASSERT_TRUE(Bytes(image) == written);
    }
    const bool kept = run % 2 == 0;
    image.Crash([&] { return kept ? Fate::kKept : Fate::kLost; });
    ASSERT_TRUE(Bytes(image) == (kept ? written : synced)) << "run " << run;
  }
}

}  // namespace

}  // namespace luna::memory
