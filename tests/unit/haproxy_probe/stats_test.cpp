#include "haproxy_probe/stats.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "samples.hpp"
#include "tests/support/catch.hpp"

using namespace ha::probe;
using namespace ha::probe::test;

namespace {

constexpr std::string_view kInfo =
    "Name: HAProxy\nPid: 42\nStart_time_sec: 1700000000\nStopping: 0\n\n";

std::string answer_with(std::string_view csv) { return std::string{kInfo} + std::string{csv}; }

std::string reason_of(std::string_view text) {
  const auto answer = parse_answer(text);
  return answer ? "" : answer.error().reason;
}

const ServerRow* find(const Answer& answer, std::string_view backend, std::string_view server) {
  const auto row = std::find_if(
      answer.servers.begin(), answer.servers.end(),
      [&](const ServerRow& each) { return each.backend == backend && each.server == server; });
  return row == answer.servers.end() ? nullptr : &*row;
}

}  // namespace

TEST_CASE("a server counts by the first word of its status") {
  const auto [status, check, expected] = GENERATE(table<std::string, std::string, ServerClass>({
      {"UP", "L7OK", ServerClass::kUp},
      {"UP", "", ServerClass::kUp},
      {"UP", "* L7OK", ServerClass::kUp},
      {"UP 1/3", "L4CON", ServerClass::kUp},
      {"UP -1/3", "L4CON", ServerClass::kUp},
      {"DOWN", "L4CON", ServerClass::kDown},
      {"DOWN 1/2", "L7OK", ServerClass::kDown},
      {"DOWN (agent)", "L7OK", ServerClass::kDown},
      {"MAINT (resolution)", "", ServerClass::kDown},
      {"MAINT", "", ServerClass::kExcluded},
      {"MAINT (via b/s)", "", ServerClass::kExcluded},
      {"DRAIN", "L7OK", ServerClass::kExcluded},
      {"DRAIN 1/3", "L7OK", ServerClass::kExcluded},
      {"DRAIN (agent)", "", ServerClass::kExcluded},
      {"NOLB", "L7OKC", ServerClass::kExcluded},
      {"NOLB 1/3", "L7OKC", ServerClass::kExcluded},
      {"no check", "", ServerClass::kUnknown},
      {"UP 1/3", "INI", ServerClass::kUnknown},
      {"UP 1/3", "* INI", ServerClass::kUnknown},
      {"UP", "UNK", ServerClass::kUnknown},
      {"", "", ServerClass::kUnknown},
      {"UPSIDE", "", ServerClass::kUnknown},
      {"SLEEPING", "L7OK", ServerClass::kUnknown},
  }));
  CAPTURE(status, check);
  CHECK(classify(status, check) == expected);
}

TEST_CASE("a server that only an agent checks is up while the agent's last answer is good") {
  CHECK(classify("no check", "", "L7OK") == ServerClass::kUp);
  CHECK(classify("no check", "", "* L7OK") == ServerClass::kUp);
  CHECK(classify("no check", "", "L4CON") == ServerClass::kUnknown);
  CHECK(classify("no check", "", "INI") == ServerClass::kUnknown);
  CHECK(classify("DOWN (agent)", "", "L7OK") == ServerClass::kDown);
  CHECK(classify("DRAIN (agent)", "", "L7OK") == ServerClass::kExcluded);
}

namespace {

const std::string kStateHead =
    "Name: HAProxy\nPid: 1\n\n1\n# be_id be_name srv_id srv_name srv_addr srv_op_state "
    "srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status "
    "srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id "
    "srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr "
    "srv_agent_addr srv_agent_port\n";

/// One server in `show servers state`.
Answer state_of(const std::string& numbers, const std::string& address = "192.0.2.1") {
  std::istringstream stream{numbers};
  std::string op, admin, check, flags;
  stream >> op >> admin >> check >> flags;
  const auto answer =
      parse_answer(fmt::format("{}3 b 1 s {} {} {} 1 1 3 {} 3 4 {} 0 0 0 - 80 - 0 0 - - 0\n\n",
                               kStateHead, address, op, admin, check, flags));
  if (!answer) throw std::runtime_error{answer.error().reason};
  return *answer;
}

}  // namespace

