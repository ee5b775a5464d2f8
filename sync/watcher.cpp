#include "sync/watcher.hpp"

#include <dirent.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <unordered_map>
#include <utility>

#include "sync/manifest.hpp"

namespace ha::sync {
namespace {

constexpr std::uint32_t kEvents = IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_DELETE |
                                  IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t kOptions = IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;

[[nodiscard]] std::string below(const std::string& directory, std::string_view name) {
  return directory.empty() ? std::string{name} : directory + "/" + std::string{name};
}

}  // namespace

class Watcher::Impl {
 public:
  Impl(boost::asio::io_context& io, int descriptor, std::vector<Root> roots, Listener listener)
      : stream_{io, descriptor}, roots_{std::move(roots)}, listener_{std::move(listener)} {
    watched_.resize(roots_.size());
    refused_.resize(roots_.size());
  }

  void look_for_roots() {
    for (std::size_t root = 0; root < roots_.size(); ++root) {
      if (watched_[root].empty()) watch_root(root);
    }
  }

  void read() {
    stream_.async_read_some(boost::asio::buffer(buffer_),
                            [this](const boost::system::error_code& error, std::size_t size) {
                              if (error) return;
                              take(size);
                              read();
                            });
  }

 private:
  struct Place {
    std::size_t root = 0;
    std::string path;  ///< of the directory; empty: the root
  };

  void watch_root(std::size_t root) {
    struct stat found {};
    if (stat(roots_[root].path.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) return;
    watch(root, "");
    if (!watched_[root].empty()) listener_.lost(root);
  }

  /// The directory and those below it. Added before they are listed: what appears in between is
  /// seen twice rather than never.
  void watch(std::size_t root, const std::string& path) {
    const std::string whole = path.empty() ? roots_[root].path : roots_[root].path + "/" + path;
    const int number =
        inotify_add_watch(stream_.native_handle(), whole.c_str(), kEvents | kOptions);
    if (number < 0) {
      // Gone again, or no directory: its own directory tells.
      if (errno != ENOENT && errno != ENOTDIR) refuse(root, whole, errno);
      return;
    }
    places_[number] = {root, path};
    watched_[root][path] = number;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory{opendir(whole.c_str()), closedir};
    if (!directory) return;
    while (const dirent* const entry = readdir(directory.get())) {
      const std::string_view name{static_cast<const char*>(entry->d_name)};
      if (name == "." || name == ".." || entry->d_type == DT_REG || entry->d_type == DT_LNK) {
        continue;
      }
      const std::string child = below(path, name);
      if (is_ours(child) || roots_[root].exclusions.fits(child, Leaf::kDirectory)) continue;
      if (entry->d_type == DT_DIR) watch(root, child);
    }
  }

  void refuse(std::size_t root, const std::string& path, int error) {
    if (refused_[root]) return;
    refused_[root] = true;
    std::string why = "watch " + path + ": " + std::strerror(error);
    if (error == ENOSPC) why += " (fs.inotify.max_user_watches is too small)";
    listener_.refused(root, why);
  }

  void forget(std::size_t root, const std::string& path) {
    auto& watches = watched_[root];
    for (auto at = watches.lower_bound(path); at != watches.end();) {
      const bool is_below =
          at->first.compare(0, path.size(), path) == 0 &&
          (path.empty() || at->first.size() == path.size() || at->first[path.size()] == '/');
      if (!is_below) {
        // "a-b" sorts between "a" and "a/b".
        if (at->first.compare(0, path.size(), path) != 0) break;
        ++at;
        continue;
      }
      inotify_rm_watch(stream_.native_handle(), at->second);
      places_.erase(at->second);
      at = watches.erase(at);
    }
  }

  [[nodiscard]] static bool is_ours(std::string_view path) {
    return path.substr(0, path.find('/')) == kReserved;
  }

  void take(std::size_t size) {
    for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
      inotify_event event{};
      std::memcpy(&event, buffer_.data() + at, sizeof event);
      const char* const name = buffer_.data() + at + sizeof event;
      handle(event, {name, strnlen(name, event.len)});
      at += sizeof event + event.len;
    }
  }

  void handle(const inotify_event& event, std::string_view name) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      for (std::size_t root = 0; root < roots_.size(); ++root) {
        // Directories may have come unseen.
        forget(root, "");
        watch(root, "");
        listener_.lost(root);
      }
      return;
    }
    const auto found = places_.find(event.wd);
    if (found == places_.end()) return;
    const Place place = found->second;
    if ((event.mask & IN_IGNORED) != 0) {
      watched_[place.root].erase(place.path);
      places_.erase(found);
      return;
    }
    if (name.empty()) {
      if (place.path.empty() && (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
        forget(place.root, "");
        listener_.lost(place.root);
      } else if ((event.mask & IN_ATTRIB) != 0) {
        listener_.changed(place.root, place.path.empty() ? kRoot : std::string_view{place.path});
      }
      return;
    }
    const std::string path = below(place.path, name);
    const bool is_directory = (event.mask & IN_ISDIR) != 0;
    if (is_ours(path) ||
        roots_[place.root].exclusions.fits(path, is_directory ? Leaf::kDirectory : Leaf::kOther)) {
      return;
    }
    if (is_directory && (event.mask & IN_MOVED_FROM) != 0) forget(place.root, path);
    if (is_directory && (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) watch(place.root, path);
    listener_.changed(place.root, path);
  }

  boost::asio::posix::stream_descriptor stream_;
  std::vector<Root> roots_;
  Listener listener_;
  std::unordered_map<int, Place> places_;
  std::vector<std::map<std::string, int, std::less<>>> watched_;
  std::vector<bool> refused_;
  std::array<char, 65536> buffer_{};
};

Watcher::Watcher(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Watcher::~Watcher() = default;

Result<std::unique_ptr<Watcher>> Watcher::open(boost::asio::io_context& io, std::vector<Root> roots,
                                               Listener listener) {
  const int descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) return failure(errno, "watch for changes");
  auto impl = std::make_unique<Impl>(io, descriptor, std::move(roots), std::move(listener));
  impl->read();
  return std::unique_ptr<Watcher>{new Watcher{std::move(impl)}};
}

void Watcher::look_for_roots() { impl_->look_for_roots(); }

}  // namespace ha::sync
