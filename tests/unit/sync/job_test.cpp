#include "sync/job.hpp"

#include "sync/progress.hpp"
#include "tests/support/catch.hpp"

using namespace ha::sync;
using namespace std::chrono_literals;

TEST_CASE("an order arrives as it was given", "[sync]") {
  for (const Job job : {Job::kCommit, Job::kCatchUp, Job::kTakeOver, Job::kResume}) {
    Order order;
    order.job = job;
    CHECK(parse_order(to_json(order)) == order);
    order.may_claim = MayClaim::kYes;
    order.changed = std::vector<std::string>{"plain", "new\nline", "back\\slash", "no utf-8: \xff"};
    CHECK(parse_order(to_json(order)) == order);
  }
}

TEST_CASE("an order of nothing that has changed is not an order to look at everything", "[sync]") {
  Order order;
  order.changed.emplace();
  REQUIRE(parse_order(to_json(order)));
  CHECK(parse_order(to_json(order))->changed.has_value());
  CHECK_FALSE(parse_order(R"({"job": "commit"})")->changed);
  CHECK_FALSE(parse_order(R"({"job": "commit", "changed": 1})"));
  CHECK_FALSE(parse_order(R"({"job": "dance"})"));
  CHECK_FALSE(parse_order("commit"));
}

TEST_CASE("a report arrives as it was given", "[sync]") {
  Report report;
  report.outcome = Outcome::kBehind;
  report.text = "behind";
  report.version = {12, 3};
  report.scanned = 1'700'000'000'000'000'000;
  report.copied = {4, 5000};
  report.removed = 6;
  report.conflicts = 7;
  report.kept_in = "/t/.gluster-sync/conflicts/n-1.1";
  const auto word = parse_job_word(to_json(report));
  REQUIRE(word);
  const auto* const again = std::get_if<Report>(&*word);
  REQUIRE(again != nullptr);
  CHECK(to_json(*again) == to_json(report));
  CHECK(again->version == report.version);
  CHECK(again->outcome == Outcome::kBehind);
}

TEST_CASE("what a hook says is not taken for a job's own words", "[sync]") {
  CHECK_FALSE(parse_job_word("starting jenkins-devops-blue"));
  CHECK_FALSE(parse_job_word("[1, 2]"));
  CHECK_FALSE(parse_job_word(R"({"outcome": "wonderful"})"));
}

TEST_CASE("progress is told with its rate and the time that is left", "[sync]") {
  const Progress progress{"copy", {250, 5'000'000}, {1000, 20'000'000}};
  CHECK(describe(progress, 10s) == "copy 250 of 1000 files, 5.0 of 20.0 MB, 25 files/s, 30 s left");
  CHECK(describe({"copy", {}, {1000, 0}}, 10s) == "copy 0 of 1000 files");
  CHECK(describe({"scan", {}, {}}, 10s) == "scan");
  const auto word = parse_job_word(to_json(progress));
  REQUIRE(word);
  CHECK(describe(std::get<Progress>(*word), 10s) == describe(progress, 10s));
}