TEST_CASE("`show servers state` counts a server as `show stat` would, or says that it cannot") {
  // srv_op_state srv_admin_state srv_check_status srv_check_state
  const auto [numbers, expected, unclear] = GENERATE(table<std::string, ServerClass, bool>({
      {"2 0 6 6", ServerClass::kUp, false},
      {"1 0 6 6", ServerClass::kUp, false},  // slow start
      {"2 0 6 7", ServerClass::kUp, false},  // a check is running
      {"0 0 8 6", ServerClass::kDown, false},
      {"2 0 1 6", ServerClass::kUnknown, false},  // INI
      {"0 5 1 14", ServerClass::kExcluded, false},
      {"0 1 6 14", ServerClass::kExcluded, false},
      {"2 8 6 6", ServerClass::kExcluded, false},
      {"0 8 8 6", ServerClass::kDown, false},  // drained, then dead
      {"3 0 6 6", ServerClass::kExcluded, false},
      {"0 32 1 14", ServerClass::kDown, false},  // its name does not resolve
      {"0 33 1 14", ServerClass::kDown, false},  // and an operator's maintenance
      {"2 0 1 0", ServerClass::kUnknown, true},  // no check, or tracking another
      {"0 0 1 0", ServerClass::kDown, false},
      {"2 8 1 0", ServerClass::kExcluded, false},
      {"9 0 6 6", ServerClass::kUnknown, true},
  }));
  CAPTURE(numbers);
  const Answer answer = state_of(numbers);
  REQUIRE(answer.servers.size() == 1);
  CHECK(answer.servers.front() == local("b", "s", expected));
  CHECK(answer.unclear == unclear);
}

TEST_CASE("`show servers state` hides Unix sockets, so that `show stat` has to be asked") {
  CHECK(state_of("2 0 6 6", "-").unclear);
  CHECK(state_of("2 0 6 6", "::1").servers.front().address == ip("::1"));
}

TEST_CASE("`show servers state` in another form than this is refused") {
  const auto [text, reason] = GENERATE(table<std::string, std::string>({
      {"Pid: 1\n\n1\n# be_id be_name srv_name\n\n", "no column srv_addr in the answer"},
      {kStateHead + "3 b 1\n\n", "a row with fewer columns than its header: \"3 b 1\""},
      {kStateHead + "3 b 1 s 192.0.2.1 x 0 1 1 3 6 3 4 6 0 0 0 - 80\n\n",
       "a state that is not a number: "
       "\"3 b 1 s 192.0.2.1 x 0 1 1 3 6 3 4 6 0 0 0 - 80\""},
      {kStateHead + "3 b 1 s 192.0.2.1 2 0 1 1 3 6 3 4 6 0 0 0 - 80\n", "the answer was cut short"},
      {"Pid: 1\n\n2\n", "not an answer of HAProxy: \"2\""},
  }));
  const auto answer = parse_answer(text);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().reason == reason);
}

TEST_CASE("the page's CSV is read without knowing who answered") {
  const std::string csv = "# pxname,svname,status,type,\nb,s,UP,2,\n";
  const auto answer = parse_answer(csv, Form::kPage);
  REQUIRE(answer);
  CHECK(answer->identity == Identity{});
  CHECK(answer->servers.size() == 1);
  CHECK(parse_answer(csv + "\n", Form::kPage) == answer);
  CHECK(parse_answer("<html>", Form::kPage).error().reason ==
        "no statistics in the answer, which ends with \"<html>\"");
  CHECK(parse_answer("<html>\n", Form::kPage).error().reason ==
        "not the CSV of HAProxy's statistics: \"<html>\"");
  CHECK(parse_answer(csv + "b,t,U", Form::kPage).error().reason == "the answer was cut short");
}

TEST_CASE("a row without a server's name says nothing") {
  const auto answer =
      parse_answer("# pxname,svname,status,type,\nb,,,2,\nb,s,UP,2,\n", Form::kPage);
  REQUIRE(answer);
  CHECK(answer->servers.size() == 1);
}

