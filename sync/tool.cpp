#include "sync/tool.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "sync/children.hpp"

namespace ha::sync {

Result<int> run_tool(const std::vector<std::string>& words, Duration patience,
                     const std::function<void(std::string_view)>& on_line) {
  boost::asio::io_context io{1};
  Children children{io};
  std::optional<int> code;
  const auto began = std::chrono::steady_clock::now();
  const auto started = children.start({words, {}, patience, on_line, [&](std::optional<int> end) {
                                         code = end;
                                         io.stop();
                                       }});
  if (!started) return tl::make_unexpected(started.error());
  io.run();
  if (!code || std::chrono::steady_clock::now() - began >= patience) {
    return failure(ETIMEDOUT, words.front());
  }
  return *code;
}

std::vector<std::string> gluster_command(const std::vector<std::string>& words) {
  std::vector<std::string> all{"gluster", "--mode=script"};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Result<void> run_hook(std::string_view name, const std::vector<std::string>& hook,
                      const Mirror& mirror) {
  if (hook.empty()) return {};
  std::vector<std::string> words = hook;
  words.push_back(mirror.team);
  words.push_back(mirror.env);
  const auto code = run_tool(words, kHookPatience, [&](std::string_view line) {
    std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(name.size()), name.data(),
                 static_cast<int>(line.size()), line.data());
  });
  if (!code) return tl::make_unexpected(code.error());
  if (*code == 0) return {};
  return tl::unexpected<Error>{
      {{}, fmt::format("hook {} ({}) ended with {}", name, hook.front(), *code)}};
}

}  // namespace ha::sync
