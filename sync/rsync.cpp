#include "sync/rsync.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "sync/files.hpp"

namespace ha::sync {
namespace {

constexpr int kVanished = 24;  // files went away while they were copied; the caller looks itself
/// Between looks at what it says. Waiting for every line would wake both up for every file.
constexpr int kPatienceMs = 20;
/// What the pipe between us holds: the lines of more files than rsync copies between two looks.
constexpr int kPipeSizeBytes = 1024 * 1024;
/// Because of the sum it is said once a file has been read, and not before. No sum has a slash.
constexpr const char* kOutFormat = "--out-format=%l %C/%n";
constexpr std::size_t kLastWordsMax = 2048;
/// Of paths; half of what every Linux takes.
constexpr std::size_t kCommandLineSizeBytesMax = 64 * 1024;

[[nodiscard]] Result<File> list_of(const std::vector<std::string>& paths) {
  File list{memfd_create("paths", MFD_CLOEXEC)};
  if (list.get() < 0) return failure(errno, "create a list for rsync");
  std::string text;
  for (const std::string& path : paths) {
    text += path;
    text += '\0';
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = write(list.get(), rest.data(), rest.size());
    if (written < 0) return failure(errno, "write a list for rsync");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (lseek(list.get(), 0, SEEK_SET) != 0) return failure(errno, "rewind a list for rsync");
  return list;
}

/// Then rsync is faster than with a list, which it reads byte by byte.
[[nodiscard]] bool fits_command_line(const Copy& copy) {
  std::size_t size_bytes = 0;
  for (const std::string& path : copy.paths) size_bytes += copy.from.size() + path.size() + 4;
  // Without any it would list what is there.
  return !copy.paths.empty() && size_bytes <= kCommandLineSizeBytesMax;
}

[[nodiscard]] std::vector<std::string> arguments(const Copy& copy) {
  std::vector<std::string> words{
      "rsync",     "-lptgo",           "--numeric-ids", "--whole-file",
      "--inplace", "--omit-dir-times", "--relative",    "--ignore-missing-args",
      kOutFormat};
  if (copy.has_hard_links) words.emplace_back("--hard-links");
  if (copy.has_holes) words.emplace_back("--sparse");
  if (copy.has_attributes) words.insert(words.end(), {"--acls", "--xattrs"});
  if (copy.durability == Durability::kOnDisk) words.emplace_back("--fsync");
  if (copy.whole_except) {
    // Its list as a whole before it begins: in pieces it costs more, and less memory than we need.
    words.insert(words.end(), {"--recursive", "--no-inc-recursive"});
    for (const std::string& pattern : *copy.whole_except) {
      words.push_back("--filter=- " + pattern);
    }
  } else {
    words.emplace_back("--dirs");
  }
  if (fits_command_line(copy)) {
    // What stands after the dot is the path below the target.
    for (const std::string& path : copy.paths) words.push_back(copy.from + "/./" + path);
  } else {
    words.insert(words.end(), {"--from0", "--files-from=-", copy.from + "/"});
  }
  words.push_back(copy.to + "/");
  return words;
}

/// rsync writes control characters, bytes beyond ASCII, and backslashes that could be taken for the
/// begin of one of these as \#ooo.
[[nodiscard]] std::string without_escapes(std::string_view text) {
  if (text.find('\\') == std::string_view::npos) return std::string{text};
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '\\' && i + 4 < text.size() && text[i + 1] == '#' &&
                           is_octal(text[i + 2]) && is_octal(text[i + 3]) && is_octal(text[i + 4]);
    if (!is_escape) {
      result += text[i];
      continue;
    }
    const auto digit = [&](std::size_t at) { return static_cast<unsigned>(text[at] - '0'); };
    result += static_cast<char>(digit(i + 2) * 64 + digit(i + 3) * 8 + digit(i + 4));
    i += 4;
  }
  return result;
}

/// Never returns.
[[noreturn]] void become_rsync(const std::vector<std::string>& words, int list, int output,
                               int errors) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(list, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  std::vector<char*> argv;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): execvp() does not change them
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  setenv("LC_ALL", "C", 1);
  execvp("rsync", argv.data());
  _exit(127);
}

/// One run of rsync. Ends it if it is destroyed before it has ended.
class Rsync {
 public:
  [[nodiscard]] static Result<Rsync> start(const Copy& copy);
  ~Rsync();
  Rsync(Rsync&& other) noexcept;
  Rsync& operator=(Rsync&&) = delete;

  /// Takes what it has said since; false if it will not say any more.
  [[nodiscard]] bool listen(const std::function<void(const CopiedLine&)>& on_copied);
  /// Waits for its end, which is near once it says nothing any more.
  [[nodiscard]] Result<void> end();

  [[nodiscard]] int output() const { return output_.get(); }
  [[nodiscard]] const CopyProgress& progress() const { return progress_; }

 private:
  Rsync(pid_t child, File output, File errors)
      : child_{child}, output_{std::move(output)}, errors_{std::move(errors)} {}
  void take_lines(const std::function<void(const CopiedLine&)>& on_copied);

