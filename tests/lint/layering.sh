#!/bin/bash
# Includes point one way only. Each rule below names a folder and what its files must not include.
#
#   wire, engine          values of include/ha only, and never one another
#   parsers, evaluator    no I/O: no Asio beyond addresses, no kernel header
#   libnl                 only vrrpd/kernel;  yaml-cpp only vrrpd/settings
#   boost/asio.hpp        nobody: it does not compile with g++ 12, and a specific header says what is used
set -u
cd "$(dirname "$0")/../.." || exit 2
failed=0

# forbid WHERE PATTERN WHY: no file below WHERE may have an #include that fits PATTERN.
forbid() {
  local hits
  hits=$(grep -rnE "^ *# *include *[<\"]$2" $1 --include='*.hpp' --include='*.cpp')
  if [ -n "$hits" ]; then
    echo "$3:"
    echo "$hits"
    failed=1
  fi
}

pure='vrrpd/wire vrrpd/engine include haproxy_probe/stats.hpp haproxy_probe/stats.cpp haproxy_probe/evaluator.hpp haproxy_probe/evaluator.cpp haproxy_probe/count.hpp haproxy_probe/count.cpp haproxy_probe/dialogue.hpp haproxy_probe/dialogue.cpp haproxy_probe/http.hpp haproxy_probe/http.cpp haproxy_probe/cli/record.hpp haproxy_probe/cli/record.cpp haproxy_probe/cli/replay.hpp haproxy_probe/cli/replay.cpp'
for part in authority config delta exclude gluster_xml job manifest mount_watch mounts planner progress records role status; do
  for file in sync/$part.?pp; do pure+=" $file"; done
done
for part in checks/config checks/counting checks/answers runtime/notify runtime/tracks mail/message mail/smtp; do
  for file in vrrpd/$part.?pp; do pure+=" $file"; done
done
forbid "$pure" 'boost/asio/(io_context|steady_timer|local|posix|signal_set|post|read|write|buffer)' 'decision code must not do I/O'
forbid "$pure" '(sys/|netinet/|linux/|net/|unistd|poll\.h|fcntl)' 'decision code must not know the kernel'
forbid "$pure" '(fstream|iostream|filesystem|thread|mutex)' 'decision code must not touch files, streams or threads'
forbid 'vrrpd/wire' '"vrrpd/(engine|kernel|config|runtime)' 'vrrpd/wire knows only include/ha'
forbid 'vrrpd/engine' '"vrrpd/(wire|kernel|config|runtime)' 'vrrpd/engine knows only include/ha'
forbid 'vrrpd/kernel' '"vrrpd/(wire|engine|config|runtime)' 'vrrpd/kernel knows only include/ha'
forbid 'sync' '"(vrrpd/(wire|engine|kernel|config|runtime|keepalived)|haproxy_probe)/' 'sync knows vrrpd/settings and vrrpd/http, and vrrpd by its socket only'
forbid 'vrrpd/http' '"(vrrpd/[^h]|haproxy_probe|sync)' 'vrrpd/http knows nobody'
forbid 'vrrpd/settings' '"(vrrpd/[^s]|haproxy_probe|sync)' 'vrrpd/settings knows only include/ha'
forbid "$(echo haproxy_probe/*.?pp)" '"vrrpd/' 'haproxy_probe knows only include/ha'
forbid 'haproxy_probe/cli' '"vrrpd/(wire|engine|kernel|runtime)' 'haproxy-probe knows only the probe and config'
forbid 'vrrpd/runtime vrrpd/config' '"haproxy_probe/(client|evaluator|stats)' 'only the daemon wires the probe in'
forbid 'vrrpd/checks' '"vrrpd/(wire|engine|config|guard|ctl|runtime/[^s])' 'vrrpd/checks knows only include/ha and how to start a child'
forbid 'vrrpd/mail' '"vrrpd/(wire|engine|kernel|runtime)' 'vrrpd/mail knows only the configuration'
forbid 'vrrpd/ctl' '"vrrpd/(wire|engine|kernel|config|runtime)' 'vrrpctl speaks to the daemon over its socket only'
forbid "$(ls -d vrrpd/* haproxy_probe sync include | grep -v '^vrrpd/kernel$' | tr '\n' ' ')" 'netlink/' 'only vrrpd/kernel uses libnl'
forbid "$(ls -d vrrpd/* haproxy_probe sync include | grep -v '^vrrpd/settings$' | tr '\n' ' ')" 'yaml-cpp/' 'only vrrpd/settings uses yaml-cpp'
forbid 'vrrpd haproxy_probe sync include tests' 'boost/asio\.hpp' 'include the specific Asio header'

if clocks=$(grep -rnE 'steady_clock::now|system_clock::now|clock_gettime|time\(nullptr\)' vrrpd/wire vrrpd/engine include haproxy_probe/stats.* haproxy_probe/evaluator.* sync/{authority,delta,exclude,gluster_xml,job,manifest,mount_watch,mounts,planner,progress,records,role,status}.*); then
  echo "decision code must not read a clock:"
  echo "$clocks"
  failed=1
fi
exit $failed
