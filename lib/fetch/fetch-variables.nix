# The variables that a fetch may take from the environment of the machine that it runs on, without those that `env` sets.
env:
builtins.filter (name: !(env ? ${name})) [
  "http_proxy"
  "https_proxy"
  "ftp_proxy"
  "all_proxy"
  "no_proxy"
  "HTTP_PROXY"
  "HTTPS_PROXY"
  "NO_PROXY"
  "GIT_PROXY_COMMAND"
  "SOCKS_SERVER"
  "GOPROXY"
  "GONOPROXY"
  "GOPRIVATE"
  "GOSUMDB"
  "GONOSUMDB"
  "GOINSECURE"
  "GOVCS"
  # See fetch-setup.sh.
  "NETRC"
  "GIT_CONFIG_GLOBAL"
  "GIT_SSH_COMMAND"
  "SSH_AUTH_SOCK"
]
