#include "vrrpd/keepalived/keywords.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/unit/vrrpd/keepalived/fake_machine.hpp"

namespace ha::keepalived {
namespace {

/// A file with the line `keyword` in its place, and the number of that line.
std::pair<std::string, int> text_with(const Keyword& keyword) {
  const std::string line{keyword.word};
  switch (keyword.context) {
    case Context::kFile:
      return {instance_with("") + line + " x {\n}\n", 6};
    case Context::kGlobal:
      return {globals_with(line), 7};
    case Context::kInstance:
      return {instance_with(line), 4};
    case Context::kAuthentication:
      return {instance_with("authentication {\n" + line + "\n}"), 5};
    case Context::kAddress: {
      constexpr std::string_view kFlags[] = {"noprefixroute", "home",     "mngtmpaddr", "autojoin",
                                             "-nodad",        "no_track", "use_vmac"};
      const bool is_flag = std::count(std::begin(kFlags), std::end(kFlags), keyword.word) > 0;
      return {"vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1 " + line +
                  (is_flag ? "" : " 1") + "\n}\n}\n",
              4};
    }
    case Context::kSyncGroup:
      return {instance_with("") + "vrrp_sync_group G {\n" + line + "\ngroup { A }\n}\n", 7};
    case Context::kScript:
      return {instance_with("") + "vrrp_script c {\n" + line + "\n}\n", 7};
    case Context::kTrackFile:
      return {instance_with("") + "track_file c {\n" + line + "\n}\n", 7};
    case Context::kTrackProcess:
      return {instance_with("") + "vrrp_track_process c {\n" + line + "\n}\n", 7};
  }
  return {};
}

bool says(const std::vector<std::string>& lines, const std::string& begin) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.rfind(begin, 0) == 0; });
}

TEST_CASE("no keyword stands twice in the table of a block", "[keepalived]") {
  std::set<std::pair<Context, std::string_view>> seen;
  for (const Keyword& keyword : keywords()) {
    INFO(keyword.word);
    CHECK(seen.emplace(keyword.context, keyword.word).second);
    CHECK((keyword.treatment == Treatment::kRead || !keyword.text.empty()));
  }
}

TEST_CASE("every keyword is treated as the table says", "[keepalived]") {
  for (const Keyword& keyword : keywords()) {
    const auto [text, line] = text_with(keyword);
    const auto lines = diagnose(text);
    INFO(text);
    for (const std::string& said : lines) UNSCOPED_INFO(said);
    const std::string place = std::to_string(line) + ": ";
    const std::string says_why = ": " + std::string{keyword.word} + ": ";
    constexpr std::string_view kGrades[] = {"", "note", "warning", "error"};
    const auto grade = kGrades[static_cast<std::size_t>(keyword.treatment)];
    CHECK((grade.empty() || says(lines, place + std::string{grade} + says_why)));
    CHECK_FALSE(says(lines, place + "warning: unknown"));
  }
}

TEST_CASE("a keyword that is switched off is not warned of", "[keepalived]") {
  CHECK(diagnose(globals_with("smtp_alert off\nenable_dbus no")) == std::vector<std::string>{});
  CHECK(diagnose(instance_with("dont_track_primary false")) == std::vector<std::string>{});
}

TEST_CASE("what only its default is honoured of warns of anything else", "[keepalived]") {
  using Lines = std::vector<std::string>;
  CHECK(diagnose(
            globals_with("vrrp_garp_interval 0\nvrrp_gna_interval 1.5\nvrrp_down_timer_adverts 3\n"
                         "vrrp_owner_ignore_adverts off")) ==
        Lines{"8: warning: vrrp_gna_interval 1.5 is not what vrrpd does; 1s is taken"});
  CHECK(diagnose(instance_with("down_timer_adverts 5\nowner_ignore_adverts\nunicast_ttl 9")) ==
        Lines{"4: warning: down_timer_adverts 5: a master counts as down after 3 intervals, as the "
              "RFC says",
              "5: warning: owner_ignore_adverts: only the default, off, is supported",
              "6: warning: unicast_ttl: advertisements always leave with TTL 255"});
}

TEST_CASE("the page for people who migrate lists every keyword as the table has it",
          "[keepalived]") {
  std::ifstream file{HA_SOURCE_DIR "/packaging/doc/keepalived.md"};
  std::stringstream content;
  content << file.rdbuf();
  const std::string page = content.str();
  REQUIRE_FALSE(page.empty());
  std::string table;
  for (const Keyword& keyword : keywords()) {
    constexpr std::string_view kWords[] = {"same", "note", "warning", "error"};
    const bool is_limited = keyword.treatment == Treatment::kRead && !keyword.text.empty();
    const std::string_view word =
        is_limited ? "differs" : kWords[static_cast<std::size_t>(keyword.treatment)];
    table += "| `" + std::string{name_of(keyword.context)} + "` | `" + std::string{keyword.word} +
             "` | " + std::string{word} + " | " + std::string{keyword.text} + " |\n";
  }
  INFO(table);
  CHECK(page.find(table) != std::string::npos);
}

}  // namespace
}  // namespace ha::keepalived
