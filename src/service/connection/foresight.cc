#include "service/connection/foresight.h"

#include <utility>

namespace luna::connection {

command::Foreseen* Foresight::Read(std::span<const std::string_view> arguments,
                                   const resp::RequestParser& parser, Collection& collection) {
  if (next_ < keys_.size() && keys_[next_] == arguments[1]) {
    return Next();
  }
  Forget();
  if (parser.buffered() == 0) {
    if (name_ != arguments[0]) {
      name_ = arguments[0];
    }
    return nullptr;
  }
  keys_.push_back(arguments[1]);
  parser.Ahead(arguments[0], kAtOnce - 1, keys_);
  if (keys_.size() == 1) {
    keys_.clear();
    return nullptr;
  }
  answers_.resize(keys_.size());
  collection.Peek(keys_, answers_);
  collection_ = collection.id();
  return Next();
}

command::Foreseen* Foresight::Next() {
  Peeked& answer = answers_[next_];
  if (!answer.known) {
    Forget();  // this read is of a later time, and so are those behind it
    return nullptr;
  }
  given_ = {.collection = collection_, .key = keys_[next_], .value = std::move(answer.value)};
  ++next_;
  return &given_;
}

std::optional<std::string_view> Foresight::Single(const resp::RequestParser& parser) {
  if (name_.empty()) {
    return std::nullopt;
  }
  Forget();
  parser.Ahead(name_, 2, keys_);
  const auto key = keys_.size() == 1 ? std::optional(keys_[0]) : std::nullopt;
  keys_.clear();
  return key;
}

void Foresight::Found(uint64_t collection, std::string_view key, Peeked answer) {
  Forget();
  collection_ = collection;
  keys_.push_back(key);
  answers_.push_back(std::move(answer));
}

void Foresight::Forget() {
  keys_.clear();
  answers_.clear();
  next_ = 0;
  given_.value.reset();
}

}  // namespace luna::connection
