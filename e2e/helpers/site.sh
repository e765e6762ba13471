#!/bin/bash
# A small web server to look at: programs that bear the names of real ones and wait, and some that come and go.
# $1 is a folder for them, which others may enter; each that waits ends with a line written to the pipe `never` in
# it, or after two minutes, and the others once there is a file `over`.
cd "$1" || exit 1
for name in nginx php-fpm postgres redis-server node cron sshd bash; do cp /bin/bash "$name"; done
for name in curl df ss; do cp /bin/sleep "$name"; done
mkfifo -m 666 never
echo 'read -r -t 120 <> never' > wait

# as USER NAME TITLE SCRIPT: becomes it. A program that reads its script from a file has nothing but its title to show.
as() {
  local change=(setpriv --reuid="$1" --regid="$1" --clear-groups)
  [ "$1" = "$UID" ] && change=()
  exec "${change[@]}" ./bash -c "exec -a '$3' ./$2 < $4"
}
declare -f as > become

# children SCRIPT COUNT USER NAME TITLE: the script of a parent of so many, which wait
children() {
  { cat become; for _ in $(seq "$2"); do echo "as $3 $4 '$5' wait &"; done; cat wait; } > "$1"
}
children nginx.sh 4 33 nginx 'nginx: worker process'
children php-fpm.sh 3 33 php-fpm 'php-fpm: pool www'
children postgres.sh 5 65534 postgres 'postgres: shop shop 10.0.0.12 idle'
children node.sh 2 33 node 'node /srv/shop/worker.js'
children sshd.sh 1 65534 bash bash
echo 'until [ -e over ]; do ./curl 0.3 & ./df 0.1; ./ss 0.2; wait; done' > cron.sh

as 0 nginx 'nginx: master process /usr/sbin/nginx' nginx.sh &
as 0 php-fpm 'php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)' php-fpm.sh &
as 65534 postgres '/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main' postgres.sh &
as 65534 redis-server 'redis-server *:6379' wait &
as 33 node 'node /srv/shop/server.js' node.sh &
as 0 sshd 'sshd: deploy [priv]' sshd.sh &
as 0 cron '/usr/sbin/cron -f' cron.sh &
wait
