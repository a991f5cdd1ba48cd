// The main function of fuzz targets built without libFuzzer: runs every file of the folders given,
// then mutations of them (flipped bits, cut ends, spliced halves) drawn from a fixed seed.
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

namespace {

constexpr size_t kMutationsOfAll = 20'000;  // libFuzzer does more, where it runs
constexpr size_t kMutationsOfOneMax = 200;
constexpr int kRandomInputs = 2000;
constexpr size_t kRandomInputBytesMax = 4096;

// What runs; printed, as the text of a C string, when it fails: mutations lie in no file.
const std::string* running = nullptr;

void ShowInput(int /*signal*/) {
  std::fputs("the input: \"", stderr);
  for (const char letter : *running) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool plain = byte >= 0x20 && byte < 0x7f && letter != '"' && letter != '\\';
    std::fprintf(stderr, plain ? "%c" : "\\%03o", byte);
  }
  std::fputs("\"\n", stderr);
}

void RunOne(const std::string& input) {
  running = &input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::vector<std::string> ReadCorpus(int count, char** folders) {
  std::vector<std::filesystem::path> paths;
  for (int i = 1; i < count; ++i) {
    if (std::filesystem::is_directory(folders[i])) {
      for (const auto& entry : std::filesystem::directory_iterator(folders[i])) {
        paths.push_back(entry.path());
      }
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

std::string Mutate(const std::vector<std::string>& corpus, const std::string& input,
                   std::mt19937_64& random) {
  std::string mutated = input;
  switch (random() % 3) {
    case 0:
      for (uint64_t flips = 1 + random() % 8; flips > 0 && !mutated.empty(); --flips) {
        mutated[random() % mutated.size()] ^= static_cast<char>(1u << (random() % 8));
      }
      break;
    case 1:
      mutated.resize(random() % (mutated.size() + 1));
      break;
    default: {
      const std::string& other = corpus[random() % corpus.size()];
      mutated = mutated.substr(0, random() % (mutated.size() + 1)) +
                other.substr(random() % (other.size() + 1));
    }
  }
  return mutated;
}

}  // namespace

int main(int count, char** folders) {
  const std::vector<std::string> corpus = ReadCorpus(count, folders);
  std::mt19937_64 random(1);
  std::signal(SIGABRT, ShowInput);
  RunOne("");
  const size_t mutations =
      std::min(kMutationsOfOneMax, kMutationsOfAll / std::max<size_t>(corpus.size(), 1));
  for (const std::string& input : corpus) {
    RunOne(input);
    for (size_t i = 0; i < mutations; ++i) {
      RunOne(Mutate(corpus, input, random));
    }
  }
  for (int i = 0; i < kRandomInputs; ++i) {
    std::string input(random() % kRandomInputBytesMax, '\0');
    std::generate(input.begin(), input.end(), [&] { return static_cast<char>(random()); });
    RunOne(input);
  }
  std::printf("%zu files of the corpus replayed\n", corpus.size());
  return 0;
}
