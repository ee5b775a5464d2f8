#include "vrrpd/keepalived/load.hpp"

#include <chrono>

#include "tests/unit/vrrpd/keepalived/fake_machine.hpp"

namespace ha::keepalived {
namespace {

using namespace std::chrono_literals;
using namespace ha::vrrp;
using Lines = std::vector<std::string>;

IpAddress ip(const char* text) { return boost::asio::ip::make_address(text); }

TEST_CASE("the defaults are keepalived's", "[keepalived]") {
  InstanceConfig expected;
  expected.name = "A";
  expected.interface = "eth0";
  expected.vrid = Vrid{1};
  expected.router.version = Version::k2;
  expected.router.priority = Priority{100};
  expected.router.advertisement_interval = 1s;
  expected.router.announcements = {5, 5s, 0s};
  expected.addresses = {{{ip("10.0.0.9"), 32}, "", "", true, false}};
  expected.multicast_group = ip("224.0.0.18");
  expected.lease = 3s;
  CHECK(instance_of(instance_with("")) == expected);
  CHECK(diagnose(instance_with("")) == Lines{});
  CHECK(config_of(instance_with("")).node == "vm1");
}

TEST_CASE("an IPv6 instance is version 3, with the link-local address first", "[keepalived]") {
  const auto instance = instance_of(
      "vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress {\n2001:db8::1/64\nfe80::9\n}\n}\n"
      "global_defs {\nvrrp_version 2\nvrrp_mcast_group6 ff02::99\n}\n");
  CHECK(instance.router.version == Version::k3);
  CHECK(instance.multicast_group == ip("ff02::99"));
  REQUIRE(instance.addresses.size() == 2);
  CHECK(instance.addresses[0].prefix == Prefix{ip("fe80::9"), 128});
  CHECK(instance.addresses[1].prefix == Prefix{ip("2001:db8::1"), 64});
}

TEST_CASE("the identity of a router is taken over", "[keepalived]") {
  const auto instance =
      instance_of(instance_with(" interface eth7\n priority 150\n version 3\n advert_int 0.25\n"
                                " mcast_dst_ip 224.0.0.81\n mcast_src_ip 10.0.0.1"));
  CHECK(instance.interface == "eth7");
  CHECK(instance.router.priority == Priority{150});
  CHECK(instance.router.version == Version::k3);
  CHECK(instance.router.advertisement_interval == 250ms);
  CHECK(instance.lease == Duration{1s});
  CHECK(instance.multicast_group == ip("224.0.0.81"));
  CHECK(instance.source_address == ip("10.0.0.1"));
  CHECK(
      instance_of(globals_with("default_interface bond0\nvrrp_mcast_group4 224.1.2.3")).interface ==
      "bond0");
}

TEST_CASE("version 2 counts its interval in whole seconds, as keepalived rounds it",
          "[keepalived]") {
  const auto interval = [](const std::string& line) {
    return instance_of(instance_with(line)).router.advertisement_interval;
  };
  CHECK(interval("advert_int 0.3") == 1s);
  CHECK(interval("advert_int 1.5") == 2s);
  CHECK(interval("advert_int 2.499") == 2s);
  CHECK(interval("advert_int 255") == 255s);
  CHECK(interval("version 3\nadvert_int 0.104") == 100ms);
  CHECK(
      diagnose(instance_with("advert_int 0.5")) ==
      Lines{"4: note: advert_int is rounded to 1s, as by keepalived: version 2 counts in seconds"});
}

TEST_CASE("a value out of range is an error, never a default", "[keepalived]") {
  CHECK(diagnose(instance_with("priority banana\npriority 256\npriority\nadvert_int 0\nversion 4\n"
                               "virtual_router_id 0\npreempt_delay 2000\ninterface a/b\n"
                               "mcast_src_ip x\ngarp_master_delay 1.5")) ==
        Lines{"4: error: priority 'banana' is not a whole number in 1 to 255",
              "5: error: priority 256 is not a whole number in 1 to 255",
              "6: error: 'priority' needs a value",
              "7: error: advert_int 0 is not a number of seconds in 0.01-255",
              "8: error: version 4 is not a whole number in 2 to 3",
              "9: error: virtual_router_id 0 is not a whole number in 1 to 255",
              "10: error: preempt_delay 2000 is not a number of seconds in 0-1000",
              "11: error: interface 'a/b' is not an interface name: 1-15 characters without "
              "'/', ':' and blanks",
              "12: error: mcast_src_ip 'x' is not an IPv4 or IPv6 address",
              "13: error: garp_master_delay 1.5 is not a whole number in 0 to 4294"});
}

TEST_CASE("state says nothing about the election, but what it says about the rest counts",
          "[keepalived]") {
  CHECK(instance_of(instance_with("state MASTER\npriority 101")).router.priority == Priority{101});
  CHECK(instance_of(instance_with("state MASTER")).router.priority == Priority{255});
  CHECK(instance_of(instance_with("state SLAVE")).router.priority == Priority{100});
  CHECK(diagnose(instance_with("state SLAVE")) ==
        Lines{"4: note: state 'SLAVE' is neither MASTER nor BACKUP; BACKUP is taken, as by "
              "keepalived"});
  const auto preempt = [](const std::string& lines) {
    return instance_of(instance_with(lines)).router.preempt;
  };
  CHECK(preempt("nopreempt") == Preempt::kDegraded);
  CHECK(preempt("nopreempt\npreempt") == Preempt::kYes);
  CHECK(preempt("nopreempt\nstate MASTER\npriority 100") == Preempt::kYes);
  CHECK(preempt("nopreempt\npriority 255") == Preempt::kYes);
}

TEST_CASE("preempt_delay counts where keepalived lets it", "[keepalived]") {
  const auto delay = [](const std::string& lines) {
    return instance_of(instance_with(lines)).router.preempt_delay;
  };
  CHECK(delay("preempt_delay 2.5") == 2500ms);
  CHECK(delay("preempt_delay 5\nstate MASTER\npriority 9") == 0s);
  CHECK(delay("preempt_delay 5\nnopreempt") == 0s);
}

TEST_CASE("a password is cut to 8 bytes, and ignored where keepalived ignores it", "[keepalived]") {
  const auto password = [](const std::string& lines) {
    return instance_of(instance_with(lines)).password;
  };
  CHECK(password("authentication {\nauth_type PASS\nauth_pass 1234\n}") == "1234");
  CHECK(password("authentication {\nauth_type PASS\nauth_pass 123456789\n}") == "12345678");
  CHECK(password("authentication {\nauth_type PASS\nauth_pass \"a b c\"\n}") == "a b c");
  CHECK(password("authentication {\nauth_pass 1234\n}") == std::nullopt);
  CHECK(password("authentication {\nauth_type PASS\n}") == std::nullopt);
  CHECK(password("version 3\nauthentication {\nauth_type PASS\nauth_pass 1\n}") == std::nullopt);
  CHECK(password("strict_mode\nauthentication {\nauth_type PASS\nauth_pass 1\n}") == std::nullopt);
  // One line is one statement: keepalived takes no password from this either.
  CHECK(password("authentication { auth_type PASS auth_pass 1234 }") == std::nullopt);
  CHECK(
      diagnose(instance_with("authentication {\nauth_type AH\n}")) ==
      Lines{
          "4: note: authentication is ignored, as by keepalived: it needs both auth_type PASS and "
          "auth_pass",
          "5: error: auth_type 'AH' is not supported; only PASS is"});
}

TEST_CASE("peers mean unicast, and their TTL counts only where it is asked for", "[keepalived]") {
  auto instance = instance_of(instance_with("unicast_src_ip 10.0.0.1\nunicast_peer { 10.0.0.2 }"));
  CHECK(instance.source_address == ip("10.0.0.1"));
  CHECK(instance.unicast_peers == std::vector<IpAddress>{ip("10.0.0.2")});
  CHECK(instance.minimum_ttl == 1);
  instance = instance_of(
      instance_with("unicast_peer {\n10.0.0.2 min_ttl 250 max_ttl 255\n10.0.0.3 min_ttl 9\n}"));
  CHECK(instance.unicast_peers == std::vector<IpAddress>{ip("10.0.0.2"), ip("10.0.0.3")});
  CHECK(instance.minimum_ttl == 9);
}

TEST_CASE("announcements follow the instance, then global_defs, then the defaults",
          "[keepalived]") {
  const auto schedule = [](const std::string& lines, const std::string& globals) {
    return instance_of(instance_with(lines) + "global_defs {\n" + globals + "\n}\n")
        .router.announcements;
  };
  const std::string all =
      "vrrp_garp_master_delay 1\nvrrp_garp_master_repeat 2\n"
      "vrrp_garp_master_refresh 60";
  CHECK(schedule("", all) == AnnouncementSchedule{2, 1s, 60s});
  CHECK(schedule("garp_master_delay 0\ngarp_master_repeat 3\ngarp_master_refresh 5", all) ==
        AnnouncementSchedule{3, 0s, 5s});
  CHECK(schedule("", "vrrp_min_garp") == AnnouncementSchedule{1, 0s, 0s});
  CHECK(schedule("garp_master_repeat 9", "vrrp_min_garp on") == AnnouncementSchedule{9, 0s, 0s});
}

TEST_CASE("announcements over a lesser claim are as global_defs or the instance has them",
          "[keepalived]") {
  const auto conflict = [](const std::string& lines, const std::string& globals) {
    const auto schedule = instance_of(instance_with(lines) + "global_defs {\n" + globals + "\n}\n")
                              .router.announcements;
    return std::pair{schedule.conflict_repeat, schedule.conflict_delay};
  };
  using Conflict = std::pair<std::uint32_t, std::optional<Duration>>;
  const std::string shared = "vrrp_garp_lower_prio_delay 7\nvrrp_garp_lower_prio_repeat 2";
  CHECK(conflict("", "") == Conflict{1, std::nullopt});
  CHECK(conflict("", shared) == Conflict{2, 7s});
  CHECK(conflict("garp_lower_prio_delay 0\ngarp_lower_prio_repeat 0", shared) == Conflict{0, 0s});
}

TEST_CASE("announcements are as far apart as the interval of their family says", "[keepalived]") {
  const auto spacing = [](const std::string& text, const std::string& globals) {
    return instance_of(text + "global_defs {\n" + globals + "\n}\n").announcement_spacing;
  };
  const std::string six =
      "vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress { fe80::1 }\n}\n";
  const std::string both = "vrrp_garp_interval 0.1\nvrrp_gna_interval 0.000001";
  CHECK(spacing(instance_with(""), "") == 0s);
  CHECK(spacing(instance_with(""), both) == 100ms);
  CHECK(spacing(six, both) == 1ms);
}

boost::asio::ip::address_v4 v4(const char* text) { return boost::asio::ip::make_address_v4(text); }

TEST_CASE("static addresses, routes and rules are kept apart from those of instances",
          "[keepalived]") {
  const Config config =
      config_of(instance_with("") +
                "static_ipaddress {\n10.9.0.1/24 brd +\n10.9.0.2 dev eth1 label eth1:s\n}\n"
                "static_routes {\n10.8.0.0/16 via 10.0.0.8 no_track\n}\nstatic_rules {\nfrom "
                "10.9.0.1 table 7\n}\n"
                "global_defs {\ndefault_interface eth9\n}\n");
  CHECK(config.fixed.addresses ==
        std::vector<VirtualAddress>{
            {{ip("10.9.0.1"), 24}, "eth9", "", true, false, 0, v4("10.9.0.255")},
            {{ip("10.9.0.2"), 32}, "eth1", "eth1:s", true, false}});
  REQUIRE(config.fixed.routes.size() == 1);
  CHECK(config.fixed.routes[0].gateway == ip("10.0.0.8"));
  REQUIRE(config.fixed.rules.size() == 1);
  CHECK(config.fixed.rules[0].table == 7);
  CHECK(config.instances.at(0).routes.empty());
}

TEST_CASE("an address may have a broadcast address", "[keepalived]") {
  const auto broadcast = [](const std::string& line) {
    return instance_of("vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress {\n" + line +
                       "\n}\n}\n")
        .addresses.at(0)
        .broadcast;
  };
  CHECK(broadcast("10.0.3.9/23") == std::nullopt);
  CHECK(broadcast("10.0.3.9/23 brd 10.0.3.255") == v4("10.0.3.255"));
  CHECK(broadcast("10.0.3.9/23 brd +") == v4("10.0.3.255"));
  CHECK(broadcast("10.0.3.9/23 broadcast -") == v4("10.0.2.0"));
  CHECK(broadcast("10.0.3.9/1 brd +") == v4("127.255.255.255"));
  CHECK(broadcast("10.0.3.9/32 brd +") == v4("10.0.3.9"));
}

TEST_CASE("the whole daemon may start late, and tell its states again with a reload",
          "[keepalived]") {
  const Config config = config_of(instance_with("") +
                                  "global_defs {\nvrrp_startup_delay 2.5\nnotify_fifo "
                                  "/run/f\nfifo_write_vrrp_states_on_reload\n}\n");
  CHECK(config.startup_delay == 2500ms);
  REQUIRE(config.notify_fifo);
  CHECK(config.notify_fifo->states_on_reload);
  CHECK(config_of(instance_with("")).startup_delay == 0s);
}

TEST_CASE("what a master says to others is as global_defs or the instance has it", "[keepalived]") {
  const auto router = [](const std::string& own, const std::string& shared) {
    return instance_of(instance_with(own) + "global_defs {\n" + shared + "\n}\n").router;
  };
  CHECK(router("", "").answers_lesser);
  CHECK_FALSE(router("", "").answers_better);
  CHECK_FALSE(router("", "vrrp_lower_prio_no_advert").answers_lesser);
  CHECK(router("lower_prio_no_advert off", "vrrp_lower_prio_no_advert").answers_lesser);
  CHECK(router("higher_prio_send_advert", "").answers_better);
}

TEST_CASE("smtp_alert of global_defs is everybody's, and each may decide for itself",
          "[keepalived]") {
  const auto mails = [](const std::string& own, const std::string& of_group,
                        const std::string& shared) {
    const Config config =
        config_of(instance_with(own) + "vrrp_sync_group G {\ngroup { A }\n" + of_group +
                  "\n}\nglobal_defs {\nnotification_email { a@x }\n" + shared + "\n}\n");
    CHECK(config.mail.has_value() ==
          (config.instances.front().notify.mail || config.groups.front().notify.mail));
    return std::pair{config.instances.front().notify.mail, config.groups.front().notify.mail};
  };
  CHECK(mails("", "", "") == std::pair{false, false});
  CHECK(mails("smtp_alert", "", "") == std::pair{true, false});
  CHECK(mails("", "smtp_alert", "") == std::pair{false, true});
  CHECK(mails("", "", "smtp_alert") == std::pair{true, true});
  CHECK(mails("smtp_alert off", "", "smtp_alert") == std::pair{false, true});
  CHECK(mails("", "", "smtp_alert\nsmtp_alert_vrrp off") == std::pair{false, false});
  CHECK(mails("", "", "smtp_alert_vrrp\nsmtp_alert off") == std::pair{true, true});
}

TEST_CASE("mails have keepalived's defaults, and what global_defs says", "[keepalived]") {
  const auto mail = [](const std::string& lines) {
    return *config_of(instance_with("smtp_alert") + "global_defs {\nnotification_email {\n" +
                      "<a@x> b\n}\n" + lines + "\n}\n")
                .mail;
  };
  vrrp::MailConfig expected;
  expected.to = {"a@x", "b"};
  expected.from = "root@vm1";
  expected.helo = expected.name = "vm1";
  CHECK(mail("") == expected);
  expected.from = "k@x";
  expected.server = "mail.x";
  expected.port = 2525;
  expected.helo = "h.x";
  expected.name = "a b";
  expected.timeout = 7s;
  expected.faults = false;
  CHECK(mail("router_id \"a b\"\nnotification_email_from k@x\nsmtp_server mail.x 2525\n"
             "smtp_helo_name h.x\nsmtp_connect_timeout 7\nno_email_faults") == expected);
  CHECK(mail("smtp_server mail.x smtp").port == 25);
}

TEST_CASE("what a mail cannot have is left out, and what sends none is said", "[keepalived]") {
  const auto lines = [](const std::string& own, const std::string& shared) {
    return diagnose(instance_with(own) + "global_defs {\n" + shared + "\n}\n");
  };
  CHECK(lines("smtp_alert", "") ==
        Lines{"4: note: smtp_alert: nobody is named in notification_email, so no mail is sent, as "
              "by keepalived"});
  CHECK(lines("", "notification_email { a@x }") ==
        Lines{"7: note: notification_email: without smtp_alert no mail is sent, as by keepalived"});
  CHECK(lines("smtp_alert",
              "notification_email {\na@x\nb,c\n}\nnotification_email_from \"K <k@x>\"\n"
              "smtp_server 10.0.0.1:25\nsmtp_connect_timeout 700") ==
        Lines{"7: warning: 'b,c' is not a mail address; it is left out",
              "11: warning: notification_email_from 'K <k@x>' is not a mail address of 1-254 plain "
              "characters; it is left out",
              "12: warning: smtp_server 10.0.0.1:25 is not a host name or an address; it is left "
              "out",
              "13: warning: smtp_connect_timeout 700 is not what vrrpd does; 10m is taken"});
}

TEST_CASE("an instance can be told not to watch its link", "[keepalived]") {
  CHECK(instance_of(instance_with("")).watches_link);
  CHECK_FALSE(instance_of(instance_with("dont_track_primary")).watches_link);
}

TEST_CASE("an instance accepts traffic unless the last word about it is no_accept",
          "[keepalived]") {
  CHECK(instance_of(instance_with("")).accepts);
  CHECK_FALSE(instance_of(instance_with("no_accept")).accepts);
  CHECK_FALSE(instance_of(instance_with("no_accept off")).accepts);
  CHECK_FALSE(instance_of(instance_with("accept\nno_accept")).accepts);
  CHECK(instance_of(instance_with("no_accept\naccept")).accepts);
  CHECK(instance_of(instance_with("strict_mode on")).accepts);
}

TEST_CASE("use_vmac is a virtual MAC, with a name and an address if they are given",
          "[keepalived]") {
  const auto virtual_mac = [](const std::string& lines, const std::string& globals = "") {
    return *instance_of(instance_with(lines) + "global_defs {\n" + globals + "\n}\n").virtual_mac;
  };
  const MacAddress rfc{0, 0, 0x5e, 0, 1, 1};
  CHECK_FALSE(instance_of(instance_with("")).virtual_mac);
  CHECK(virtual_mac("use_vmac") == VirtualMac{"vrrp.1", rfc, true});
  CHECK(virtual_mac("use_vmac\nvmac_xmit_base") == VirtualMac{"vrrp.1", rfc, false});
  CHECK(virtual_mac("use_vmac edge 02:00:00:00:00:07") ==
        VirtualMac{"edge", {2, 0, 0, 0, 0, 7}, true});
  CHECK(virtual_mac("use_vmac 02:00:00:00:09 edge") ==
        VirtualMac{"edge", {2, 0, 0, 0, 9, 1}, true});
  CHECK(virtual_mac("use_vmac", "vmac_prefix edge") == VirtualMac{"edge.1", rfc, true});
}

TEST_CASE("where keepalived overrules vmac_xmit_base, it is said", "[keepalived]") {
  CHECK(diagnose(instance_with("vmac_xmit_base")) ==
        Lines{"1: note: vmac_xmit_base has no effect without use_vmac"});
  const std::string strict = instance_with("use_vmac\nvmac_xmit_base\nstrict_mode");
  CHECK(diagnose(strict) ==
        Lines{"4: note: vmac_xmit_base has no effect with vrrp_strict, as in keepalived"});
  CHECK(instance_of(strict).virtual_mac->transmits);
  const std::string unicast = instance_with("use_vmac\nunicast_peer {\n10.0.0.2\n}");
  CHECK(diagnose(unicast) ==
        Lines{"4: note: unicast advertisements leave by the interface itself, as by keepalived"});
  CHECK_FALSE(instance_of(unicast).virtual_mac->transmits);
}

TEST_CASE("a use_vmac that cannot be is an error", "[keepalived]") {
  const auto error = [](const std::string& line) { return diagnose(instance_with(line)).at(0); };
  CHECK(error("use_vmac sixteen-letters-") ==
        "4: error: use_vmac 'sixteen-letters-' is not an interface name: 1-15 characters without "
        "'/', ':' and blanks");
  CHECK(error("use_vmac edge more") == "4: error: use_vmac 'more' is a second name, beside 'edge'");
  CHECK(error("use_vmac eth0") ==
        "1: error: interface 'eth0' of virtual_mac is the instance's own; this is the name of "
        "another one, which is made on it");
  CHECK(error("use_vmac 01:00:00:00:00:07") ==
        "4: error: use_vmac 01:00:00:00:00:07 is not a MAC address of one machine as "
        "02:00:5e:10:00:01, six pairs of hexadecimal digits");
  CHECK(error("use_vmac 00:00:5e:00:01:07") ==
        "4: error: use_vmac 00:00:5e:00:01:07 is one that stands for other virtual routers (RFC "
        "9568 section 7.3)");
  CHECK(diagnose(globals_with("vmac_prefix nine-long")) ==
        Lines{"7: error: vmac_prefix 'nine-long' is not the beginning of an interface's name, 1 to "
              "8 bytes"});
}

TEST_CASE("addresses elsewhere have virtual MACs where it is asked for", "[keepalived]") {
  const auto devices = [](const std::string& lines, const std::string& globals = "") {
    const InstanceConfig instance = instance_of(
        "global_defs {\n" + globals + "\n}\nvrrp_instance A {\nvirtual_router_id 1\n" + lines +
        "\nvirtual_ipaddress {\n10.0.0.1\n10.0.0.2 use_vmac\n10.0.0.3 dev eth0\n10.0.0.4 dev "
        "eth1\n10.0.0.5 dev eth1 use_vmac\n}\nvirtual_ipaddress_excluded {\nfd77::1\n}\n}\n");
    Lines names;
    for (const VirtualAddress& address : instance.addresses) {
      const std::string* const device = instance.device_of(address);
      names.push_back(device == nullptr ? "-" : *device);
    }
    return names;
  };
  CHECK(devices("") == Lines{"-", "vrrp.1", "-", "-", "vrrp1.1", "-"});
  CHECK(devices("use_vmac") == Lines{"vrrp.1", "vrrp.1", "vrrp.1", "-", "vrrp1.1", "-"});
  CHECK(devices("use_vmac_addr") == Lines{"-", "vrrp.1", "-", "vrrp1.1", "vrrp1.1", "vrrp6.1"});
  CHECK(devices("use_vmac\nuse_vmac_addr", "vmac_prefix a") ==
        Lines{"a.1", "a.1", "a.1", "a1.1", "a1.1", "a6.1"});
  CHECK(devices("use_vmac\nuse_vmac_addr", "vmac_prefix a\nvmac_addr_prefix b") ==
        Lines{"a.1", "a.1", "a.1", "b.1", "b.1", "b6.1"});
  CHECK(diagnose(instance_with("") + "static_ipaddress {\n10.1.0.1/24 dev eth1 use_vmac\n}\n") ==
        Lines{"7: warning: use_vmac: it is for virtual addresses"});
}

TEST_CASE("on a virtual MAC's interface a label starts with that one's name", "[keepalived]") {
  const auto labelled = [](const std::string& label) {
    return "vrrp_instance A {\nvirtual_router_id 1\nuse_vmac\nvirtual_ipaddress {\n10.0.0.1 "
           "label " +
           label + "\n10.0.0.2 dev eth1 label eth1:a\n}\n}\n";
  };
  CHECK(instance_of(labelled("vrrp.1:a")).addresses[0].label == "vrrp.1:a");
  CHECK(diagnose(labelled("vrrp.1:a")) == Lines{});
  CHECK(diagnose(labelled("eth0:a")) ==
        Lines{"1: warning: label 'eth0:a' is left out: labels are for IPv4 and start with the name "
              "of the interface, 'vrrp.1'"});
}

TEST_CASE("an address keeps its prefix, interface and label", "[keepalived]") {
  const auto addresses = [](const std::string& lines) {
    return instance_of("vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress {\n" + lines +
                       "\n}\n}\n")
        .addresses;
  };
  CHECK(addresses("10.0.0.1/24 dev eth1 label eth1:v noprefixroute\n10.0.0.2 label eth0:x scope "
                  "global") ==
        std::vector<VirtualAddress>{{{ip("10.0.0.1"), 24}, "eth1", "eth1:v", true, true},
                                    {{ip("10.0.0.2"), 32}, "", "eth0:x", true, false}});
}

TEST_CASE("an excluded address is installed and not advertised", "[keepalived]") {
  const auto instance = instance_of(instance_with("virtual_ipaddress_excluded {\n10.0.0.10/24\n}"));
  REQUIRE(instance.addresses.size() == 2);
  CHECK_FALSE(instance.addresses[1].advertise);
}

TEST_CASE("an excluded address may be of the other family", "[keepalived]") {
  const auto instance = instance_of(
      "vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress_excluded {\n2001:db8::1/64\n}\n"
      "virtual_ipaddress { 10.0.0.9 }\n}\n");
  CHECK(instance.family() == Family::kIpv4);
  CHECK(instance.addresses ==
        std::vector<VirtualAddress>{{{ip("2001:db8::1"), 64}, "", "", false, false},
                                    {{ip("10.0.0.9"), 32}, "", "", true, false}});
}

TEST_CASE("the scope of an address is a name or a number", "[keepalived]") {
  const auto scope = [](const std::string& word) {
    return instance_of(
               "vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress {\n10.0.0.9 "
               "scope " +
               word + "\n}\n}\n")
        .addresses.at(0)
        .scope;
  };
  CHECK(scope("link") == 253);
  CHECK(scope("host") == 254);
  CHECK(scope("7") == 7);
}

TEST_CASE("a 256th address is installed and not advertised", "[keepalived]") {
  const auto config = config_of(
      "vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress {\n~SEQ(N, 1, 254) 10.0.1.$N\n"
      "10.0.0.1\n10.0.0.2\n}\n}\n");
  const auto& addresses = config.instances.at(0).addresses;
  REQUIRE(addresses.size() == 256);
  CHECK(addresses[254].advertise);
  CHECK_FALSE(addresses[255].advertise);
}

TEST_CASE("an option of an address that is not honoured is graded", "[keepalived]") {
  CHECK(
      diagnose("vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress {\n"
               "10.0.0.1 brd x scope near label foo bogus no_track\n10.0.0.1\nbanana\n2001:db8::1\n"
               "10.0.0.3 dev\n}\n}\n") ==
      Lines{"4: error: brd 'x' is not an IPv4 address",
            "4: error: scope 'near' is not global, site, link, host, nowhere or a number in 0 to "
            "255",
            "4: warning: unknown option 'bogus' of an address; it is left out, as by keepalived",
            "4: note: no_track: an address that is removed is put back, without a fail-over",
            "4: warning: label 'foo' is left out: labels are for IPv4 and start with the name of "
            "the interface, 'eth0'",
            "5: note: address 10.0.0.1 is listed already; this line is left out",
            "6: error: address 'banana' is not an IPv4 or IPv6 address",
            "7: note: address 2001:db8::1/128 is left out, as by keepalived: the router "
            "advertises IPv4",
            "8: error: dev needs a value"});
}

TEST_CASE("the checksum of version 3 over IPv4 can leave the pseudo-header out", "[keepalived]") {
  CHECK(instance_of(instance_with("version 3\nv3_checksum_as_v2")).checksum ==
        ChecksumPolicy::kMessageOnly);
  CHECK(instance_of(instance_with("v3_checksum_as_v2")).checksum == ChecksumPolicy::kAuto);
}

TEST_CASE("an instance without what it needs is an error", "[keepalived]") {
  CHECK(diagnose("vrrp_instance A {\nvirtual_router_id 1\n}\n") ==
        Lines{"1: error: instance 'A' has no address to advertise"});
  CHECK(diagnose("vrrp_instance A {\nvirtual_ipaddress { 10.0.0.1 }\n}\n") ==
        Lines{"1: error: instance 'A' has no virtual_router_id"});
  CHECK(diagnose("") == Lines{"error: has no vrrp_instance"});
}

TEST_CASE("what only the reader of vrrpd.yaml checks is reported at the instance's line",
          "[keepalived]") {
  CHECK(diagnose(instance_with("") + "\n" + instance_with("")) ==
        Lines{"7: error: name 'A' is already that of instance 'A' at /etc/keepalived/k.conf:1",
              "7: error: vrid 1 over IPv4 on eth0 is already that of instance 'A' at "
              "/etc/keepalived/k.conf:1",
              "7: error: address 10.0.0.9 is already that of instance 'A' at "
              "/etc/keepalived/k.conf:1"});
}

TEST_CASE("unknown keywords are warnings and do not hide the rest", "[keepalived]") {
  CHECK(
      diagnose("foo {\nvrrp_instance B { }\n}\n" + instance_with("bar 1")) ==
      Lines{
          "1: warning: unknown keyword 'foo' in the file; it is left out, as by keepalived",
          "7: warning: unknown keyword 'bar' in vrrp_instance; it is left out, as by keepalived"});
}

TEST_CASE("virtual servers are one warning", "[keepalived]") {
  CHECK(diagnose(instance_with("") +
                 "virtual_server 10.0.0.1 80 {\nreal_server 10.0.0.2 80 { weight "
                 "1 }\n}\nvirtual_server_group x { }\nvirtual_server y { }\n") ==
        Lines{"6: warning: virtual_server: belongs to IPVS, which vrrpd does not manage"});
}

TEST_CASE("control characters reach neither messages nor the configuration", "[keepalived]") {
  CHECK(diagnose(instance_with("b\x1b[31m 1\npriority \x01\x02")) ==
        Lines{"4: warning: unknown keyword 'b?[31m' in vrrp_instance; it is left out, as by "
              "keepalived",
              "5: error: priority '?\?' is not a whole number in 1 to 255"});
  CHECK(diagnose(instance_with("unicast_peer {\n1\x01\n}")) ==
        Lines{"5: error: 1? '1?' is not an IPv4 or IPv6 address"});
  CHECK_FALSE(load_text("vrrp_instance \"A\x01\" {\nvirtual_router_id 1\nvirtual_ipaddress { "
                        "10.0.0.9 }\n}\n")
                  .config.has_value());
}

TEST_CASE("a file is keepalived's by its name, or else by its first line", "[keepalived]") {
  CHECK(is_keepalived_conf("/etc/keepalived/keepalived.conf", "instances:\n"));
  CHECK_FALSE(is_keepalived_conf("/etc/vrrpd/vrrpd.yaml", "global_defs {\n"));
  CHECK_FALSE(is_keepalived_conf("x.yml", "global_defs {\n"));
  CHECK(is_keepalived_conf("keepalived.config", "\n# x\n  vrrp_instance A {\n"));
  CHECK(is_keepalived_conf("x", "! x\n"));
  CHECK_FALSE(is_keepalived_conf("x", "# x\n\nnode: vm1\n"));
  CHECK_FALSE(is_keepalived_conf("x", "---\n"));
  CHECK_FALSE(is_keepalived_conf("x", "{instances: []}\n"));
  CHECK_FALSE(is_keepalived_conf("x", ""));
}

}  // namespace
}  // namespace ha::keepalived
