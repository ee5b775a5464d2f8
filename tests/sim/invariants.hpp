/// What must hold on the virtual LAN.
///
/// Words. a(r): the advertisement interval of router r. skew(b, m) and down(b, m): Skew_Time and
/// Active_Down_Interval of backup b behind master m, (256 - priority) / 256 of a(m), or of 1 s in
/// version 2, and 3 a(m) more. D: the greatest one-way delay. L: the greatest lateness of a timer.
/// A: the longest interval on the LAN, down the longest down interval that follows from it.
/// H: the longest preempt_delay. A claim is (priority, address), compared in this order. Calm: no
/// loss, no reordering, no cut, nobody paused, no fault since, and what was sent before has
/// arrived. Settled: calm for the bound of I1.
///
/// Checked on the whole LAN (settle.hpp and probes.hpp):
///  I1  Calm for down + A + 2 (L + D), and with H > 0 for H + down + A + 2 (L + D) more: of the
///      routers that hear each other and run, exactly one is master, and none of them starts or
///      stops being master for two more down intervals. Why: whoever is going to promote itself has
///      done so after down + L, whoever is going to be displaced hears that within D; A covers a
///      master that listens after a stall, and one whose answers are used up. H adds a second
///      round: a hold time that starts with the first master of the first round.
///  I2  Of masters that begin to hear each other, the best claim w stays and every other x has left
///      after min(a(w), a(x) + D) + L + D: it hears w's next advertisement, or w's answer to its
///      own.
///  I3  When a settled master falls silent, there is another one after D + down(b, m) + L, b being
///      the backup with the shortest such time; when it shuts down, after D + skew(b, m) + L.
///      preempt_delay has no part in either.
///  I4  Settled, no backup that preempts (yes, or an owner) has a higher priority than the master;
///      an equal one may have either role. A router that may not preempt, joining or raising its
///      priority, changes nothing, provided it can hear the master within 3 of its own intervals.
///  I7  When a settled master's priority drops below that of backups with preempt `yes` or
///      `degraded`, one of them is master after D + skew(b, m) + L, b being the best of them, and
///      at no instant until the LAN is settled again does nobody hold the addresses. Without such
///      backups nothing changes.
///  I11 Settled, the master has the addresses, and no other router that runs. Who cannot give them
///      back, since engine and guard were killed or the process is frozen, loses them with their
///      lease: with R for the renewals, which are max(0, lease / 3 - a / 2) apart, and S for the
///      time the kernel takes to notice, nobody has them for longer than the bound of I3 less
///      (lease - R), and two for longer than lease + S - 3 a + 2 D. Of a frozen machine, whose
///      addresses nobody reaches, it is the bound of I3 and 2 D. Who wakes up as a backup has them
///      no more.
///  I12 An engine that dies as master and is succeeded before the first timer runs out was never
///      gone: nobody else becomes master, and at every instant somebody has the addresses. For one
///      that dies again too soon its guard lets go, which is a shutdown in the sense of I3.
///  I13 Addresses that somebody removes from a master are back after L; it stays master.
///  I14 A reload changes no master, leaves no instant without the addresses, and puts back none
///      that are there.
///
/// Checked on every single step of every router, in calm and in chaos (this file):
///  I5  Acquire and release alternate, and addresses are held exactly in {Master}. Becoming master
///      is: advertisement, acquire, announce. Shutdown and fault are: priority 0, release. Stepping
///      down is: release, with no advertisement. Priority 0 is sent nowhere else; every other
///      advertisement carries the effective priority. A master's advertisements are no more than a
///      + L apart, plus the time it was paused, plus a + L of listening for each pause, and for
///      each reload that meets it more than 3 a after the last one. Exactly one report for a change
///      of state, and one for each losing advertisement. Each state has exactly the events that
///      mean something in it; all others change nothing. After DeadlineReached the deadline lies in
///      the future, and never further off than the state's longest timer.
///  I6  A master whose last advertisement is more than 3 a old, a being the interval told in it,
///      may have been replaced. Nothing but its timer, before which the socket is read, makes it
///      send or announce anything, and if it hears anybody (priority 0 aside), it steps down. Once
///      that advertisement is a and the down interval of priority 1 old, it also listens for a
///      before it goes on. A backup whose timer is overdue by more than a down interval does not
///      take over on the spot.
///  I8  Advertisements in answer to others are at least a / 4 apart, and sent when that allows it.
///      Announcements with them are at least a second apart; yet each losing advertisement is
///      followed by an announcement within 1 s + a + L, or neighbours would go on believing the
///      loser. The number of announcements of one mastership is bounded by its schedule, and a
///      master that was never paused has made those of both bursts and of the refresh that are due.
///  I9  Nobody takes over early: see Patience. Nobody is put off either: only an accepted
///      advertisement starts a backup's timer anew; one that is discarded leaves it alone; priority
///      0 and a drop below our priority leave no more than the skew time, which starts anew only if
///      the timer was overdue by more than a down interval; a change of our own priority moves it
///      by the change of the skew time, and puts off only the take-over from a live master whose
///      claim is the better one by that: until it has been silent for a down interval.
///  I10 A master that is not stalled leaves on shutdown, on a fault, and for a better claim, then
///      at once, and for no other reason. A change of its priority or configuration is advertised
///      at once. A member of a group may also leave because of the others, as for a shutdown; if it
///      may have been replaced, without a word.
///  I12 A start makes a backup, but a master of the owner, and of one whose predecessor advertised
///      as master no more than 3 a ago.
///  I13 A master puts lost addresses back at once; in the case of I6 with the advertisement with
///      which it goes on, and without being told.
///
/// Not asserted, because it does not hold: at most one master at any time (loss, partitions and
/// equal priorities make two); no flapping while three advertisements in a row get lost or while
/// links work one way; a single takeover when priorities are equal or differ by less than the delay
/// is worth; that the holder stays when a router joins whose own down interval is shorter than the
/// holder's interval; that a master with `preempt: no` survives a better claim of another master;
/// that a winner announces again when the loser, hearing it first, left without a word.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "lan.hpp"
#include "patience.hpp"

