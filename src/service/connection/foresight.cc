#include "service/connection/foresight.h"

namespace luna::connection {

void Foresight::Read(std::span<const std::string_view> arguments, const resp::RequestParser& parser,
                     Collection& collection) {
  if (expected_ > 0) {
    --expected_;
    return;
  }
  if (parser.buffered() == 0) {
    if (name_ != arguments[0]) {
      name_ = arguments[0];
    }
    return;
  }
  keys_.assign(1, arguments[1]);
  parser.Ahead(arguments[0], kAtOnce - 1, keys_);
  if (keys_.size() > 1) {
    collection.Expect(keys_);
    expected_ = keys_.size() - 1;
  }
}

std::optional<std::string_view> Foresight::Single(const resp::RequestParser& parser) {
  if (name_.empty()) {
    return std::nullopt;
  }
  keys_.clear();
  parser.Ahead(name_, 2, keys_);
  return keys_.size() == 1 ? std::optional(keys_[0]) : std::nullopt;
}

}  // namespace luna::connection
