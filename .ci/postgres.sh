# A real PostgreSQL for the tests of studies, on a socket of its own. It is installed where it is absent and that is possible.

postgres_home='' postgres_bin=''

find_postgres() {
    postgres_bin=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -1)
    [ -x "$postgres_bin/initdb" ] || postgres_bin=$(dirname "$(command -v initdb)")
    [ -x "$postgres_bin/initdb" ]
}

install_postgres() {
    [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql > /dev/null
}

# PostgreSQL refuses to run as root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

start_postgres() {
    if ! find_postgres && ! { install_postgres && find_postgres; }; then
        echo "There is no PostgreSQL, and it could not be installed: the tests that need it are skipped."
        return
    fi
    postgres_home=$(mktemp -d)
    if [ "$(id -u)" = 0 ]; then chown postgres "$postgres_home"; fi
    (
        cd "$postgres_home"
        as_postgres "$postgres_bin/initdb" -D "$postgres_home/data" -A trust -U postgres > /dev/null
        as_postgres "$postgres_bin/pg_ctl" -D "$postgres_home/data" -o "-k $postgres_home -c listen_addresses=" -l "$postgres_home/log" -w start
    )
    export VISIONMODELS_POSTGRES="Host=$postgres_home;Username=postgres;Database=postgres"
}

stop_postgres() {
    [ -n "$postgres_home" ] || return 0
    (cd / && as_postgres "$postgres_bin/pg_ctl" -D "$postgres_home/data" -m immediate stop > /dev/null) || true
    rm -rf "$postgres_home"
}