TEST_CASE("an answer of a real HAProxy is read as it is") {
  const auto answer = parse_answer(sample("one-team-down.txt"));
  REQUIRE(answer);
  CHECK(answer->identity.pid > 0);
  CHECK(answer->identity.start_time_sec > 1'700'000'000);
  CHECK_FALSE(answer->identity.stopping);
  REQUIRE(answer->servers.size() == 17);
  CHECK(answer->servers[0] == local("jenkins_backend_devops", "devops-vm1", ServerClass::kUp));
  CHECK(answer->servers[1] == remote("jenkins_backend_devops", "devops-vm2", ServerClass::kUp));
  CHECK(answer->servers[4] == local("jenkins_backend_ba", "ba-vm1", ServerClass::kDown));

  const ServerRow socket{"odd", "socket", ServerClass::kDown, std::nullopt, true};
  const ServerRow unresolved{"odd", "unresolved", ServerClass::kDown, std::nullopt, false};
  const ServerRow version6{"odd", "version6", ServerClass::kDown, ip("::1"), false};
  REQUIRE(find(*answer, "odd", "socket"));
  CHECK(*find(*answer, "odd", "socket") == socket);
  REQUIRE(find(*answer, "odd", "unresolved"));
  CHECK(*find(*answer, "odd", "unresolved") == unresolved);
  REQUIRE(find(*answer, "odd", "version6"));
  CHECK(*find(*answer, "odd", "version6") == version6);
}

TEST_CASE("rows are told apart by type, so a server may be called BACKEND") {
  const auto servers = parse_answer(sample("one-team-down.txt"));
  const auto everything = parse_answer(sample("all-types.txt"));
  REQUIRE(servers);
  REQUIRE(everything);
  REQUIRE(find(*servers, "odd", "BACKEND"));
  CHECK(find(*servers, "odd", "BACKEND")->status == ServerClass::kUp);
  CHECK(everything->servers == servers->servers);
}

TEST_CASE(
    "check text with line ends, blank lines, prompts and forged rows stays inside its field") {
  const std::string text = sample("one-team-down.txt");
  REQUIRE(text.find("\n\n> \njenkins_backend_ba,ba-vm1") != std::string::npos);
  const auto answer = parse_answer(text);
  REQUIRE(answer);
  CHECK(std::count_if(answer->servers.begin(), answer->servers.end(),
                      [](const ServerRow& row) { return row.server == "ba-vm1"; }) == 1);
  CHECK(answer->servers.back().server == "forger");
  CHECK(answer->servers.back().address == ip("127.0.0.1"));
}

TEST_CASE("before its first check a server is unknown, though HAProxy calls it UP") {
  const auto answer = parse_answer(sample("starting.txt"));
  REQUIRE(answer);
  REQUIRE(answer->servers.size() == 2);
  CHECK(answer->servers[0].status == ServerClass::kUp);
  CHECK(answer->servers[1].status == ServerClass::kUnknown);
}

TEST_CASE("access level user shows no addresses") {
  const auto answer = parse_answer(sample("level-user.txt"));
  REQUIRE(answer);
  REQUIRE(answer->servers.size() == 17);
  for (const ServerRow& row : answer->servers) {
    CHECK_FALSE(row.address);
    CHECK_FALSE(row.unix_socket);
  }
}

TEST_CASE("a worker that is stopping says so") {
  const auto answer = parse_answer(sample("stopping.txt"));
  REQUIRE(answer);
  CHECK(answer->identity.stopping);
}

TEST_CASE("no beginning of an answer is taken for a shorter answer") {
  const std::string text = sample("one-team-down.txt");
  REQUIRE(parse_answer(text));
  for (std::size_t length = 0; length < text.size(); ++length) {
    INFO("cut after " << length << " of " << text.size() << " bytes");
    REQUIRE_FALSE(parse_answer(std::string_view{text}.substr(0, length)));
  }
}

TEST_CASE("an answer reads the same in whatever pieces it arrives") {
  const std::string text = sample("one-team-down.txt");
  const auto whole = parse_answer(text);
  REQUIRE(whole);
  const std::size_t piece = GENERATE(1U, 2U, 7U, 97U, 1024U, 5000U);
  AnswerParser parser;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    REQUIRE(parser.feed(std::string_view{text}.substr(at, piece)));
  }
  CHECK(parser.finish() == whole);
}