namespace ha::sim {

/// Says which invariant, where and how.
class BrokenInvariant : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Checks I5, I6, I8, I9, I10, I12 and I13 as the LAN runs; throws BrokenInvariant.
class Invariants : public Observer {
 public:
  /// `longest_interval`: no advertisement on this LAN carries a longer one.
  Invariants(const Lan& lan, Duration longest_interval)
      : lan_{lan}, longest_interval_{longest_interval} {}

  void stepped(const StepRecord& record) override;
  void crashed(NodeId node, TimePoint now) override;
  void paused(NodeId node, TimePoint now) override;
  void resumed(NodeId node, TimePoint now) override;
  void remarked(std::string_view, TimePoint) override {}

  /// No master is behind with its advertisements or announcements. Steps alone do not show one that
  /// does nothing.
  void check_nobody_is_silent() const;

 private:
  /// What the LAN has seen of one router, by that router's clock.
  struct Ledger {
    Priority priority;
    IpAddress address;
    bool holds_addresses = false;
    Patience patience;
    bool waits = false;  ///< for the others of its group

    // Of the present mastership.
    TimePoint master_since;
    TimePoint last_advert;
    Duration interval_then;     ///< in its last advertisement
    Duration longest_interval;  ///< that it was configured with
    std::optional<TimePoint> last_answer;
    Duration interval_at_answer;
    std::optional<TimePoint> last_conflict_announcement;
    std::optional<TimePoint> announcement_owed_by;
    std::int64_t announcements = 0;
    std::int64_t announcements_asked_for = 0;
    TimePoint last_announcement;
    bool was_paused = false;

    Duration paused_since_advert;
    int pauses_since_advert = 0;
    TimePoint paused_at;
    std::optional<TimePoint> listens_until;
  };

  [[noreturn]] void broken(const StepRecord& record, std::string_view which,
                           std::string_view what) const;
  Ledger& ledger(NodeId node);
  [[nodiscard]] Duration silence_allowed(const Ledger& ledger,
                                         const vrrp::RouterConfig& config) const;
  /// The last advertisement of a master is so old that others may have elected somebody else.
  [[nodiscard]] static bool may_be_replaced(const Ledger& ledger, TimePoint now);
  [[nodiscard]] static bool is_certainly_stalled(const Ledger& ledger,
                                                 const vrrp::RouterConfig& config, TimePoint now);

  void check_announcements_kept_up(NodeId id, const Ledger& ledger) const;
  void check_meaningless_events(const StepRecord& record) const;
  void check_edges(const StepRecord& record) const;
  void check_timers(const StepRecord& record, const Ledger& ledger) const;
  void check_reports(const StepRecord& record) const;
  void check_priorities_sent(const StepRecord& record, const Ledger& ledger) const;
  void check_addresses(const StepRecord& record, Ledger& ledger) const;
  void check_group(const StepRecord& record, Ledger& ledger) const;
  void check_patience(const StepRecord& record, const Ledger& ledger) const;
  void check_promotion(const StepRecord& record, Ledger& ledger, std::string_view verbs) const;
  void check_departure(const StepRecord& record, const Ledger& ledger,
                       std::string_view verbs) const;
  void check_staying(const StepRecord& record, Ledger& ledger, std::string_view verbs) const;
  void check_speech(const StepRecord& record, const Ledger& ledger, std::string_view verbs) const;
  void check_answer(const StepRecord& record, Ledger& ledger, const vrrp::AdvertReceived& advert,
                    bool advertises, bool announces) const;
  void check_announcements(const StepRecord& record, Ledger& ledger, bool announces) const;
  void check_timer_after_advert(const StepRecord& record, const Ledger& ledger,
                                Patience::Verdict verdict) const;
  void check_timer_after_priority_change(const StepRecord& record, Ledger& ledger) const;
  void note_own(const StepRecord& record, Ledger& ledger) const;
  void note_patience(const StepRecord& record, Ledger& ledger) const;

  const Lan& lan_;
  Duration longest_interval_;
  std::vector<Ledger> ledgers_;
};

}  // namespace ha::sim
