/// Real children: how they are started, how they end, and that none outstays its time.
#include "vrrpd/runtime/subprocess.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/poll_until.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;
using test::poll_until;

/// A folder that only root may change, and everybody may use.
class Folder {
 public:
  Folder() { std::filesystem::permissions(directory_.path(), std::filesystem::perms{0755}); }

  std::string file(const std::string& name) const { return directory_ / name; }
  std::string script(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    std::ofstream{file(name)} << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(file(name), std::filesystem::perms{mode});
    return file(name);
  }

 private:
  // Not where TMPDIR says, which others may not be let into.
  test::TemporaryDirectory directory_{"/tmp"};
};

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

class Runs {
 public:
  boost::asio::io_context io{1};
  Subprocesses subprocesses{io};

  Ended run(Launch launch) {
    std::optional<Ended> ended;
    subprocesses.start(std::move(launch), [&](const Ended& how) { ended = how; });
    CHECK_FALSE(ended.has_value());  // never from within start()
    REQUIRE(poll_until(io, [&] { return ended.has_value(); }));
    return *ended;
  }
  Ended run(std::vector<std::string> arguments, Duration timeout = 30s) {
    return run(Launch{{std::move(arguments), "", "", timeout}, {}, {}, "", true});
  }
};

TEST_CASE("the end of a command is its status or its signal", "[subprocess]") {
  Runs runs;
  CHECK(to_string(runs.run({"/bin/sh", "-c", "exit 0"})) == "exited with status 0");
  CHECK(to_string(runs.run({"/bin/sh", "-c", "exit 7"})) == "exited with status 7");
  CHECK(to_string(runs.run({"/bin/sh", "-c", "kill -9 $$"})) == "ended by signal 9");
  CHECK(runs.subprocesses.running() == 0);
}

TEST_CASE("what cannot be run says why", "[subprocess]") {
  Runs runs;
  const Folder folder;
  const auto why = [&](Launch launch) {
    const Ended ended = runs.run(std::move(launch));
    CHECK(ended.kind == Ended::Kind::kNotStarted);
    return to_string(ended);
  };
  CHECK(why({{{"/nonexistent/x"}, "", "", 1s}, {}, {}, "", true}) ==
        "/nonexistent: No such file or directory");
  CHECK(why({{{"/bin/true"}, "nobody-of-this-name", "", 1s}, {}, {}, "", true}) ==
        "there is no user nobody-of-this-name");
  CHECK(why({{{"/bin/true"}, "", "no-such-group", 1s}, {}, {}, "", true}) ==
        "there is no group no-such-group");
  const std::string plain = folder.script("plain", "", 0644);
  CHECK(why({{{plain}, "", "", 1s}, {}, {}, "", true}) ==
        "execute " + plain + ": Permission denied");
}

TEST_CASE("a command runs in surroundings of its own", "[subprocess]") {
  ::setenv("VRRPD_TEST_SECRET", "1", 1);
  // A descriptor that a careless program would leave to its children.
  const int leaked = ::fcntl(STDOUT_FILENO, F_DUPFD, 20);
  Runs runs;
  const Folder folder;
  const std::string out = folder.file("out");
  const std::string descriptors = folder.file("descriptors");
  const std::string script =
      folder.script("look", "ls /proc/self/fd > " + descriptors +
                                "\n{ pwd; umask; id -u; echo $1 $2 $GIVEN; env; "
                                "ps -o pgid= -p $$; echo $$; } > " +
                                out);
  Launch launch{{{script, "own"}, "", "", 30s}, {"appended"}, {{"GIVEN", "given"}}, "", true};
  CHECK(to_string(runs.run(launch)) == "exited with status 0");
  std::istringstream lines{content(out)};
  std::string folder_line, mask, user, arguments;
  lines >> folder_line >> mask >> user;
  std::getline(lines >> std::ws, arguments);
  CHECK(folder_line == "/");
  CHECK(mask == "0022");
  CHECK(user == std::to_string(::geteuid()));
  CHECK(content(descriptors) == "0\n1\n2\n3\n");  // its streams, and what it reads here
  CHECK(arguments == "own appended given");
  const std::string text = content(out);
  CHECK(text.find("VRRPD_TEST_SECRET") == std::string::npos);
  CHECK(text.find("PATH=/usr/local/sbin:") != std::string::npos);
  std::string last, before, line;
  while (std::getline(lines, line)) {
    before = last;
    last = line;
  }
  CHECK(std::stoi(before) == std::stoi(last));  // leads its own group
  ::close(leaked);
  ::unsetenv("VRRPD_TEST_SECRET");
}

