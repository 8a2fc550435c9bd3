#!/usr/bin/env bash
# Two nodes of SLURM that are this machine, each with two pretended GPUs (root, Debian 12):
#   bash tests/clusters/slurm.sh start [FOLDER]
#   CPUS=1 bash tests/clusters/slurm.sh start   # of one core each; then --group-components score=1
#   bash tests/clusters/slurm.sh stop [FOLDER]
# It writes /etc/slurm/{slurm,gres,cgroup}.conf, where Snakemake's jobs look for them, and
# refuses to write over files of another cluster.
set -euo pipefail
folder=${2:-/var/tmp/two-nodes}
host=$(hostname)
if [ -e /etc/slurm/slurm.conf ] && ! grep -q '^ClusterName=two-nodes$' /etc/slurm/slurm.conf; then
    echo "/etc/slurm/slurm.conf is of another cluster; nothing was done." >&2
    exit 1
fi

stop() {
    for file in "$folder"/{slurmd-n1,slurmd-n2,slurmctld}.pid; do
        if [ -s "$file" ]; then kill "$(cat "$file")" 2>/dev/null || true; fi
    done
}

stop
if [ "${1:-}" = stop ]; then exit 0; fi
if ! command -v slurmctld >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        slurm-wlm slurm-wlm-basic-plugins munge >/dev/null
fi
mkdir -p "$folder"/{log,gpu} /etc/slurm
rm -rf "$folder/state"
mkdir "$folder/state"
for gpu in 0 1; do # device nodes that do nothing
    [ -e "$folder/gpu/nvidia$gpu" ] || mknod "$folder/gpu/nvidia$gpu" c 1 3
done
if ! munge -n >/dev/null 2>&1; then
    install -d -o munge -g munge -m 755 /run/munge
    runuser -u munge -- munged
fi
cat >/etc/slurm/slurm.conf <<EOF
ClusterName=two-nodes
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd-%n.log
SlurmdTimeout=15
KillWait=2
MinJobAge=300
SchedulerParameters=sched_interval=2,bf_interval=2
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
GresTypes=gpu
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[26821-26822] CPUs=${CPUS:-$(nproc)} RealMemory=8000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=n[1-2] Default=YES MaxTime=120 DefaultTime=10 DefMemPerCPU=500 State=UP
EOF
echo "NodeName=n[1-2] Name=gpu File=$folder/gpu/nvidia[0-1]" >/etc/slurm/gres.conf
echo "CgroupAutomount=no" >/etc/slurm/cgroup.conf
slurmctld
for node in n1 n2; do slurmd -N "$node"; done
for _ in $(seq 30); do
    [ "$(sinfo -h -N -t idle | wc -l)" = 2 ] && break
    sleep 0.5
done
sinfo -N -o "%N %T %c %m %G"
