#include "simulation/trace.h"

#include "base/hash.h"

namespace luna::simulation {

void Trace::Add(std::string_view kind, std::initializer_list<uint64_t> numbers,
                std::string_view text) {
  ++size_;
  hash_ = base::Hash(kind, hash_);
  for (const uint64_t number : numbers) {
    char bytes[8];
    for (int i = 0; i < 8; ++i) {
      bytes[i] = static_cast<char>(number >> (8 * i));
    }
    hash_ = base::Hash({bytes, sizeof(bytes)}, hash_);
  }
  hash_ = base::Hash(text, hash_);
  if (!sink_) {
    return;
  }
  std::string line(kind);
  for (const uint64_t number : numbers) {
    line += " " + std::to_string(number);
  }
  if (!text.empty()) {
    line += " ";
    line += text;
  }
  sink_(line);
}

}  // namespace luna::simulation