TEST_CASE("a command runs as the user it names, or else as the one for its kind", "[subprocess]") {
  Runs runs;
  const Folder folder;
  const std::string out = folder.file("out");
  std::ofstream{out};
  std::filesystem::permissions(out, std::filesystem::perms{0666});
  const std::string script = folder.script("who", "id -un > " + out + "; id -Gn >> " + out);
  CHECK(to_string(runs.run(Launch{{{script}, "", "", 30s}, {}, {}, "nobody", true})) ==
        "exited with status 0");
  CHECK(content(out) == "nobody\nnogroup\n");
  runs.run(Launch{{{script}, "daemon", "nogroup", 30s}, {}, {}, "nobody", true});
  CHECK(content(out).substr(0, 7) == "daemon\n");
  runs.run(Launch{{{script}, "root", "", 30s}, {}, {}, "nobody", true});
  CHECK(content(out).substr(0, 5) == "root\n");
}

TEST_CASE("a command that takes too long is ended together with what it has started",
          "[subprocess]") {
  Runs runs;
  const Folder folder;
  const std::string pids = folder.file("pids");
  const std::string script = folder.script(
      "hang", "trap '' TERM\nsleep 600 &\necho $$ $! > " + pids + "\nwhile :; do sleep 600; done");
  const auto begin = std::chrono::steady_clock::now();
  CHECK(runs.run({script}, 1s) == Ended{Ended::Kind::kTimedOut, 0, ""});
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took >= 1s + Subprocesses::kPatience);
  std::istringstream numbers{content(pids)};
  int shell = 0;
  int child = 0;
  numbers >> shell >> child;
  REQUIRE(child > 0);
  CHECK(::kill(shell, 0) != 0);
  CHECK(poll_until(runs.io, [&] {
    // Nobody waits for an orphan here at once; what matters is that it does not run.
    const std::string stat = content("/proc/" + std::to_string(child) + "/stat");
    return stat.empty() || stat.find(") Z") != std::string::npos;
  }));
}

TEST_CASE("a time limit begins anew if it ran out while this process stood still", "[subprocess]") {
  Runs runs;
  std::optional<Ended> ended;
  const Folder folder;
  const std::string over = folder.file("over");
  const std::string script = "sleep 1.4; : > " + over + "; sleep 0.2";
  runs.subprocesses.start(Launch{{{"/bin/sh", "-c", script}, "", "", 1s}, {}, {}, "", true},
                          [&](const Ended& how) { ended = how; });
  // The event loop stands still until the limit is over.
  const auto give_up = std::chrono::steady_clock::now() + 30s;
  while (!std::filesystem::exists(over) && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(5ms);
  }
  REQUIRE(std::filesystem::exists(over));
  REQUIRE(poll_until(runs.io, [&] { return ended.has_value(); }));
  CHECK(to_string(*ended) == "exited with status 0");
}

TEST_CASE("one that ends when asked is not waited for any longer", "[subprocess]") {
  Runs runs;
  bool waited = false;
  boost::asio::steady_timer longer{runs.io, 100ms + Subprocesses::kPatience};
  longer.async_wait([&](const boost::system::error_code&) { waited = true; });
  CHECK(runs.run({"/bin/sleep", "600"}, 100ms).kind == Ended::Kind::kTimedOut);
  CHECK_FALSE(waited);
}

