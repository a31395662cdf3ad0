# Sourced by the scripts that build images: one of them runs at a time, since two would build the same.
# A script that another one calls runs within its caller's lock. $cache is the folder for what is kept between builds.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vantage6
mkdir -p "$cache"
[ -n "${V6_BUILDING:-}" ] || V6_BUILDING=1 exec flock --close "$cache/images.lock" "$0" "$@"