  pid_t child_ = -1;
  File output_;
  File errors_;
  std::string unread_;
  CopyProgress progress_;
};

Rsync::Rsync(Rsync&& other) noexcept
    : child_{std::exchange(other.child_, -1)},
      output_{std::move(other.output_)},
      errors_{std::move(other.errors_)},
      unread_{std::move(other.unread_)},
      progress_{other.progress_} {}

Rsync::~Rsync() {
  if (child_ < 0) return;
  kill(child_, SIGKILL);
  waitpid(child_, nullptr, 0);
}

Result<Rsync> Rsync::start(const Copy& copy) {
  auto list = list_of(copy.paths);
  if (!list) return tl::make_unexpected(list.error());
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) return failure(errno, "create a pipe for rsync");
  File read_end{pipe[0]};
  const File write_end{pipe[1]};
  // Only this end: rsync waits if it has to. A smaller pipe makes it wait more often.
  fcntl(read_end.get(), F_SETPIPE_SZ, kPipeSizeBytes);
  if (fcntl(read_end.get(), F_SETFL, O_NONBLOCK) != 0) return failure(errno, "set up a pipe");
  File errors{memfd_create("errors", MFD_CLOEXEC)};
  if (errors.get() < 0) return failure(errno, "create a file for rsync");
  const std::vector<std::string> words = arguments(copy);
  const pid_t child = fork();
  if (child < 0) return failure(errno, "start rsync");
  if (child == 0) become_rsync(words, list->get(), write_end.get(), errors.get());
  return Rsync{child, std::move(read_end), std::move(errors)};
}

void Rsync::take_lines(const std::function<void(const CopiedLine&)>& on_copied) {
  std::size_t start = 0;
  for (std::size_t end = unread_.find('\n'); end != std::string::npos;
       end = unread_.find('\n', start)) {
    if (const auto copied = parse_copied(std::string_view{unread_}.substr(start, end - start))) {
      ++progress_.entries;
      progress_.size_bytes += copied->size_bytes;
      on_copied(*copied);
    }
    start = end + 1;
  }
  unread_.erase(0, start);
}

bool Rsync::listen(const std::function<void(const CopiedLine&)>& on_copied) {
  std::array<char, 65536> chunk{};
  while (true) {
    const ssize_t got = read(output_.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    unread_.append(chunk.data(), static_cast<std::size_t>(got));
    take_lines(on_copied);
  }
}

Result<void> Rsync::end() {
  int status = 0;
  while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::string last_words(kLastWordsMax, '\0');
  const ssize_t size = pread(errors_.get(), last_words.data(), last_words.size(), 0);
  last_words.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const std::string why = rsync_failure(code, last_words);
  if (!why.empty()) return failure(0, why);
  return {};
}

}  // namespace

std::string rsync_failure(int exit_code, std::string_view last_words) {
  if (exit_code == 0 || exit_code == kVanished) return {};
  if (exit_code == 127) return "rsync cannot be started: is it installed?";
  // The first line that says what went wrong; the last is only rsync's summary.
  const std::string_view first = last_words.substr(0, last_words.find('\n'));
  return fmt::format("rsync ended with {}{}{}", exit_code, first.empty() ? "" : ": ", first);
}

std::optional<CopiedLine> parse_copied(std::string_view line) {
  CopiedLine copied;
  const char* const end = line.data() + line.size();
  const auto [digits_end, error] = std::from_chars(line.data(), end, copied.size_bytes);
  if (error != std::errc{} || digits_end == end || *digits_end != ' ') return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(digits_end - line.data()) + 1);
  const std::size_t sum_end = line.find('/');
  if (sum_end == std::string_view::npos) return std::nullopt;
  const std::string_view sum = line.substr(0, sum_end);
  if (sum.find_first_not_of("0123456789abcdef ") != std::string_view::npos) return std::nullopt;
  if (is_digest(sum)) copied.sum = sum;
  std::string_view name = line.substr(sum_end + 1);
  if (!name.empty() && name.back() == '/') {
    name.remove_suffix(1);
    copied.size_bytes = 0;
    copied.is_directory = true;
  }
  if (name.empty()) return std::nullopt;
  copied.path = without_escapes(name);
  return copied;
}

Result<CopyProgress> run_rsync(const std::vector<Copy>& copies,
                               const std::function<void(const CopiedLine&)>& on_copied,
                               const std::function<void(const CopyProgress&)>& on_progress) {
  std::vector<Rsync> runs;
  for (const Copy& copy : copies) {
    auto run = Rsync::start(copy);
    if (!run) return tl::make_unexpected(run.error());
    runs.push_back(std::move(*run));
  }
  std::vector<bool> ended(runs.size(), false);
  CopyProgress total;
  while (std::find(ended.begin(), ended.end(), false) != ended.end()) {
    std::vector<pollfd> endings;
    total = {};
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (!ended[i] && !runs[i].listen(on_copied)) {
        if (auto done = runs[i].end(); !done) return tl::make_unexpected(done.error());
        ended[i] = true;
      }
      // No events: it wakes up at its end, not for what it says.
      if (!ended[i]) endings.push_back({runs[i].output(), 0, 0});
      total.entries += runs[i].progress().entries;
      total.size_bytes += runs[i].progress().size_bytes;
    }
    on_progress(total);
    if (!endings.empty()) ::poll(endings.data(), endings.size(), kPatienceMs);
  }
  return total;
}

}  // namespace ha::sync