TEST_CASE("an abandoned child is ended and nobody is told", "[subprocess]") {
  Runs runs;
  bool told = false;
  const auto id =
      runs.subprocesses.start(Launch{{{"/bin/sleep", "600"}, "", "", 0s}, {}, {}, "", true},
                              [&](const Ended&) { told = true; });
  CHECK(runs.subprocesses.running() == 1);
  runs.subprocesses.abandon(id);
  CHECK(poll_until(runs.io, [&] { return runs.subprocesses.running() == 0; }));
  CHECK_FALSE(told);
  runs.subprocesses.abandon(id);
}

TEST_CASE("there is a limit to how many run, and its refusal is an end like any other",
          "[subprocess]") {
  Runs runs;
  for (std::size_t i = 0; i < Subprocesses::kChildrenMax; ++i) {
    runs.subprocesses.start(Launch{{{"/bin/sleep", "600"}, "", "", 0s}, {}, {}, "", true},
                            [](const Ended&) {});
  }
  const Ended ended = runs.run({"/bin/true"});
  CHECK(ended == Ended{Ended::Kind::kNotStarted, 0, "256 commands are running already"});
}

TEST_CASE("work in a child answers, and may hang", "[subprocess]") {
  Runs runs;
  std::optional<Ended> ended;
  const auto keep = [&](const Ended& how) { ended = how; };
  runs.subprocesses.start([] { return std::string(5000, 'x'); }, 30s, keep);
  REQUIRE(poll_until(runs.io, [&] { return ended.has_value(); }));
  CHECK(*ended ==
        Ended{Ended::Kind::kExited, 0, std::string(Subprocesses::kAnswerSizeBytesMax, 'x')});

  ended.reset();
  runs.subprocesses.start(
      [] {
        ::pause();
        return std::string{};
      },
      50ms, keep);
  REQUIRE(poll_until(runs.io, [&] { return ended.has_value(); }));
  CHECK(ended->kind == Ended::Kind::kTimedOut);
}

TEST_CASE("a program that others could change is not trusted, nor a way to it", "[subprocess]") {
  const Folder folder;
  constexpr std::uint32_t kNobody = 65534;
  const std::string good = folder.script("good", "");
  CHECK(why_untrusted(good, kNobody).empty());
  CHECK(why_untrusted("/bin/sh", kNobody).empty());
  CHECK(why_untrusted("/usr/../bin/./sh", kNobody).empty());

  const std::string open = folder.script("open", "", 0777);
  CHECK(why_untrusted(open, kNobody) == open + " is writable by everybody");
  const std::string group = folder.script("group", "", 0775);
  CHECK(why_untrusted(group, kNobody).empty());  // root's
  REQUIRE(::chown(group.c_str(), 0, 65534) == 0);
  CHECK(why_untrusted(group, kNobody) == group + " is writable by its group");

  const std::string theirs = folder.script("theirs", "");
  REQUIRE(::chown(theirs.c_str(), kNobody, 0) == 0);
  CHECK(why_untrusted(theirs, kNobody).empty());
  CHECK(why_untrusted(theirs, 0) == theirs + " belongs to neither root nor the user that runs it");

  const std::string loose = folder.file("loose");
  std::filesystem::create_directory(loose);
  folder.script("loose/x", "");
  std::filesystem::permissions(loose, std::filesystem::perms{0777});
  CHECK(why_untrusted(loose + "/x", kNobody) == loose + " is writable by everybody");
  // The way through a link counts as well.
  const std::string link = folder.file("link");
  std::filesystem::create_symlink("loose/x", link);
  CHECK(why_untrusted(link, kNobody) == loose + " is writable by everybody");
  const std::string circle = folder.file("circle");
  std::filesystem::create_symlink(circle, circle);
  CHECK(why_untrusted(circle, kNobody) == circle + ": Too many levels of symbolic links");
}

}  // namespace
}  // namespace ha::vrrp
