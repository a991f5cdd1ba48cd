#include "simulation/sim_kernel/objects.h"

#include "base/try.h"

namespace luna::sim_kernel {

namespace {

using Names = std::vector<std::string>;

std::string ObjectOf(const std::string& name) {
  return "object/" + name;
}

const StoredObject* Find(const Space& space, const KnownObject& known) {
  const auto found = space.objects.find(known.name);
  return found != space.objects.end() && found->second.id == known.id ? &found->second : nullptr;
}

Put PutInto(const SimStore& store, Space& space, const std::string& name,
            const StoredObject& object) {
  if (const auto taken = space.names_taken.find(name); taken != space.names_taken.end()) {
    return taken->second == object.id ? Put::kDone : Put::kTaken;  // an earlier try's, or another's
  }
  if (store.full()) {
    return Put::kFull;
  }
  space.objects[name] = object;
  space.names_taken[name] = object.id;
  return Put::kDone;
}

void RemoveFrom(const SimStore& store, Space& space, const KnownObject& known) {
  if (Find(space, known) == nullptr) {
    return;
  }
  space.objects.erase(known.name);
  if (!store.guards().removed_names_stay_taken) {
    space.names_taken.erase(known.name);
  }
}

}  // namespace

// --- At the store ---

Result<KnownObject> Objects::Look(const std::string& name) {
  return endpoint_->Ask<KnownObject>(
      ObjectOf(name), Access::kRead, [name](Space& space, const Arrival&) {
        const auto found = space.objects.find(name);
        KnownObject known{.name = name, .taken = space.names_taken.contains(name)};
        if (found != space.objects.end()) {
          known.id = found->second.id;
          known.size = found->second.bytes->size();
        }
        return known;
      });
}

Result<Names> Objects::List(const std::string& prefix) {
  return endpoint_->Ask<Names>("objects", Access::kRead, [prefix](Space& space, const Arrival&) {
    Names names;
    for (auto at = space.objects.lower_bound(prefix);
         at != space.objects.end() && at->first.starts_with(prefix); ++at) {
      names.push_back(at->first.substr(prefix.size()));
    }
    return names;
  });
}

Result<Put> Objects::Write(const std::string& name, std::shared_ptr<const std::string> bytes) {
  SimStore& store = endpoint_->store();
  const StoredObject object{.id = store.NewId(), .bytes = std::move(bytes)};
  return endpoint_->Ask<Put>(ObjectOf(name), Access::kWrite,
                             [&store, name, object](Space& space, const Arrival&) {
                               return PutInto(store, space, name, object);
                             });
}

Result<std::optional<std::string>> Objects::Read(const KnownObject& known, uint64_t offset,
                                                 size_t length) {
  using Piece = std::optional<std::string>;
  return endpoint_->Ask<Piece>(ObjectOf(known.name), Access::kRead,
                               [known, offset, length](Space& space, const Arrival&) -> Piece {
                                 const StoredObject* const object = Find(space, known);
                                 return object == nullptr ? Piece()
                                                          : object->bytes->substr(offset, length);
                               });
}

Status Objects::Remove(const KnownObject& known) {
  TRY(endpoint_->Ask<bool>(ObjectOf(known.name), Access::kWrite,
                           [known, &store = endpoint_->store()](Space& space, const Arrival&) {
                             RemoveFrom(store, space, known);
                             return true;
                           }));
  return {};
}

Result<Put> Objects::Link(const std::string& name, const std::string& location) {
  const std::shared_ptr<Endpoint> target = TRY(endpoint_->At(location));
  return endpoint_->Ask<Put>(
      ObjectOf(name), Access::kWrite,
      [&store = endpoint_->store(), &to = target->space(), name](Space& space, const Arrival&) {
        const auto found = space.objects.find(name);
        return found == space.objects.end() ? Put::kMissing
                                            : PutInto(store, to, name, found->second);
      });
}

// --- Here ---

bool Objects::Take(const std::string& name) {
  Use& use = uses_[name];
  if (use.removed.has_value()) {
    return false;
  }
  ++use.readers;
  return true;
}

void Objects::Give(const std::string& name) {
  const auto use = uses_.find(name);
  if (--use->second.readers > 0) {
    return;
  }
  const std::optional<KnownObject> removed = std::move(use->second.removed);
  uses_.erase(use);
  if (removed.has_value()) {
    // What is lost on the way is garbage, and is collected as such.
    endpoint_->Post(ObjectOf(name), [known = *removed, &store = endpoint_->store()](Space& space) {
      RemoveFrom(store, space, known);
    });
  }
}

bool Objects::RemoveLater(const KnownObject& known) {
  const auto use = uses_.find(known.name);
  if (use == uses_.end()) {
    return false;
  }
  use->second.removed = known;
  return true;
}

bool Objects::IsRemoved(const std::string& name) const {
  const auto use = uses_.find(name);
  return use != uses_.end() && use->second.removed.has_value();
}

Error Objects::Missing(const std::string& name) const {
  return Error(Reason::kObjectMissing,
               "there is no object " + name + ": " + endpoint_->Where(ObjectOf(name)));
}

Error Objects::Full(const std::string& name) const {
  return endpoint_->Full(ObjectOf(name));
}

}  // namespace luna::sim_kernel