TEST_CASE("columns are found by name, wherever they are") {
  const auto answer =
      parse_answer(answer_with("# type,addr,novel,svname,check_status,status,pxname,\n"
                               "2,10.0.0.1:80,\"a,\"\"b\",s1,L7OK,UP,team,\n\n"));
  REQUIRE(answer);
  CHECK(answer->identity == Identity{42, 1'700'000'000, false});
  CHECK(answer->servers ==
        std::vector<ServerRow>{{"team", "s1", ServerClass::kUp, ip("10.0.0.1"), false}});
}

TEST_CASE("an HAProxy too old for check states, addresses or start times is understood") {
  const auto answer = parse_answer("Pid: 7\n\n# pxname,svname,status,type\nb,s,UP,2\n\n");
  REQUIRE(answer);
  CHECK(answer->identity == Identity{7, 0, false});
  CHECK(answer->servers ==
        std::vector<ServerRow>{{"b", "s", ServerClass::kUp, std::nullopt, false}});
}

TEST_CASE("an HAProxy without servers gives an answer without servers") {
  const auto answer = parse_answer(answer_with("# pxname,svname,status,type,\n\n"));
  REQUIRE(answer);
  CHECK(answer->servers.empty());
}

TEST_CASE("a quoted name is unquoted") {
  const auto answer =
      parse_answer(answer_with("# pxname,svname,status,type,\n\"a,\"\"b\",\"\",UP,2,\n\n"));
  REQUIRE(answer);
  REQUIRE(answer->servers.size() == 1);
  CHECK(answer->servers[0].backend == "a,\"b");
  CHECK(answer->servers[0].server.empty());
}

TEST_CASE("what is no answer is refused with one clear reason") {
  const auto [text, reason] = GENERATE(table<std::string, std::string>({
      {"", "the connection was closed without an answer"},
      {"Permission denied\n\n", "not an answer of HAProxy: \"Permission denied\""},
      {"HTTP/1.0 400 Bad request\r\n", "not an answer of HAProxy: \"HTTP/1.0 400 Bad request?\""},
      {"\x1b[2J\n", "not an answer of HAProxy: \"?[2J\""},
      {std::string(80, 'x') + "\n",
       "not an answer of HAProxy: \"" + std::string(60, 'x') + "\"..."},
      {"Pid: 1\n\n", "no statistics in the answer"},
      {"Pid: 1\n\nUnknown", "no statistics in the answer, which ends with \"Unknown\""},
      {"Pid: one\n", "not a number in the answer: \"Pid: one\""},
      {"Pid: 99999999999999999999\n", "not a number in the answer: \"Pid: 99999999999999999999\""},
      {"Pid:\n", "not a number in the answer: \"Pid:\""},
      {"# pxname,svname,status,type,\n\n", "no Pid in the answer to show info"},
      {"Pid: 1\n\n# pxname,svname,type,\n\n", "no column status in the answer"},
      {"Pid: 1\n\n# pxname,svname,status,type,\nb,s,UP,2,\n", "the answer was cut short"},
      {"Pid: 1\n\n# pxname,svname,status,type,\nb,s,UP,\"2,\n\n", "the answer was cut short"},
      {"Pid: 1\n\n# pxname,svname,status,type,\nb,s,UP\n\n",
       "a row with fewer columns than its header: \"b,s,UP\""},
      {"Pid: 1\n\n# pxname,svname,status,type,\n\nmore\n",
       "text after the end of the answer: \"more?\""},
  }));
  CAPTURE(text);
  CHECK(reason_of(text) == reason);
}

TEST_CASE("an answer beyond the limits is refused") {
  const std::string header = answer_with("# pxname,svname,status,type,\n");
  CHECK(reason_of(header + "b," + std::string(kNameBytesMax, 's') + ",UP,2,\n\n").empty());
  CHECK(reason_of(header + "b," + std::string(kNameBytesMax + 1, 's') + ",UP,2,\n\n")
            .rfind("a name that is too long", 0) == 0);
  CHECK(reason_of(header + "\"" + std::string(2 * kRecordBytesMax, 's')) ==
        "a record is longer than 65536 bytes");

  std::string many = header;
  for (std::size_t i = 0; i <= kServersMax; ++i) many += "b,s,UP,2,\n";
  CHECK(reason_of(many + "\n") == "more than 250000 servers");

  AnswerParser parser;
  REQUIRE(parser.feed(header));
  const std::string frontends = [] {
    std::string rows;
    while (rows.size() < kRecordBytesMax) rows += "f,FRONTEND,OPEN,0,\n";
    return rows;
  }();
  for (std::size_t fed = header.size(); fed + frontends.size() <= kAnswerBytesMax;
       fed += frontends.size()) {
    REQUIRE(parser.feed(frontends));
  }
  const auto last = parser.feed(frontends);
  REQUIRE_FALSE(last);
  CHECK(last.error().reason == "the answer is longer than 67108864 bytes");
}

TEST_CASE("the samples of other HAProxy states are read, where they lie beside the source") {
  const std::filesystem::path folder = kSource / "../shared/reference/samples";
  if (!std::filesystem::exists(folder)) {
    WARN("not there: " << folder);
    return;
  }
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    if (entry.path().extension() != ".csv") continue;
    std::string csv = text_of(entry.path());
    if (csv.ends_with("\n> ")) csv.resize(csv.size() - 2);  // asked at a prompt
    const auto answer = parse_answer(answer_with(csv));
    INFO(entry.path().filename() << (answer ? "" : ": " + answer.error().reason));
    CHECK(answer);
    ++read;
  }
  CHECK(read > 20);
}
