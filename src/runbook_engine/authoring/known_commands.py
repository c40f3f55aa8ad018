"""Names of commands that procedures are made of. They tell a line of shell from what it prints, and from a sentence."""

COMMANDS = frozenset(
    {
     "alias", "apt", "apt-get", "aptitude", "ansible", "ansible-playbook", "argocd", "aws", "awk", "az", "base64",
     "basename", "bash", "bc", "brew", "bundle", "bzip2", "cat", "cd", "certbot", "chattr", "chgrp", "chmod",
     "chown", "chroot", "chronyc", "clear", "cmp", "comm", "conntrack", "consul", "coredumpctl", "cp", "crictl",
     "crontab", "cqlsh", "ctr", "curl", "cut", "date", "dd", "df", "diff", "dig", "dirname", "dmesg", "dnf",
     "docker", "docker-compose", "dpkg", "du", "echo", "egrep", "env", "etcdctl", "ethtool", "eval", "exec", "exit",
     "export", "falco", "fdisk", "fgrep", "file", "find", "flux", "free", "fsck", "fuser", "gcloud", "gdb", "getent",
     "git", "gitlab-backup", "gitlab-ctl", "gitlab-psql", "gitlab-rails", "gitlab-rake", "go", "grep", "groups",
     "gsutil", "gunzip", "gzip", "haproxy", "head", "helm", "helmfile", "history", "host", "hostname", "hostnamectl",
     "htop", "id", "ifconfig", "influx", "initctl", "iostat", "iotop", "ip", "iptables", "ipvsadm", "istioctl",
     "java", "jcmd", "jmap", "journalctl", "jq", "jstack", "k9s", "kafka-consumer-groups",
     "kafka-consumer-groups.sh", "kafka-topics", "kafka-topics.sh", "kill", "killall", "knife", "kubectl", "kubeadm",
     "kustomize", "last", "ldapsearch", "less", "linkerd", "ln", "locate", "logger", "logrotate", "ls", "lsblk",
     "lscpu", "lsof", "ltrace", "lvs", "lvextend", "make", "mail", "mc", "md5sum", "mdadm", "mkdir", "mkfs", "mongo",
     "mongosh", "more", "mount", "mpstat", "mtr", "mv", "mysql", "mysqladmin", "mysqldump", "nc", "ncat", "netcat",
     "netstat", "nft", "nginx", "nmap", "nodetool", "nohup", "nomad", "npm", "nproc", "nslookup", "ntpq", "numactl",
     "oc", "opensearch", "openssl", "passwd", "patronictl", "perf", "perl", "pg_basebackup", "pg_ctl", "pg_dump",
     "pg_dumpall", "pg_isready", "pg_repack", "pg_restore", "pg_rewind", "pgbackrest", "pgbench", "pgbouncer",
     "pgrep", "php", "pidstat", "ping", "ping6", "pip", "pip3", "pkill", "pm2", "podman", "postgres", "printenv",
     "printf", "promtool", "ps", "psql", "pulumi", "puppet", "pushd", "pvs", "pwd", "python", "python3",
     "rabbitmqctl", "rabbitmq-diagnostics", "rails", "rake", "read", "readlink", "reboot", "redis-benchmark",
     "redis-cli", "redis-sentinel", "repmgr", "restic", "rm", "rmdir", "route", "rpm", "rsync", "ruby", "runuser",
     "sar", "scp", "screen", "sed", "sentinel", "seq", "service", "sestatus", "set", "sftp", "sh", "sha256sum",
     "shopt", "shutdown", "skopeo", "sleep", "slabtop", "smartctl", "snap", "socat", "sort", "source", "split", "ss",
     "ssh", "ssh-keygen", "sshpass", "stat", "strace", "strings", "su", "sudo", "supervisorctl", "swapoff", "swapon",
     "sync", "sysctl", "systemctl", "systemd-analyze", "systemd-cgtop", "tail", "tar", "tcpdump", "tctl", "tee",
     "telnet", "terraform", "test", "time", "timedatectl", "timeout", "tkn", "tmux", "top", "touch", "tr",
     "traceroute", "trap", "tree", "true", "tsh", "tshark", "ulimit", "umask", "umount", "unalias", "uname", "uniq",
     "unset", "unzip", "uptime", "useradd", "usermod", "vault", "velero", "vgs", "vi", "vim", "vmstat", "w", "wait",
     "watch", "wc", "wget", "which", "who", "whoami", "xargs", "xfs_growfs", "xz", "yarn", "yq", "yum", "zcat",
     "zfs", "zgrep", "zip", "zkcli.sh", "zless", "zpool", "for", "while", "until", "if", "case", "function", "select",
    }
)  # fmt: skip
ENGLISH = frozenset(
    {
     "alias", "at", "basename", "clear", "comm", "consul", "cut", "date", "diff", "env", "eval", "exec", "exit",
     "export", "falco", "file", "find", "flux", "for", "free", "function", "go", "groups", "head", "helm", "history",
     "host", "id", "if", "ip", "java", "kill", "last", "less", "locate", "logger", "mail", "make", "more", "mount",
     "nomad", "nginx", "ping", "postgres", "printf", "puppet", "read", "reboot", "route", "ruby", "screen", "select",
     "sentinel", "service", "set", "shutdown", "sleep", "snap", "sort", "source", "split", "stat", "strings", "sync",
     "tail", "test", "time", "timeout", "top", "touch", "trap", "tree", "true", "unset", "vault", "velero", "w",
     "wait", "watch", "which", "while", "who", "case", "until", "pgbouncer", "haproxy", "python", "perl",
    }
)  # fmt: skip
"""Those that are words of a sentence, too: a line that begins with one is a command where more tells so."""
