#!/bin/sh
# A hook of gluster-sync for Jenkins: jenkins-after-recover.sh TEAM ENV
#
# The builds of the last seconds before the other machine was lost may be missing here, and may have published
# artifacts under their numbers. So every job goes on with a number that was never given: beyond the highest build there
# is and the number that was noted, by a margin. Then the container is started.
set -eu
team=$1
env=$2
home=${JENKINS_HOME:-/var/lib/docker/volumes/jenkins-$team-$env-home/_data}
margin=${JENKINS_BUILD_MARGIN:-10}

highest_build() {
  highest=0
  for build in "$1"/*; do
    number=${build##*/}
    case $number in *[!0-9]*) continue ;; esac
    [ "$number" -le "$highest" ] || highest=$number
  done
  echo "$highest"
}

# The folders of jobs nest: jobs/FOLDER/jobs/NAME/nextBuildNumber.
find "$home/jobs" -name nextBuildNumber -type f | while IFS= read -r file; do
  next=$(tr -cd 0-9 < "$file")
  after=$(($(highest_build "$(dirname "$file")/builds") + 1))
  [ "${next:-0}" -gt "$after" ] || next=$after
  echo $((next + margin)) > "$file.tmp"
  chown --reference="$file" "$file.tmp"
  mv "$file.tmp" "$file"
done

if command -v docker > /dev/null; then
  docker start "jenkins-$team-$env"
fi
